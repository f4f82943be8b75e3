"""``inktex curves``: how runs were trained."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from inktex.commands.output import check_targets
from inktex.errors import ConfigError
from inktex.files import write_bytes

_SUFFIXES = (".png", ".svg", ".html")


def add_curves(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex curves``."""
    parser.description = (
        "Draw the curves of one or several training runs: loss, WER and CER, ExpRate and learning rate."
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="the folder of a run of 'inktex train'")
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the file to write: .png, .svg or .html"
    )


def run_curves(options: Namespace) -> int:
    """Draw runs into one picture, and print what each reached."""
    form = Path(options.output).suffix.lower()
    if form not in _SUFFIXES:
        raise ConfigError(f"{options.output} cannot be drawn: its name must end in {' or '.join(_SUFFIXES)}")
    check_targets(options.output)
    from inktex.pages.curves import curves_page, draw_curves, read_history

    histories = [read_history(Path(run)) for run in options.runs]
    if form == ".html":
        data = curves_page(histories).encode()
    else:
        data = draw_curves(histories, form.removeprefix("."))
    write_bytes(options.output, data)
    for run, history in zip(options.runs, histories, strict=True):
        best = history.best
        reached = "" if best is None else f", best ExpRate {best[1]:.2f} % after {best[0]:,}"
        print(f"{run}: {history.updates:,} updates{reached}")
    return 0
