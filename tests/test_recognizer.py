import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drawn import png, scribble
from inktex.errors import BundleError, ConfigError, ImageError, InkError, InktexError
from inktex.image.canonical import from_array
from inktex.ink.inkml import InkDocument, write_inkml
from inktex.ink.strokes import ink_to_json
from inktex.latex.readable import readable
from inktex.recognition.bundle import load_bundle
from inktex.recognition.inputs import canonical_pictures
from inktex.recognition.metadata import Calibration, SecondLook
from inktex.recognition.recognizer import Recognizer, _Reading
from inktex.vocabulary import Vocabulary

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "src/inktex/weights/model.json"
CROHME = ROOT.parent / "shared/data/crohme/inkml_test2013.zip"


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
    inkml, lists = write_inkml(InkDocument(ink)), ink_to_json(ink).encode()
    for name, data in {"a.inkml": inkml, "a.json": lists, "b.txt": inkml, "c": lists}.items():
        (tmp_path / name).write_bytes(data)
    sources = [ink, inkml, lists, b"\xef\xbb\xbf \n" + lists, *sorted(tmp_path.iterdir())]

    canonical = [canonical_pictures(source, [16.0])[0] for source in sources]

    for picture, area in canonical[1:]:
        np.testing.assert_allclose(picture, canonical[0].picture, atol=0.02)
        assert area == pytest.approx(canonical[0].area, abs=0.1)


def test_ink_takes_the_path_of_its_picture() -> None:
    """Strokes and the picture drawn of them become nearly the same canonical picture."""
    ink = scribble(2)

    strokes, drawn = (canonical_pictures(each, [16.0])[0].picture for each in (ink, png(ink)))

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
    """LaTeX is the tokens made readable; confidences are probabilities; all readings differ."""
    for recognition in recognizer.recognize_many([scribble(seed) for seed in range(8)]):
        assert recognition.latex == readable(recognition.tokens)
        assert all(other.latex == readable(other.tokens) for other in recognition.alternatives)
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


EVERYTHING = {"width": 1, "at_least": 0.0, "max_tokens": 100, "max_symbols": 1000.0}  # is looked at again


def changed(
    bundle_folder: Path, folder: Path, symbol_px: float = 16.0, look: SecondLook | None = None
) -> Path:
    """Write a bundle that wants pictures of another size, or has a second look."""
    bundle = load_bundle(bundle_folder)
    metadata = replace(bundle.metadata, symbol_px=symbol_px, second_look=look)
    replace(bundle, metadata=metadata).save(folder)
    return folder


def test_a_model_is_shown_symbols_of_the_size_it_wants(tiny_bundle: Path, tmp_path: Path) -> None:
    """A model of 24 px reads a picture as one of 16 px reads the same canonical picture made 24 px large."""
    large = Recognizer(changed(tiny_bundle, tmp_path / "24", 24.0), threads=1)
    usual = Recognizer(tiny_bundle, threads=1)

    (picture,) = canonical_pictures(scribble(3), [24.0])

    assert large.recognize(scribble(3)) == usual._read([[picture]], details=False)[0]


@pytest.mark.parametrize("axis", [0, 1], ids=["tall", "wide"])
def test_the_largest_pictures_are_read_at_any_size(axis: int, tiny_bundle: Path, tmp_path: Path) -> None:
    """A hundred rings in a column or row fill the largest picture there is, however large symbols are."""
    ring = cv2.circle(np.full((40, 40), 255, np.uint8), (20, 20), 10, 0, 2)
    many = np.concatenate([ring] * 100, axis)
    large = Recognizer(changed(tiny_bundle, tmp_path / "40", 40.0), threads=1)
    (canonical,) = canonical_pictures(many, [40.0])

    assert max(canonical.picture.shape) >= (900, 2400)[axis]
    assert 0 < large.recognize(many).confidence <= 1


@pytest.mark.parametrize(("symbol_px", "scale"), [(2.0, 1.0), (300.0, 1.0), (16.0, 9.0)])
def test_symbols_of_impossible_sizes_are_refused(
    symbol_px: float, scale: float, tiny_bundle: Path, tmp_path: Path
) -> None:
    """The error names the size."""
    look = SecondLook(1.0, below=0.5, **EVERYTHING)  # type: ignore[arg-type]
    path = changed(tiny_bundle, tmp_path / "odd", look=look) / "model.json"
    description = json.loads(path.read_text())
    description["symbol_px"], description["second_look"]["scale"] = symbol_px, scale
    path.write_text(json.dumps(description))

    with pytest.raises(BundleError, match=f"{symbol_px * scale:g} px"):
        Recognizer(path.parent)


def test_doubtful_pictures_are_looked_at_again(tiny_bundle: Path, tmp_path: Path) -> None:
    """Between the bounds a reading has the mean of its confidence in both looks, the second greedy; not so
    long ones, and those of large pictures."""
    single = Recognizer(tiny_bundle, threads=1)
    sources = [scribble(seed) for seed in range(12)]
    first = single.recognize_many(sources)
    greedy = Recognizer(changed(tiny_bundle, tmp_path / "larger", 20.0), threads=1, width=1)
    larger = greedy.recognize_many(sources)
    hopeless, bound = np.quantile([each.confidence for each in first], (0.2, 0.7)).tolist()
    doubtful = [index for index, each in enumerate(first) if hopeless <= each.confidence < bound]
    longest = max(len(first[index].tokens) for index in doubtful) - 1
    areas = [canonical_pictures(source, [16.0])[0].picture.size / 16**2 for source in sources]
    largest = max(areas[index] for index in doubtful if len(first[index].tokens) <= longest)
    look = SecondLook(1.25, 1, bound, hopeless, longest, float(np.nextafter(largest, 0)))
    twice = Recognizer(changed(tiny_bundle, tmp_path / "twice", look=look), threads=1)

    found = twice.recognize_many(sources)

    again = [index for index in doubtful if len(first[index].tokens) <= longest and areas[index] < largest]
    assert 0 < len(again) < len(doubtful) < len(sources)
    for index, (one, other) in enumerate(zip(first, larger, strict=True)):
        if index not in again:
            assert found[index] == one
            continue
        expected = Counter[str]()
        for each in (one, other):
            for latex, confidence in ((each.latex, each.confidence), *vars_of(each.alternatives)):
                expected[latex] += confidence / 2
        answers = [(found[index].latex, found[index].confidence), *vars_of(found[index].alternatives)]
        best = expected.most_common(len(answers))
        assert [confidence for _, confidence in answers] == pytest.approx(
            [value for _, value in best], abs=1e-6
        )
        assert all(expected[latex] == pytest.approx(confidence, abs=1e-6) for latex, confidence in answers)


def vars_of(alternatives: Iterable[Any]) -> list[tuple[str, float]]:
    """LaTeX and confidence of alternatives."""
    return [(each.latex, each.confidence) for each in alternatives]


def test_confidence_follows_the_curve_of_the_model(tiny_bundle: Path) -> None:
    """The best reading has the value of the curve; the others keep their proportions, within what is left."""
    bundle = load_bundle(tiny_bundle)
    curve = Calibration(1.5, 0.4, 0.05, 0.3)
    plain = Recognizer(bundle, threads=1, width=4).recognize(scribble(0))
    calibrated = Recognizer(
        replace(bundle, metadata=replace(bundle.metadata, calibration=curve)), threads=1, width=4
    )

    found = calibrated.recognize(scribble(0))

    raw = [plain.confidence, *(each.confidence for each in plain.alternatives)]
    told = [found.confidence, *(each.confidence for each in found.alternatives)]
    assert found.tokens == plain.tokens
    assert told[0] == pytest.approx(curve.confidence(raw[0], len(found.tokens)))
    assert sum(told) <= 1 + 1e-9
    assert np.array(told[1:]) / told[1] == pytest.approx(np.array(raw[1:]) / raw[1])


def test_a_second_look_can_be_left_out_but_not_made_up(tiny_bundle: Path, tmp_path: Path) -> None:
    """Without it the first look counts alone; a model that was not tuned for one has none to offer."""
    look = SecondLook(1.25, below=1.0, **EVERYTHING)  # type: ignore[arg-type]
    folder = changed(tiny_bundle, tmp_path / "twice", look=look)

    alone = Recognizer(folder, threads=1, second_look=False).recognize(scribble(1))

    assert alone == Recognizer(tiny_bundle, threads=1).recognize(scribble(1))
    with pytest.raises(ConfigError, match="second look"):
        Recognizer(tiny_bundle, second_look=True)


def test_greedy_and_one_way_are_options(tiny_bundle: Path) -> None:
    """Width 1 in one direction gives no alternatives."""
    recognizer = Recognizer(tiny_bundle, threads=1, width=1, both_ways=False)

    assert recognizer.recognize(scribble(0)).alternatives == ()


def test_threads_share_a_recognizer(recognizer: Recognizer) -> None:
    """Four threads that read different things at once, bad pictures among them, get the usual answers."""
    sources = [*(scribble(seed, 1 + seed % 5) for seed in range(6)), png(scribble(7)), png(scribble(8))[:-40]]
    expected = dict(recognizer.recognize_each(sources, details=True))
    level = cv2.utils.logging.getLogLevel()

    def read(first: int) -> dict[int, Any]:
        order = [(first + number) % len(sources) for number in range(len(sources))]
        found = recognizer.recognize_each((sources[number] for number in order), details=True)
        return {order[index]: result for index, result in found}

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(read, [0, 3, 5, 7] * 2))

    for answer in answers:
        for number, result in expected.items():
            if isinstance(result, InktexError):
                assert str(answer[number]) == str(result)
            else:
                assert answer[number].tokens == result.tokens
                assert answer[number].confidence == pytest.approx(result.confidence, abs=1e-6)
                assert len(answer[number].details) == len(result.details)
    assert cv2.utils.logging.getLogLevel() == level


def test_readings_of_one_latex_are_one(tiny_bundle: Path) -> None:
    """Sequences that differ in braces that change nothing are one reading, as probable as the best."""
    vocabulary = Vocabulary.build([["a", "b", "{", "}"]])
    bundle = replace(load_bundle(tiny_bundle), vocabulary=vocabulary)
    reader = copy(Recognizer(tiny_bundle, threads=1, grammar=False))
    reader.bundle = bundle
    ids = [tuple(vocabulary.encode(text.split())) for text in ("{ a }", "a", "b", "{ { a } }", "{ b }")]

    read = reader._recognition([_Reading(each, 0.3 - 0.05 * place) for place, each in enumerate(ids)])

    assert (read.latex, read.tokens, read.confidence) == ("a", ("{", "a", "}"), 0.3)
    assert [(each.latex, each.tokens) for each in read.alternatives] == [("b", ("b",))]


@pytest.mark.skipif(not (CROHME.exists() and SHIPPED.exists()), reason="CROHME or the model is not at hand")
def test_real_pictures_are_read_the_same_together_and_alone() -> None:
    """32 pictures of CROHME 2013 in one call have the tokens and within 1e-4 the confidence of each alone."""
    pytest.importorskip("pyarrow")
    from inktex.data.dataset import Sample
    from inktex.data.formats.sources import read_source

    samples = (item for item in read_source(CROHME) if isinstance(item, Sample))
    inks = [sample.ink for sample in islice(samples, 32)]
    reader = Recognizer()

    together = reader.recognize_many(inks)

    for ink, answer in zip(inks, together, strict=True):
        alone = reader.recognize(ink)
        assert answer.tokens == alone.tokens
        assert answer.confidence == pytest.approx(alone.confidence, abs=1e-4)


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
