"""A connection has so long for a request, and no longer: a client that drips its bytes must not hold the server."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

_AT_ONCE = struct.pack("ii", 1, 0)  # to linger, for no seconds: what is unsent is dropped, and the client told


class Prompt(H11Protocol):
    """uvicorn's protocol, which by itself waits for ever for the rest of a request's head, and for a client to read."""

    head: ClassVar[float] = 10.0
    """Seconds from the connection, or from the last answer, until a request's head is whole."""
    whole: ClassVar[float] = 60.0
    """Seconds from then until its answer has been taken."""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._within(self.head)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._within(self.whole)

    def on_response_complete(self) -> None:
        self._within(self.head)
        before = self.cycle
        super().on_response_complete()
        if self.cycle is not before:  # the next request had come already
            self._within(self.whole)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _within(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._cut)

    def _cut(self) -> None:
        # An answer that stays behind is cut anyway. Closed in the usual way, the system would keep its megabytes for
        # minutes, and offer them; what has left us whole, it shall bring to its end.
        line: socket.socket | None = self.transport.get_extra_info("socket")
        if line is not None and self.transport.get_write_buffer_size():
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()
