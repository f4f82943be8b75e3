import json
import math
from pathlib import Path

import pytest

from inktex.errors import BundleError
from inktex.recognition.bundle import Bundle, Calibration, Facts, SearchDefaults, load_bundle
from inktex.vocabulary import Vocabulary

FILES = ["encoder.onnx", "model.json", "step.onnx", "vocabulary.json"]


@pytest.fixture
def bundle() -> Bundle:
    """A bundle whose graphs are no graphs: what saving and loading need."""
    facts = Facts(
        "inktex",
        256,
        16.0,
        8,
        "CC",
        {"layers": 2},
        {"epochs": [1, 2]},
        SearchDefaults(3, 0.5, 90, False),
        Calibration(1.0, 0.5, 0.25, 2.0),
        7,
        "int8",
    )
    return Bundle(b"encoder", b"step", Vocabulary.build([["x", "\\frac", "é"]]), facts)


def names(folder: Path) -> list[str]:
    """All that is in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def test_what_was_saved_is_loaded(bundle: Bundle, tmp_path: Path) -> None:
    """A bundle comes back equal, and the folder holds its four files and nothing else."""
    bundle.save(tmp_path / "deep" / "model")

    loaded = load_bundle(tmp_path / "deep" / "model")

    assert (loaded.encoder, loaded.step) == (bundle.encoder, bundle.step)
    assert (loaded.vocabulary, loaded.facts) == (bundle.vocabulary, bundle.facts)
    assert names(tmp_path / "deep" / "model") == FILES
    assert names(tmp_path / "deep") == ["model"]


def test_saving_replaces_a_bundle_and_nothing_else(bundle: Bundle, tmp_path: Path) -> None:
    """An older bundle is replaced as a whole; a folder of other things, or a file, is left as it is."""
    old, other, file = tmp_path / "old", tmp_path / "other", tmp_path / "file"
    bundle.save(old)
    (old / "stray").write_text("")
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    file.write_text("text")

    bundle.save(old)

    assert names(old) == FILES
    for path in (other, file):
        with pytest.raises(BundleError, match=path.name):
            bundle.save(path)
    assert names(other) == ["thesis.tex"]
    assert names(tmp_path) == ["file", "old", "other"]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(bundle: Bundle, tmp_path: Path, name: str) -> None:
    """A bundle without one of its files is refused by that file's name."""
    bundle.save(tmp_path / "model")
    (tmp_path / "model" / name).unlink()

    with pytest.raises(BundleError, match=name):
        load_bundle(tmp_path / "model")


@pytest.mark.parametrize("name", ["encoder.onnx", "step.onnx", "vocabulary.json"])
def test_one_altered_bit_is_found(bundle: Bundle, tmp_path: Path, name: str) -> None:
    """A file that differs in one bit from what was saved is refused by its name."""
    bundle.save(tmp_path / "model")
    path = tmp_path / "model" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    with pytest.raises(BundleError, match=name):
        load_bundle(tmp_path / "model")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"format": 99}, "99"),
        ({"family": 3}, "family"),
        ({"max_length": True}, "max_length"),
        ({"max_length": 0}, "at least 1"),
        ({"search": {"width": 4}}, "search.both_ways"),
        ({"search": []}, "search"),
        ({"surprise": 1}, "surprise"),
        ({"sha256": "none"}, "sha256"),
    ],
)
def test_a_wrong_description_is_named(bundle: Bundle, tmp_path: Path, change: dict, named: str) -> None:
    """Keys of ``model.json`` that are missing, unknown or of a wrong kind are named."""
    bundle.save(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(BundleError, match=named):
        load_bundle(tmp_path / "model")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, "\udcff"])
def test_a_description_that_is_no_json_object_is_refused(bundle: Bundle, tmp_path: Path, text: str) -> None:
    """Whatever stands in ``model.json``, the error is one of ours and names the file."""
    bundle.save(tmp_path / "model")
    (tmp_path / "model" / "model.json").write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(BundleError, match=r"model\.json"):
        load_bundle(tmp_path / "model")


def test_no_such_folder(tmp_path: Path) -> None:
    """A folder that is not there, or is a file, is named."""
    (tmp_path / "file").write_text("")

    for name in ("nothing", "file"):
        with pytest.raises(BundleError, match=name):
            load_bundle(tmp_path / name)


def test_a_graph_that_cannot_run_is_named(bundle: Bundle) -> None:
    """Bytes that are no ONNX graph give one sentence that names the file."""
    with pytest.raises(BundleError, match=r"encoder\.onnx is no graph") as error:
        bundle.sessions(threads=1)

    assert "\n" not in str(error.value)


def test_confidence_is_a_logistic_curve() -> None:
    """Worked by hand: 1 / (1 + exp(-(1 + ln(0.5) / 2 + 3 / 4 + 0.2 * 0.5))), and its extremes."""
    curve = Calibration(1.0, 0.5, 0.25, 0.2)

    assert curve.confidence(0.5, 3) == pytest.approx(1 / (1 + math.exp(-1.50342641)))
    assert curve.confidence(0.0, 3) == 0.0
    assert Calibration(0.0, 1e6, 0.0, 0.0).confidence(1e-300, 3) == pytest.approx(0.0)


def test_a_damaged_calibration_is_named(bundle: Bundle, tmp_path: Path) -> None:
    """A value of another kind is refused with its key."""
    bundle.save(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    description["calibration"]["slope"] = "steep"
    path.write_text(json.dumps(description), encoding="utf-8")

    with pytest.raises(BundleError, match=r"calibration\.slope"):
        load_bundle(tmp_path / "model")
