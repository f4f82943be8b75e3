"""What a training run logged: log/version_*/metrics.csv, a file for each start and resumption."""

from __future__ import annotations

import csv
from pathlib import Path

from inktex.errors import RunError

Row = dict[str, float]
"""What was logged at one time, by column: ``step``, ``epoch`` and the metrics that have a value."""


def read_log(run: Path) -> list[list[Row]]:
    """Return the rows of each start of a run, the earliest first.

    Raises:
        RunError: a file cannot be read, or is no such log.
    """
    return [_rows(log) for log in sorted(run.glob("log/version_*/metrics.csv"), key=_version)]


def _version(log: Path) -> int:
    number = log.parent.name.removeprefix("version_")
    return int(number) if number.isdigit() else -1


def _rows(log: Path) -> list[Row]:
    rows = []
    try:
        with log.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                if None in row:
                    raise RunError(f"{log} is damaged: line {reader.line_num} has more values than columns")
                rows.append({column: float(value) for column, value in row.items() if value})
    except (OSError, ValueError, csv.Error) as error:
        raise RunError(f"{log} is damaged: {error}") from None
    return rows
