"""``inktex export``: from a run to a model that can be used."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from inktex.commands.output import add_json, check_targets, write_json
from inktex.errors import BundleError, ConfigError, DataError, InktexError

if TYPE_CHECKING:
    from inktex.decoding.options import SearchOptions
    from inktex.image.box import FloatArray
    from inktex.recognition.metadata import Metadata, SecondLook
    from inktex.training.config import TrainConfig

_EXAMPLES = 200  # expressions that show how large values get


def add_export(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex export``."""
    parser.add_argument("run", help="a run folder made by 'inktex train'")
    parser.add_argument("out", help="the model folder to write")
    parser.add_argument(
        "--weights",
        choices=("int4", "int8", "float32"),
        default="int8",
        help="how weights are stored; but for --eight-bit, they are computed with as float32 (default: int8; "
        "int4 takes half the space)",
    )
    parser.add_argument(
        "--eight-bit",
        metavar="DATA",
        help="compute the encoder's large convolutions and products in 8 bits, which takes less time; how "
        f"large values get is measured on {_EXAMPLES} expressions of DATA, a Parquet file made by 'inktex "
        "import'",
    )
    parser.add_argument(
        "--licence", default="", metavar="TEXT", help="licence of the weights, noted in the model"
    )
    add_search(parser)
    parser.add_argument("--force", action="store_true", help="replace a model that is there already")
    add_json(parser)


def add_search(parser: ArgumentParser) -> None:
    """Declare how the model is to be searched, which is noted in it."""
    parser.add_argument(
        "--no-grammar",
        action="store_true",
        help="for labels in another dialect: allow any sequence of tokens",
    )
    parser.add_argument(
        "--width", type=int, default=3, metavar="N", help="hypotheses kept for a picture (default: 3)"
    )
    parser.add_argument(
        "--prune",
        type=float,
        default=0.05,
        metavar="SHARE",
        help="drop hypotheses whose probability is below this share of the best one's (default: 0.05)",
    )
    parser.add_argument(
        "--rescore-above",
        type=float,
        default=0.007,
        metavar="P",
        help="where the directions differ, let both score all that was found only if one gives its best this "
        "probability at least (default: 0.007)",
    )
    parser.add_argument(
        "--second-look",
        nargs=2,
        type=float,
        metavar=("SCALE", "BELOW"),
        help="show again, SCALE times as large, what is read with a probability below BELOW",
    )
    parser.add_argument(
        "--second-look-bounds",
        nargs=3,
        type=float,
        default=(0.001, 17, 40),
        metavar=("P", "TOKENS", "SYMBOLS"),
        help="but not readings of a probability below P or of more than TOKENS tokens, nor pictures that "
        "cover more than SYMBOLS areas of a typical symbol (default: 0.001 17 40)",
    )


def run_export(options: Namespace) -> int:
    """Write a run's kept weights as a bundle, checked against PyTorch."""
    from inktex.export.onnx import export
    from inktex.training.folder import load_run

    check_targets(options.json)
    run, out = Path(options.run), Path(options.out)
    if not options.force and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise BundleError(f"{out} exists: name a new folder, or replace a model there by --force")
    model, vocabulary, config = load_run(run)
    metadata = _metadata(run, config, model.stride, options)
    examples = _examples(options.eight_bit, metadata.symbol_px) if options.eight_bit else []
    bundle = export(model, vocabulary, metadata, out, options.weights, examples)
    size = sum(file.stat().st_size for file in out.iterdir())
    found = bundle.metadata
    stored = f", within {found.storage_deviation:.0e} as stored" if found.storage_deviation else ""
    print(
        f"{out}: {found.parameters:,} weights, {size / 1e6:.1f} MB; "
        f"logits within {found.deviation:.0e} of PyTorch's{stored}"
    )
    if options.json:
        names = ("parameters", "weights", "deviation", "storage_deviation")
        write_json(options.json, {"bytes": size, **{name: getattr(found, name) for name in names}})
    return 0


def _examples(path: str, symbol_px: float) -> list[FloatArray]:
    """Return canonical pictures of expressions from all over a data set."""
    from inktex.data.dataset import read_dataset
    from inktex.recognition.inputs import canonical_pictures

    samples = read_dataset(path)
    pictures = []
    for sample in samples[:: max(1, len(samples) // _EXAMPLES)][:_EXAMPLES]:
        with contextlib.suppress(InktexError):
            pictures.append(canonical_pictures(sample.given, [symbol_px])[0].picture)
    if not pictures:
        raise DataError(f"{path} has no expression that can be read")
    return pictures


def _metadata(run: Path, config: TrainConfig, stride: int, options: Namespace) -> Metadata:
    from inktex.recognition.metadata import Metadata

    plain = json.loads(json.dumps(dataclasses.asdict(config)))  # lists for tuples, as they will be read back
    model = plain.pop("model")
    # Names of files, not where they were on this machine.
    for key in ("train", "extra"):
        plain["data"][key] = [Path(path).name for path in plain["data"][key]]
    files = (
        *(("data", key) for key in ("validation", "labels", "vocabulary")),
        *(("trainer", key) for key in ("initial", "imagenet", "teacher")),
    )
    for section, key in files:
        plain[section][key] = Path(plain[section][key]).name if plain[section][key] else None
    training = {"config": plain, "metrics": _kept_metrics(run, config.trainer.monitor)}
    try:
        return Metadata(
            family=config.family,
            max_length=config.model.max_length,
            symbol_px=config.data.symbol_px,
            stride=stride,
            both_ways=config.batch.both_ways,
            licence=options.licence,
            options=model,
            training=training,
            search=_search(config.batch.both_ways, options),
            second_look=_second_look(options),
        )
    except (ValueError, OverflowError) as error:  # infinitely many tokens
        raise ConfigError(f"{run} cannot be exported so: {error}") from None


def _search(both_ways: bool, options: Namespace) -> SearchOptions:
    from inktex.decoding.options import SearchOptions

    return SearchOptions(
        width=options.width,
        prune=options.prune,
        both_ways=both_ways,
        grammar=not options.no_grammar,
        rescore_above=options.rescore_above,
    )


def _second_look(options: Namespace) -> SecondLook | None:
    from inktex.recognition.metadata import SecondLook

    if options.second_look is None:
        return None
    scale, below = options.second_look
    if not (0.5 <= scale <= 2 and 0 < below <= 1):
        raise ConfigError(
            f"--second-look takes a scale from 0.5 to 2 and a probability, not {scale:g} {below:g}"
        )
    at_least, max_tokens, max_symbols = options.second_look_bounds
    return SecondLook(scale, 1, below, at_least, int(max_tokens), max_symbols)


def _kept_metrics(run: Path, monitor: str) -> dict[str, float]:
    """Return what was measured when the kept weights were, those of the best ``monitor``; without a
    validation, the last of each metric."""
    from inktex.training.config import MONITORS
    from inktex.training.run_log import read_log

    decides = f"val/{monitor}"
    rows = [row for start in read_log(run) for row in start]
    validated = [row for row in rows if decides in row]
    if validated:
        return max(validated, key=lambda row: row[decides] * MONITORS[monitor])
    return {key: value for row in rows for key, value in row.items()}
