"""Models made by hand whose checksums are right and whose content is not: each is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from inktex.errors import BundleError, ConfigError
from inktex.recognition.bundle import Bundle, load_bundle
from inktex.recognition.recognizer import Recognizer
from inktex.vocabulary import Vocabulary

onnx = pytest.importorskip("onnx")

SHIPPED = Path(__file__).parents[1] / "src/inktex/weights"


def with_tokens(bundle: Bundle, *tokens: str) -> Bundle:
    """The same graphs with another vocabulary."""
    return replace(bundle, vocabulary=Vocabulary.build([tokens]))


def with_metadata(bundle: Bundle, **changes: Any) -> Bundle:
    """The same graphs, of which something else is said."""
    return replace(bundle, metadata=replace(bundle.metadata, **changes))


def with_step(bundle: Bundle, change: Callable[[Any], None]) -> Bundle:
    """Another step graph."""
    graph = onnx.load_from_string(bundle.step)
    change(graph.graph)
    return replace(bundle, step=graph.SerializeToString())


def rename_attention(graph: Any) -> None:
    """Give an output another name."""
    for node in graph.node:
        for place, name in enumerate(node.output):
            if name == "attention":
                node.output[place] = "looks"
        for place, name in enumerate(node.input):
            if name == "attention":
                node.input[place] = "looks"
    (output,) = (each for each in graph.output if each.name == "attention")
    output.name = "looks"


def spoil_logits(graph: Any) -> None:
    """Divide zero by zero where the logits were."""
    for node in graph.node:
        for place, name in enumerate(node.output):
            if name == "logits":
                node.output[place] = "sound"
    nothing = onnx.helper.make_node("Sub", ["sound", "sound"], ["nothing"])
    graph.node.extend([nothing, onnx.helper.make_node("Div", ["nothing", "nothing"], ["logits"])])


@dataclass(frozen=True)
class Damage:
    """A kind of damage, and what the error has to say."""

    make: Callable[[Bundle], Bundle]
    said: str


DAMAGES = {
    "too few tokens": Damage(
        lambda bundle: with_tokens(bundle, *"abcdefg"), "vocabulary has 10 tokens, and the graphs write 11"
    ),
    "too many tokens": Damage(
        lambda bundle: with_tokens(bundle, *"abcdefghi"), "vocabulary has 12 tokens, and the graphs write 11"
    ),
    "twice the stride": Damage(
        lambda bundle: with_metadata(bundle, stride=16),
        "stride of 16 px, 64 x 16 px are 4 positions, and the graphs have 16",
    ),
    "half the stride": Damage(lambda bundle: with_metadata(bundle, stride=4), "stride of 4 px"),
    "graphs exchanged": Damage(
        lambda bundle: replace(bundle, encoder=bundle.step, step=bundle.encoder), "do not run together"
    ),
    "an output missing": Damage(lambda bundle: with_step(bundle, rename_attention), "do not run together"),
    "not a number": Damage(lambda bundle: with_step(bundle, spoil_logits), "compute what is not a number"),
    "no graph": Damage(lambda bundle: replace(bundle, step=b"step"), "step.onnx is no graph"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_model_that_is_not_what_it_says_is_refused(tiny_bundle: Path, tmp_path: Path, kind: str) -> None:
    """The error names the folder and says what is wrong, in one line."""
    damage = DAMAGES[kind]
    damage.make(load_bundle(tiny_bundle)).save(tmp_path / "damaged")

    with pytest.raises(BundleError, match=damage.said) as error:
        Recognizer(tmp_path / "damaged", threads=1)

    assert str(error.value).startswith(str(tmp_path / "damaged"))
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="no model ships in src/inktex/weights")
def test_graphs_of_two_models_are_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    """The encoder of one model and the step of a wider one do not go together."""
    replace(load_bundle(tiny_bundle), step=load_bundle(SHIPPED).step).save(tmp_path / "mixed")

    with pytest.raises(BundleError, match="mixed: its graphs do not run together"):
        Recognizer(tmp_path / "mixed", threads=1)


def test_a_sound_model_is_not_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    """The same model without damage loads, also where it reads from left to right alone."""
    bundle = load_bundle(tiny_bundle)
    one_way = with_metadata(bundle, both_ways=False, search=replace(bundle.metadata.search, both_ways=False))
    one_way.save(tmp_path / "one")

    Recognizer(tiny_bundle, threads=1)
    Recognizer(tmp_path / "one", threads=1)


def test_a_model_of_one_way_is_not_read_both_ways(tiny_bundle: Path, tmp_path: Path) -> None:
    """Whoever asks a model for a direction that it was not trained in is told so."""
    bundle = load_bundle(tiny_bundle)
    with_metadata(bundle, both_ways=False, search=replace(bundle.metadata.search, both_ways=False)).save(
        tmp_path / "one"
    )

    with pytest.raises(ConfigError, match="left to right alone") as error:
        Recognizer(tmp_path / "one", threads=1, both_ways=True)

    assert str(tmp_path / "one") in str(error.value)
