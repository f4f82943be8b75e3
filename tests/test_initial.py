"""Starting from another run: other data, new tokens, longer sequences; and from ImageNet weights."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("pyarrow")

import safetensors.torch

from drawn_runs import TINY as SMALL
from drawn_runs import tiny_config, write_formulas
from inktex.errors import ConfigError, DataError, RunError
from inktex.models.families import FAMILIES
from inktex.training.config import OptimizerOptions, TrainConfig
from inktex.training.folder import dump_config, load_run
from inktex.training.module import build_model, model_weights
from inktex.training.run import train
from inktex.training.warm_start import load_imagenet, take_weights
from inktex.vocabulary import SPECIALS, Vocabulary
from tiny_models import TINY

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
OLD = Vocabulary((*SPECIALS, *"abcdef"))
NEW = Vocabulary((*SPECIALS, *"f!edc?ba"))  # the old tokens in another order, and two more


def write_run(folder: Path, config: TrainConfig, vocabulary: Vocabulary) -> Any:
    """Write the files of a run of a network with random weights, and return the network."""
    torch.manual_seed(1)
    model = build_model(config, vocabulary).eval()
    folder.mkdir()
    (folder / "config.yaml").write_text(dump_config(config))
    (folder / "vocabulary.json").write_text(vocabulary.to_json())
    safetensors.torch.save_file(model_weights(model), folder / "weights.safetensors")
    return model


@pytest.mark.parametrize("family", TINY)
def test_a_grown_vocabulary_keeps_what_was_known(family: str, tmp_path: Path) -> None:
    """Whatever their ids, the old tokens' logits are the same, also in a sequence longer than the old network
    could read."""
    before = TrainConfig(family, dataclasses.replace(TINY[family], max_length=5))
    now = TrainConfig(family, dataclasses.replace(TINY[family], max_length=9))
    old = write_run(tmp_path / "old", before, OLD)
    torch.manual_seed(2)
    new = build_model(now, NEW).eval()

    said = take_weights(new, NEW, now, tmp_path / "old")

    label = [OLD.start_id, *OLD.encode("fade")]
    images, padding = (torch.rand(1, 1, 32, 48) > 0.8).float(), torch.zeros(1, 32, 48, dtype=torch.bool)
    expected = old(old.encode(images, padding), torch.tensor([label])).logits
    translated = [NEW.tokens.index(OLD.tokens[token]) for token in label]
    features = new.encode(images, padding)
    longer = new(features, torch.tensor([translated + [NEW.encode("!")[0]] * 4])).logits
    places = [NEW.tokens.index(token) for token in OLD.tokens]
    torch.testing.assert_close(longer[:, :5, places], expected, rtol=1e-6, atol=2e-6)
    assert said == f"weights of {tmp_path / 'old'}: 9 tokens taken over, 2 new (! ?), longest sequence 5 -> 9"


@pytest.mark.parametrize("family", TINY)
def test_new_tokens_begin_with_weights_of_their_own(family: str, tmp_path: Path) -> None:
    """Rows of embedding and output that belong to new tokens are those the network was made with; those of
    known tokens are the old ones, bit for bit."""
    config = TrainConfig(family, TINY[family])
    known = write_run(tmp_path / "old", config, OLD).state_dict()
    torch.manual_seed(2)
    new = build_model(config, NEW)
    fresh = {name: value.clone() for name, value in new.state_dict().items()}

    take_weights(new, NEW, config, tmp_path / "old")

    rows = [index for index, token in enumerate(NEW.tokens) if token not in OLD]
    places = [NEW.tokens.index(token) for token in OLD.tokens]
    checked = 0
    for name, value in new.state_dict().items():
        if value.ndim and value.shape[0] == len(NEW):
            assert torch.equal(value[rows], fresh[name][rows]), name
            assert torch.equal(value[places], known[name]), name
            checked += 1
    assert checked >= 2


def test_other_networks_are_refused(tmp_path: Path) -> None:
    """Another family, another size, and a folder that is no run are each named in one sentence."""
    config = TrainConfig("can", TINY["can"])
    write_run(tmp_path / "old", config, OLD)
    wider = TrainConfig("can", dataclasses.replace(TINY["can"], width=32))
    bare = TrainConfig("can", dataclasses.replace(TINY["can"], counting=False))
    other = TrainConfig("wap", TINY["wap"])

    for wanted, reason in (
        (wider, "of other sizes"),
        (bare, "more parts"),
        (other, "its family is can, not wap"),
    ):
        with pytest.raises(RunError, match=rf"old cannot be started from: .*{reason}"):
            take_weights(build_model(wanted, NEW), NEW, wanted, tmp_path / "old")
    with pytest.raises(RunError, match="nowhere"):
        take_weights(build_model(config, NEW), NEW, config, tmp_path / "nowhere")


def test_a_run_goes_on_with_other_data(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """From formulas of 1, x, + and - to formulas with v: the vocabulary grows, nothing known is lost, and the
    log says what was taken over."""
    first = write_formulas(tmp_path / "first.parquet")
    second = write_formulas(tmp_path / "second.parquet", ("v+1", "v", "1-v", "vv"))
    train(tiny_config(first, epochs=1), tmp_path / "one")
    wanted = dataclasses.replace(
        tiny_config(second, epochs=1, initial=str(tmp_path / "one")),
        model=dataclasses.replace(SMALL, max_length=40),
        optimizer=OptimizerOptions(learning_rate=0.0),
    )

    with caplog.at_level(logging.INFO, "inktex"):
        train(wanted, tmp_path / "two")

    (old, known, _), (new, vocabulary, _) = load_run(tmp_path / "one"), load_run(tmp_path / "two")
    assert vocabulary.tokens == (*known.tokens, "v")
    for name, weight in new.named_parameters():  # they have not moved: the learning rate was 0
        before = old.get_parameter(name)
        assert torch.equal(weight[: len(before)] if before.ndim else weight, before), name
    expected = f"weights of {tmp_path / 'one'}: 7 tokens taken over, 1 new (v), longest sequence 32 -> 40"
    assert expected in caplog.messages


def test_imagenet_weights_need_an_encoder_that_takes_them(tmp_path: Path) -> None:
    """A family without such an encoder says so; with one, a missing file is named; two sources are one too
    many."""
    config = TrainConfig("inktex", TINY["inktex"])
    with pytest.raises(ConfigError, match=r"x\.pth.*inktex takes no ImageNet weights"):
        load_imagenet(build_model(config, NEW), config, Path("x.pth"))
    full = TrainConfig("im2latex", FAMILIES["im2latex"].options())
    with pytest.raises(RunError, match=r"nowhere\.pth"):
        load_imagenet(build_model(full, NEW), full, tmp_path / "nowhere.pth")
    both = tiny_config(write_formulas(tmp_path / "data.parquet"), initial="a", imagenet="b")
    with pytest.raises((ConfigError, RunError)):
        train(both, tmp_path / "run")


def test_nothing_is_read_for_a_run_that_starts_afresh(tmp_path: Path) -> None:
    """Without ``trainer.initial`` the vocabulary is that of the data alone."""
    data = write_formulas(tmp_path / "data.parquet")
    train(tiny_config(data, epochs=1), tmp_path / "run")

    assert load_run(tmp_path / "run")[1] == Vocabulary.build([list("1x+-")])


def test_a_vocabulary_can_be_given(tmp_path: Path) -> None:
    """A list of tokens takes the place of the data's; samples with others are left out."""
    data = write_formulas(tmp_path / "data.parquet")
    (tmp_path / "vocabulary.json").write_text(Vocabulary.build([list("1x+")]).to_json())
    (tmp_path / "bad.json").write_text('["x"]')
    first = tiny_config(data, epochs=1)
    wanted = {
        name: dataclasses.replace(
            first, data=dataclasses.replace(first.data, vocabulary=str(tmp_path / name))
        )
        for name in ("vocabulary.json", "bad.json", "none.json")
    }

    train(wanted["vocabulary.json"], tmp_path / "run")

    assert load_run(tmp_path / "run")[1] == Vocabulary.build([list("1x+")])
    for name in ("bad.json", "none.json"):
        with pytest.raises(DataError, match=name):
            train(wanted[name], tmp_path / name[:-5])
