"""The log: a JSON object a line, on standard error. It names no client and holds nothing of what was sent."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

LOGGER = "inktex.service"


class JsonFormatter(logging.Formatter):
    """Writes a record as a JSON object; what stands under ``fields`` becomes keys of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        values: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": record.process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            values["traceback"] = self.formatException(record.exc_info)
        return json.dumps(values, ensure_ascii=False, default=str)


def logging_options(level: str = "INFO") -> dict[str, Any]:
    """Return the options of :func:`logging.config.dictConfig` for the service and for Uvicorn."""
    logger = {"handlers": ["standard error"], "level": level, "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": f"{__name__}.JsonFormatter"}},
        "handlers": {"standard error": {"class": "logging.StreamHandler", "formatter": "json"}},
        "loggers": {LOGGER: logger, "uvicorn": logger},
    }
