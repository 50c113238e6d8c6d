"""Logs: structured lines on standard error; standard output belongs to the answer."""

from __future__ import annotations

import logging
import sys
from typing import Any


def configure(*, verbose: bool) -> None:
    """`verbose`: what the services do, line by line; else only what went wrong."""
    _settings["verbose"] = verbose
    _settings["structlog"] = None
    if verbose:
        _structlog()


def get_logger(name: str) -> Logger:
    """A logger of that name: `log.info("event", key=value)`."""
    return Logger(name)


class Logger:
    """Says nothing, and costs nothing, until there is something to say: structlog takes 50 ms to import."""

    def __init__(self, name: str) -> None:
        self._name = name

    def info(self, event: str, **values: Any) -> None:
        _structlog().get_logger(self._name).info(event, **values)

    def warning(self, event: str, **values: Any) -> None:
        _structlog().get_logger(self._name).warning(event, **values)

    def error(self, event: str, **values: Any) -> None:
        _structlog().get_logger(self._name).error(event, **values)


_settings: dict[str, Any] = {"verbose": True, "structlog": None}


def _structlog() -> Any:
    if _settings["structlog"] is None:
        import structlog

        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(
                logging.INFO if _settings["verbose"] else logging.ERROR
            ),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
        _settings["structlog"] = structlog
    return _settings["structlog"]
