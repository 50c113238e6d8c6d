"""Logs: structured lines on standard error; standard output belongs to the answer."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure(*, verbose: bool) -> None:
    """`verbose`: what the services do, line by line; else only what went wrong.

    What libraries log comes in the same shape, from warnings on (without `verbose`: errors)."""
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    shape = structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    structlog.configure(
        processors=[*shared, shape],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO if verbose else logging.ERROR),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    handler = logging.StreamHandler(_StandardError())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[_plain, shape], foreign_pre_chain=shared))
    root = logging.getLogger()
    for other in root.handlers[:]:
        if isinstance(other.formatter, structlog.stdlib.ProcessorFormatter):  # of an earlier call
            root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(logging.WARNING if verbose else logging.ERROR)
    # A ring that comes while the last one is still at work is no matter: see `routine`.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _plain(_logger: Any, _name: str, event: Any) -> Any:
    """Without what structlog carries along for itself."""
    return {key: value for key, value in event.items() if not key.startswith("_")}


class _StandardError:
    """Standard error as it is when a line is written."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()
