"""Threads that do one thing again and again, and outlive whatever goes wrong in it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from digest.errors import DigestError

log = structlog.get_logger("digest.serve")

AFTER_TROUBLE = 30.0
"""Seconds before what went wrong is tried again; a doorbell comes earlier."""


def attempt(what: str, do: Callable[[], None]) -> bool:
    """Do it, or log why it could not be done. Whether it could."""
    try:
        do()
    except (DigestError, OSError) as error:
        log.error(what, reason=" ".join(str(error).split()))  # noqa: TRY400 - its sentence says it all
    except Exception:  # a fault of ours must not end the service; it is logged whole
        log.exception(what, reason="unexpected; please report it")
    else:
        return True
    return False


class Rounds:
    """A thread that does `do`, rests for `rest` seconds or until the doorbell, and so on, until it is stopped."""

    def __init__(self, what: str, do: Callable[[], None], *, rest: float) -> None:
        self.what = what
        self._do = do
        self._rest = rest
        self._stopping = threading.Event()
        self._doorbell = threading.Event()
        self._thread = threading.Thread(target=self._go, name=what)

    def start(self) -> None:
        self._thread.start()

    def ring(self) -> None:
        """There is something to do: rest no longer."""
        self._doorbell.set()

    def stop(self) -> None:
        """The round that is going ends by itself; there is no other after it."""
        self._stopping.set()
        self._doorbell.set()

    def join(self) -> None:
        if self._thread.ident is not None:
            self._thread.join()

    def _go(self) -> None:
        while not self._stopping.is_set():
            well = attempt(self.what, self._do)
            self._doorbell.wait(self._rest if well else max(self._rest, AFTER_TROUBLE))
            self._doorbell.clear()
