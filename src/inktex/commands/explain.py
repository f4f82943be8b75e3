"""``inktex explain``: where a model looks while it writes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inktex.commands.output import check_targets
from inktex.errors import BundleError, ConfigError, DataError, RunError
from inktex.files import write_bytes

if TYPE_CHECKING:
    from inktex.visualize.explain import Explanation

_SUFFIXES = (".gif", ".png", ".html")
_LEAST_COUNT = 0.5  # symbols that are counted less often are not there


def add_explain(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex explain``."""
    parser.description = (
        "Show where a model looks while it writes: attention over the picture, token by token, with the "
        "LaTeX so far. A training run can be explained too, which needs PyTorch."
    )
    parser.add_argument("picture", help="a picture, InkML or JSON strokes")
    parser.add_argument(
        "--model",
        metavar="FOLDER",
        help="a model, or a run of 'inktex train', which is read from left to right "
        "(default: the shipped model)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the file to write: .gif an animation, .png all steps in a grid, .html a page to step through",
    )
    parser.add_argument(
        "--counts",
        metavar="PNG",
        help="of a run whose model counts symbols (family can): write where it sees each symbol",
    )


def run_explain(options: Namespace) -> int:
    """Write attention as an animation, a sheet or a page, and counting maps as a sheet."""
    if options.output is None and options.counts is None:
        raise ConfigError("name a file to write: --output FILE, --counts PNG, or both")
    for path, allowed in ((options.output, _SUFFIXES), (options.counts, (".png",))):
        if path is not None and Path(path).suffix.lower() not in allowed:
            raise ConfigError(f"{path} cannot be written: its name must end in {' or '.join(allowed)}")
    check_targets(options.output, options.counts)
    if options.counts is not None:
        data = _counting_sheet(options.model, options.picture)
        write_bytes(options.counts, data)
    if options.output is not None:
        from inktex.latex.readable import readable

        explanation = _explanation(options.model, options.picture)
        if not explanation.tokens:
            raise DataError(f"{options.picture}: the model reads nothing there, so there is nothing to show")
        write_bytes(options.output, _drawn(options.output, Path(options.picture).name, explanation))
        print(readable(explanation.tokens))
    return 0


def _drawn(path: str, name: str, explanation: Explanation) -> bytes:
    """Return the file that the suffix of its name asks for."""
    suffix = Path(path).suffix.lower()
    if suffix == ".html":
        from inktex.pages.attention import attention_page

        return attention_page(f"Inktex: {name}", explanation).encode()
    from inktex.visualize.attention import attention_frames, attention_sheet, encode_gif

    if suffix == ".gif":
        return encode_gif(attention_frames(explanation))
    return _png(attention_sheet(explanation))


def _png(picture: Any) -> bytes:
    import cv2

    return bytes(cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1])


def _is_run(model: str | None) -> bool:
    """Tell a training run from a model.

    Raises:
        BundleError: the folder is neither.
    """
    if model is None or (Path(model) / "model.json").is_file():
        return False
    if (Path(model) / "config.yaml").is_file():
        return True
    raise BundleError(
        f"{model} is neither a model nor a training run: it holds no model.json and no config.yaml"
    )


def _explanation(model: str | None, source: str) -> Explanation:
    from inktex.visualize.explain import explain

    if not _is_run(model):
        from inktex.recognition.recognizer import Recognizer

        return explain(Recognizer(model), source)
    return _run_explanation(Path(str(model)), source)


def _run_explanation(folder: Path, source: str) -> Explanation:
    """Search the network of a run from left to right, which every family can, and follow what is found."""
    import numpy as np

    from inktex.decoding.options import SearchOptions
    from inktex.decoding.search import search
    from inktex.recognition.inputs import canonical_pictures
    from inktex.training.folder import load_run
    from inktex.training.stepper import TorchStepper
    from inktex.visualize.explain import follow

    network, vocabulary, config = load_run(folder)
    picture = canonical_pictures(source, (config.data.symbol_px,))[0].picture
    limit = config.model.max_length
    (found,) = search(
        TorchStepper(network, limit),
        picture[None, None],
        np.zeros((1, *picture.shape), np.bool_),
        vocabulary.start_id,
        vocabulary.end_id,
        vocabulary.unwritten,
        SearchOptions(max_length=limit),
    )
    tokens = vocabulary.decode(found[0].tokens)
    return follow(TorchStepper(network, limit), vocabulary, network.stride, picture, tokens)


def _counting_sheet(model: str | None, source: str) -> bytes:
    """Return the counting maps of the symbols that the network of a run sees, as a PNG.

    Raises:
        ConfigError: the model is no run.
        RunError: the network does not count.
        DataError: it sees no symbol.
    """
    if not _is_run(model):
        raise ConfigError("--counts needs the run of a model that counts: name its folder with --model")
    import torch

    from inktex.recognition.inputs import canonical_pictures
    from inktex.training.folder import load_run
    from inktex.training.objective import UNCOUNTED
    from inktex.visualize.counting import CountingMap, counting_sheet
    from inktex.vocabulary import SPECIALS

    network, vocabulary, config = load_run(Path(str(model)))
    counting: Any = getattr(network, "counting_maps", None)
    picture = canonical_pictures(source, (config.data.symbol_px,))[0].picture
    with torch.no_grad():
        features = network.encode(
            torch.from_numpy(picture)[None, None], torch.zeros(1, *picture.shape, dtype=torch.bool)
        )
        if counting is None or features.counts is None:
            raise RunError(f"{model} does not count symbols: --counts is for runs of the family can")
        values = counting(features)[0].unflatten(1, features.grid).numpy()  # [v, rows, columns]
    seen = [
        CountingMap(token, float(value.sum()), value)
        for token, value in zip(vocabulary.tokens, values, strict=True)
        if token not in (*SPECIALS, *UNCOUNTED) and value.sum() >= _LEAST_COUNT
    ]
    if not seen:
        raise DataError(f"{source}: the model counts no symbol there")
    return _png(counting_sheet(picture, network.stride, seen))
