"""The command line: the table of commands, and what they have in common."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from inktex import __version__
from inktex.commands import (
    archive,
    average,
    calibration,
    curves,
    data,
    describe,
    explain,
    export,
    labels,
    recognition,
    scoring,
    serve,
    symbols,
    synthesis,
    training,
)
from inktex.errors import ConfigError, InktexError

_USER_ERROR = 2
_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
_BROKEN_PIPE = 141  # 128 + SIGPIPE
_EXTRAS = {  # what a command may need besides the base install, and the extra that brings it
    "pyarrow": "data",
    "torch": "train",
    "lightning": "train",
    "tensorboard": "train",
    "matplotlib": "train",
    "safetensors": "train",
    "onnx": "train",
    "docx": "docx",
    "fastapi": "serve",
    "uvicorn": "serve",
    "prometheus_client": "serve",
    "python_multipart": "serve",
    "segno": "serve",
}


@dataclass(frozen=True)
class Command:
    """One command of the table.

    Attributes:
        name: what the user types after ``inktex``.
        summary: one line for the help.
        add_arguments: declares the options; only called when the command is the one that was typed.
        run: does the work and returns the exit code.
    """

    name: str
    summary: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


COMMANDS: tuple[Command, ...] = (
    Command(
        "recognize",
        "Read pictures or pen strokes and print LaTeX.",
        recognition.add_recognize,
        recognition.run_recognize,
    ),
    Command(
        "serve",
        "Serve recognition over HTTP, with a page to write on.",
        serve.add_serve,
        serve.run_serve,
    ),
    Command(
        "evaluate",
        "Measure a model on a data set.",
        recognition.add_evaluate,
        recognition.run_evaluate,
    ),
    Command(
        "score",
        "Score anyone's predictions, without a model.",
        scoring.add_score,
        scoring.run_score,
    ),
    Command(
        "compare",
        "Compare two models on the same items.",
        scoring.add_compare,
        scoring.run_compare,
    ),
    Command(
        "explain",
        "Show where a model looks while it writes.",
        explain.add_explain,
        explain.run_explain,
    ),
    Command(
        "import",
        "Turn a data set of the field into a Parquet file.",
        data.add_import,
        data.run_import,
    ),
    Command(
        "export-data",
        "Write a Parquet file as one of the field's data sets.",
        data.add_export_data,
        data.run_export_data,
    ),
    Command(
        "labels",
        "Cut labels into tokens, make vocabularies, report what they lack.",
        labels.add_labels,
        labels.run_labels,
    ),
    Command(
        "describe",
        "Count what a Parquet file holds.",
        describe.add_describe,
        describe.run_describe,
    ),
    Command(
        "symbols",
        "Turn collections of single symbols into a library to write with.",
        symbols.add_symbols,
        symbols.run_symbols,
    ),
    Command(
        "synthesize",
        "Write new samples with the ink of others, or cut out their sub-expressions.",
        synthesis.add_synthesize,
        synthesis.run_synthesize,
    ),
    Command(
        "train",
        "Train a model, or go on with an interrupted run.",
        training.add_train,
        training.run_train,
    ),
    Command(
        "curves",
        "Draw how runs were trained.",
        curves.add_curves,
        curves.run_curves,
    ),
    Command(
        "average",
        "Write the mean of several runs' weights.",
        average.add_average,
        average.run_average,
    ),
    Command(
        "archive",
        "Keep a run's weights in half precision, to go on from.",
        archive.add_archive,
        archive.run_archive,
    ),
    Command(
        "export",
        "Turn a training run into a model that 'inktex recognize' reads.",
        export.add_export,
        export.run_export,
    ),
    Command(
        "calibrate",
        "Measure what a model's confidence is worth, and note it in the model.",
        calibration.add_calibrate,
        calibration.run_calibrate,
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code: 0, or 2 for whatever the user can put right."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except InktexError as error:
        print(f"inktex: error: {error}", file=sys.stderr)
        return _USER_ERROR
    except ModuleNotFoundError as error:
        print(f"inktex: error: {_missing_extra(error, arguments[0])}", file=sys.stderr)
        return _USER_ERROR
    except KeyboardInterrupt:
        print("inktex: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output is gone; without this Python complains once more while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except SystemExit as leaving:  # --help of a command
        return leaving.code if isinstance(leaving.code, int) else _USER_ERROR


def _dispatch(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_usage(), file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else _USER_ERROR
    if arguments[0] == "--version":
        print(f"inktex {__version__}")
        return 0
    command = next((command for command in COMMANDS if command.name == arguments[0]), None)
    if command is None:
        known = ", ".join(command.name for command in COMMANDS)
        raise ConfigError(f"there is no command {arguments[0]!r}; the commands are: {known}")
    return command.run(_parse(command, arguments[1:]))


def _usage() -> str:
    width = max(len(command.name) for command in COMMANDS)
    lines = [f"  {command.name:<{width}}  {command.summary}" for command in COMMANDS]
    return "\n".join(
        (
            "usage: inktex [--help | --version] COMMAND ...",
            "",
            "Handwritten mathematics in (a picture or pen strokes), LaTeX out.",
            "",
            "commands:",
            *lines,
            "",
            "'inktex COMMAND --help' lists the options of a command.",
        )
    )


class _Parser(ArgumentParser):
    """A parser whose complaints are errors of ours."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving the program."""
        raise ConfigError(f"{' '.join(message.split())} (see '{self.prog} --help')")

    def refuse(self, argument: str) -> NoReturn:
        """Complain of an argument that no option takes, and name the options there are."""
        name = argument.partition("=")[0]
        if not name.startswith("-"):
            self.error(f"unexpected argument {argument!r}")
        options = sorted(option for option in self._option_string_actions if option.startswith("--"))
        section = name.partition(".")[0] + "."
        near = [option for option in options if option.startswith(section)]
        if not near:  # the options themselves, and of those with a dot the sections
            near = [option.partition(".")[0] + (".*" if "." in option else "") for option in options]
        self.error(f"there is no option {name}; there are: {', '.join(dict.fromkeys(near))}")


def _parse(command: Command, arguments: Sequence[str]) -> Namespace:
    parser = _Parser(prog=f"inktex {command.name}", description=command.summary, allow_abbrev=False)
    command.add_arguments(parser)
    options, others = parser.parse_known_intermixed_args(arguments)
    if others:
        parser.refuse(others[0])
    return options


def _missing_extra(error: ModuleNotFoundError, command: str) -> str:
    """Return the sentence that names the extra to install; raise an error that is a fault of ours again."""
    module = (error.name or "").partition(".")[0]
    if module not in _EXTRAS:
        raise error
    extra = _EXTRAS[module]
    return f"'inktex {command}' needs {module}, which is not installed: pip install \"inktex[{extra}]\""


if __name__ == "__main__":
    sys.exit(main())
