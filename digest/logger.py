"""A logger that costs nothing until it speaks: structlog takes 50 ms to import, and most commands are silent."""

from __future__ import annotations

from typing import Any


class Logger:
    """`log.info("event", key=value)`. A process that has not configured its logs says only what went wrong."""

    def __init__(self, name: str) -> None:
        self._name = name

    def info(self, event: str, **values: Any) -> None:
        self._logger().info(event, **values)

    def warning(self, event: str, **values: Any) -> None:
        self._logger().warning(event, **values)

    def error(self, event: str, **values: Any) -> None:
        self._logger().error(event, **values)

    def _logger(self) -> Any:
        import structlog

        if not structlog.is_configured():
            from digest.logs import configure

            configure(verbose=False)
        return structlog.get_logger(self._name)
