"""A model folder that was saved is loaded as it was, and whatever is wrong with one is named."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

from inktex.decoding.options import SearchOptions
from inktex.errors import BundleError
from inktex.recognition.bundle import Bundle, load_bundle
from inktex.recognition.metadata import Calibration, Metadata, SecondLook
from inktex.vocabulary import Vocabulary

FILES = ["encoder.onnx", "model.json", "step.onnx", "vocabulary.json"]
METADATA = Metadata(
    family="inktex",
    max_length=256,
    symbol_px=16.0,
    stride=8,
    both_ways=True,
    licence="CC",
    options={"layers": 2},
    training={"epochs": [1, 2]},
    search=SearchOptions(4, 0.5, 90, 0.05, both_ways=True, grammar=True, rescore_above=0.007),
    second_look=SecondLook(1.25, 2, 0.4, 0.001, 17, 40.0),
    calibration=Calibration(1.0, 0.5, 0.25, 2.0),
    parameters=7,
    weights="int8",
    deviation=1e-6,
    storage_deviation=0.1,
    version="0.1.0",
)


@pytest.fixture
def bundle() -> Bundle:
    """A bundle whose graphs are no graphs: what saving and loading need."""
    return Bundle(b"encoder", b"step", Vocabulary.build([["x", "\\frac", "é"]]), METADATA)


@pytest.fixture
def folder(bundle: Bundle, tmp_path: Path) -> Path:
    """That bundle, saved."""
    bundle.save(tmp_path / "model")
    return tmp_path / "model"


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what stands in ``model.json``."""
    path = folder / "model.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    change(description)
    path.write_text(json.dumps(description), encoding="utf-8")


def names(folder: Path) -> list[str]:
    """All that is in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def test_what_was_saved_is_loaded(bundle: Bundle, tmp_path: Path) -> None:
    """A bundle comes back equal, and the folder holds its four files and nothing else."""
    bundle.save(tmp_path / "deep" / "model")

    loaded = load_bundle(tmp_path / "deep" / "model")

    assert (loaded.encoder, loaded.step) == (bundle.encoder, bundle.step)
    assert (loaded.vocabulary, loaded.metadata) == (bundle.vocabulary, bundle.metadata)
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
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    """A bundle without one of its files is refused by that file's name."""
    (folder / name).unlink()

    with pytest.raises(BundleError, match=name):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["encoder.onnx", "step.onnx", "vocabulary.json"])
def test_one_altered_bit_is_found(folder: Path, name: str) -> None:
    """A file that differs in one bit from what was saved is refused by its name."""
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    with pytest.raises(BundleError, match=name):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"format": 99}, "99"),
        ({"family": 3}, "family"),
        ({"max_length": True}, "max_length"),
        ({"both_ways": 1}, "both_ways must be bool"),
        ({"search": {"width": 4}}, r"search\.both_ways is missing"),
        ({"search": []}, "search"),
        ({"search": None}, "search"),
        ({"second_look": {"scale": 1.2, "more": 1}}, r"second_look\.at_least is missing"),
        ({"second_look": 1.2}, "second_look must be an object"),
        ({"calibration": {"bias": 1, "slope": "steep", "length": 0, "share": 0}}, r"calibration\.slope"),
        ({"surprise": 1}, "surprise is unknown"),
        ({"sha256": "none"}, "sha256"),
    ],
)
def test_a_wrong_description_is_named(folder: Path, change: dict[str, Any], named: str) -> None:
    """Keys of ``model.json`` that are missing, unknown or of a wrong kind are named."""
    rewrite(folder, lambda description: description.update(change))

    with pytest.raises(BundleError, match=named) as error:
        load_bundle(folder)

    assert str(folder / "model.json") in str(error.value)


def test_every_key_is_needed(folder: Path) -> None:
    """Whichever key is left out of ``model.json``, the error says which."""
    whole = (folder / "model.json").read_text(encoding="utf-8")
    for key in [*(each.name for each in fields(Metadata)), "sha256"]:
        (folder / "model.json").write_text(whole, encoding="utf-8")
        rewrite(folder, lambda description, key=key: description.pop(key))  # type: ignore[misc]

        with pytest.raises(BundleError, match=key):
            load_bundle(folder)


@pytest.mark.parametrize(
    ("part", "key", "values"),
    [
        ("", "family", [""]),
        ("", "max_length", [0, -1, 10**30]),
        ("", "symbol_px", [3.9, 129, math.nan, math.inf, 10**400]),
        ("", "stride", [0, 3, 128, -8]),
        ("", "weights", ["int2", ""]),
        ("", "parameters", [-1, 10**400]),
        ("", "deviation", [-1e-9, math.nan, math.inf]),
        ("", "storage_deviation", [-1, math.nan, math.inf]),
        ("search", "width", [0, 10_001]),
        ("search", "length_penalty", [-0.1, 11, math.nan]),
        ("search", "max_length", [0, 10_001]),
        ("search", "prune", [-0.1, 1, math.nan]),
        ("search", "rescore_above", [-0.1, 1.1, math.nan]),
        ("second_look", "scale", [0, 9, math.nan]),
        ("second_look", "width", [0, 10_001]),
        ("second_look", "below", [0, 1.1, math.nan]),
        ("second_look", "at_least", [-0.1, 1.1, math.nan]),
        ("second_look", "max_tokens", [-1, 10_001]),
        ("second_look", "max_symbols", [0, 1e7, math.nan]),
        ("calibration", "bias", [math.nan, math.inf]),
        ("calibration", "slope", [math.nan, -math.inf]),
        ("calibration", "length", [math.nan, 10**400]),
        ("calibration", "share", [math.nan, 1e300]),
    ],
)
def test_values_out_of_range_are_named(folder: Path, part: str, key: str, values: list[Any]) -> None:
    """Each number of ``model.json`` has bounds; beyond them it is refused in one sentence."""
    whole = (folder / "model.json").read_text(encoding="utf-8")
    for value in values:
        (folder / "model.json").write_text(whole, encoding="utf-8")
        rewrite(
            folder,
            lambda description, value=value: (description[part] if part else description).update(
                {key: value}
            ),
        )

        with pytest.raises(BundleError, match=r"model\.json") as error:
            load_bundle(folder)

        assert key in str(error.value) or "symbols must have" in str(error.value)
        assert "\n" not in str(error.value)


def test_the_test_of_ranges_knows_every_number() -> None:
    """What ``model.json`` holds besides the text and the switches is bounded in the test above."""
    marks = test_values_out_of_range_are_named.pytestmark  # type: ignore[attr-defined]
    bounded = {(part, key) for mark in marks for part, key, _ in mark.args[1]}
    numbers = {("", "family"), ("", "weights")}
    parts = {
        "": METADATA,
        **{part: getattr(METADATA, part) for part in ("search", "second_look", "calibration")},
    }
    for part, value in parts.items():
        assert value is not None
        numbers |= {(part, each.name) for each in fields(value) if str(each.type) in ("int", "float")}

    assert bounded == numbers


def test_reading_both_ways_needs_a_model_of_both_ways(folder: Path) -> None:
    """A description by which a model of one direction is searched in both is refused."""
    rewrite(folder, lambda description: description.update(both_ways=False))

    with pytest.raises(BundleError, match="both ways"):
        load_bundle(folder)


def as_format_4(description: dict[str, Any], below: float = 0.4) -> None:
    """Write a description as it was in format 4."""
    del description["both_ways"], description["second_look"], description["search"]["rescore_above"]
    description["search"] |= {"second_scale": 1.25, "second_below": below}
    description["format"] = 4


def test_format_4_is_read_with_what_stood_in_the_code(folder: Path) -> None:
    """A second look has width 1, from a probability of 0.001 on, at up to 17 tokens and 40 symbols' areas.

    Scores are completed from a probability of 0.007 on where search prunes.
    """
    rewrite(folder, as_format_4)

    look = SecondLook(1.25, width=1, below=0.4, at_least=0.001, max_tokens=17, max_symbols=40.0)
    assert load_bundle(folder).metadata == replace(METADATA, second_look=look)
    rewrite(folder, lambda description: description["search"].update(prune=0, second_below=0))
    plain = load_bundle(folder).metadata
    assert (plain.second_look, plain.search.rescore_above) == (None, 0.0)


@pytest.mark.parametrize("trained", [True, False, None])
@pytest.mark.parametrize("searched", [True, False])
def test_format_4_was_trained_as_its_configuration_says(
    folder: Path, trained: bool | None, searched: bool
) -> None:
    """Where it holds no configuration, the default of search tells the directions; where both contradict each
    other, the model is refused."""
    rewrite(folder, as_format_4)
    config = {} if trained is None else {"config": {"batch": {"both_ways": trained}}}
    rewrite(folder, lambda description: description["search"].update(both_ways=searched))
    rewrite(folder, lambda description: description.update(training=config))

    if searched and trained is False:
        with pytest.raises(BundleError, match="both ways"):
            load_bundle(folder)
    else:
        assert load_bundle(folder).metadata.both_ways is (searched if trained is None else trained)


@pytest.mark.parametrize("key", ["second_scale", "second_below", "prune", "grammar"])
def test_a_damaged_description_of_format_4_is_named(folder: Path, key: str) -> None:
    """The keys of format 4 are needed in format 4."""
    rewrite(folder, as_format_4)
    rewrite(folder, lambda description: description["search"].pop(key))

    with pytest.raises(BundleError, match=rf"search\.{key} is missing"):
        load_bundle(folder)


def test_what_is_written_is_format_5(folder: Path) -> None:
    """``model.json`` holds the metadata key by key, so that people can read and change it."""
    description = json.loads((folder / "model.json").read_text(encoding="utf-8"))

    assert description.pop("format") == 5
    assert sorted(description.pop("sha256")) == ["encoder.onnx", "step.onnx", "vocabulary.json"]
    assert description == asdict(METADATA)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, "\udcff"])
def test_a_description_that_is_no_json_object_is_refused(folder: Path, text: str) -> None:
    """Whatever stands in ``model.json``, the error is one of ours and names the file."""
    (folder / "model.json").write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(BundleError, match=r"model\.json"):
        load_bundle(folder)


def test_no_such_folder(tmp_path: Path) -> None:
    """A folder that is not there, is a file, or can be none is named."""
    (tmp_path / "file").write_text("")

    for name in ("nothing", "file", "n" * 254, "n" * 300, "null\0"):
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
