import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from drawn import png, scribble
from inktex.bundle import load_bundle
from inktex.errors import BundleError, ConfigError, ImageError, InkError, InktexError
from inktex.image import from_array
from inktex.ink import ink_to_json
from inktex.inkml import InkDocument, write_inkml
from inktex.recognizer import Recognizer, canonical_picture


@pytest.fixture(scope="module")
def recognizer(tiny_bundle: Path) -> Recognizer:
    """The recognizer of a tiny network."""
    return Recognizer(tiny_bundle, threads=1)


def test_every_form_of_a_picture_gives_one_answer(recognizer: Recognizer, tmp_path: Path) -> None:
    """A path, a string, bytes, an array and a Pillow picture of the same pixels are read alike."""
    data = png(scribble(0))
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    sources = [path, str(path), data, bytearray(data), array, np.dstack([array] * 3)]
    pillow = pytest.importorskip("PIL.Image")
    sources += [pillow.open(path), pillow.open(path).convert("P"), pillow.open(path).convert("RGBA")]

    latex = {recognition.latex for recognition in recognizer.recognize_many(sources)}

    assert len(latex) == 1


def test_every_form_of_an_ink_gives_one_answer(recognizer: Recognizer, tmp_path: Path) -> None:
    """An Ink, InkML and JSON strokes, as files of any name or as bytes, are read alike."""
    ink = scribble(1)
    inkml, json = write_inkml(InkDocument(ink)), ink_to_json(ink).encode()
    for name, data in {"a.inkml": inkml, "a.json": json, "b.txt": inkml, "c": json}.items():
        (tmp_path / name).write_bytes(data)
    sources = [ink, inkml, json, b"\xef\xbb\xbf \n" + json, *sorted(tmp_path.iterdir())]

    pictures = [canonical_picture(source) for source in sources]

    for picture in pictures[1:]:
        np.testing.assert_allclose(picture, pictures[0], atol=0.02)


def test_ink_takes_the_path_of_its_picture() -> None:
    """Strokes and the picture drawn of them become nearly the same canonical picture."""
    ink = scribble(2)

    strokes, drawn = canonical_picture(ink), canonical_picture(png(ink))

    assert strokes.shape == drawn.shape
    assert np.abs(strokes - drawn).mean() < 0.01


def test_a_batch_gives_what_each_gives_alone(recognizer: Recognizer) -> None:
    """Many expressions of different sizes at once, in any order, get the answers that each gets alone."""
    inks = [scribble(seed, 1 + seed % 7) for seed in range(24)]
    alone = [recognizer.recognize(ink) for ink in inks]

    together = recognizer.recognize_many(inks)

    assert len({recognition.latex for recognition in alone}) > 4
    assert [each.latex for each in together] == [each.latex for each in alone]
    expected = [each.confidence for each in alone]
    assert [each.confidence for each in together] == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_a_recognition_holds_together(recognizer: Recognizer) -> None:
    """LaTeX is the tokens joined; confidences are probabilities; alternatives differ from the answer."""
    for recognition in recognizer.recognize_many([scribble(seed) for seed in range(8)]):
        assert recognition.latex == " ".join(recognition.tokens)
        readings = [recognition.latex, *(other.latex for other in recognition.alternatives)]
        assert len(set(readings)) == len(readings) <= 4
        confidences = [recognition.confidence, *(other.confidence for other in recognition.alternatives)]
        assert all(0 <= confidence <= 1 for confidence in confidences)
        assert sum(confidences) <= 1 + 1e-6


def test_bad_sources_are_passed_by_or_raised(recognizer: Recognizer, tmp_path: Path) -> None:
    """``recognize_each`` tells bad sources from the others; ``recognize_many`` raises."""
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "no.inkml").write_text("<ink")
    bad = [
        tmp_path / "empty.png",
        tmp_path / "missing.png",
        tmp_path,
        tmp_path / "no.inkml",
        b"what?",
        b"",
        7,
    ]
    bad += [tmp_path / "missing.json", np.zeros((0, 3)), np.ones((20, 20), np.float32), "a\0b"]
    good = [scribble(seed) for seed in range(3)]

    results = dict(recognizer.recognize_each([good[0], *bad, *good[1:]]))

    assert sorted(results) == list(range(len(good) + len(bad)))
    reasons = [results[number] for number in range(1, 1 + len(bad))]
    assert all(isinstance(reason, ImageError | InkError) for reason in reasons)
    assert all(str(reason) and "\n" not in str(reason) for reason in reasons)
    for source, reason in zip(bad, reasons, strict=True):
        assert not isinstance(source, Path) or str(source) in str(reason)
    others = [results[0], *(results[number] for number in range(1 + len(bad), len(results)))]
    assert [each.latex for each in others] == [each.latex for each in recognizer.recognize_many(good)]
    with pytest.raises(InktexError, match="missing"):
        recognizer.recognize_many([good[0], tmp_path / "missing.png"])


def test_progress_counts_to_the_end(recognizer: Recognizer) -> None:
    """The callback sees every number from 1 to the number of sources, a generator's too."""
    seen: list[int] = []

    recognizer.recognize_many((scribble(seed) for seed in range(5)), seen.append)

    assert seen == [1, 2, 3, 4, 5]
    assert recognizer.recognize_many([], seen.append) == []


def test_options_are_checked(tiny_bundle: Path) -> None:
    """Impossible options give one sentence with the value."""
    for wrong in ({"threads": 0}, {"width": 0}, {"width": -3}):
        with pytest.raises(ConfigError, match=str(next(iter(wrong.values())))):
            Recognizer(tiny_bundle, **wrong)


def test_a_bundle_for_another_symbol_size_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    """A network trained on symbols of another size would read badly; the error names both sizes."""
    bundle = load_bundle(tiny_bundle)
    replace(bundle, facts=replace(bundle.facts, symbol_px=99.5)).save(tmp_path / "other")

    with pytest.raises(BundleError, match=r"99\.5"):
        Recognizer(tmp_path / "other")


def test_greedy_and_one_way_are_options(tiny_bundle: Path) -> None:
    """Width 1 in one direction gives no alternatives."""
    recognizer = Recognizer(tiny_bundle, threads=1, width=1, both_ways=False)

    assert recognizer.recognize(scribble(0)).alternatives == ()


def test_recognition_needs_no_torch(tiny_bundle: Path, tmp_path: Path) -> None:
    """Reading a picture imports neither PyTorch nor onnx, and ``import inktex`` not even ONNX Runtime."""
    (tmp_path / "x.png").write_bytes(png(scribble(0)))
    program = (
        "import sys, inktex\n"
        "assert 'onnxruntime' not in sys.modules and 'cv2' not in sys.modules\n"
        f"inktex.Recognizer({str(tiny_bundle)!r}, threads=1).recognize({str(tmp_path / 'x.png')!r})\n"
        "print(sorted({'torch', 'onnx', 'lightning'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_polarity_does_not_matter(recognizer: Recognizer) -> None:
    """Light ink on dark is read as dark ink on light."""
    drawn = from_array(cv2.imdecode(np.frombuffer(png(scribble(3)), np.uint8), cv2.IMREAD_GRAYSCALE))

    assert recognizer.recognize(drawn).latex == recognizer.recognize(1 - drawn).latex
