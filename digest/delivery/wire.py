"""A connected socket that gives up in time: what is said over it is in `smtp`, what is heard in `replies`."""

from __future__ import annotations

import socket
import ssl
import struct
from time import monotonic

_MOST_BUFFERS = 512  # below every system's IOV_MAX
_TICK = 1.0  # seconds between two looks at the time while the other side does nothing


class LostError(Exception):
    """The connection ended, went silent or spoke nonsense."""


class Wire:
    """Not for two threads at once. Every call may raise OSError, of which TimeoutError is one."""

    def __init__(self, connected: socket.socket, *, shortest: float) -> None:
        """`shortest`: the least time in seconds that will be allowed for anything."""
        self._socket = connected  # once closed, whatever is asked of it is an OSError
        self.is_open = True
        self.encrypted = isinstance(connected, ssl.SSLSocket)
        self._allowed = shortest
        self._until = 0.0  # 0: nothing has been waited for yet
        self._tick = min(_TICK, shortest)
        self._timeout = -1.0  # the socket's own
        if not self.encrypted:
            # The kernel keeps the time: Python's own timeouts cost a poll before each call, and two calls a mail.
            seconds, rest = divmod(self._tick, 1)
            span = struct.pack("ll", int(seconds), int(rest * 1e6))
            connected.settimeout(None)
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, span)
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, span)

    def allow(self, seconds: float) -> None:
        """For the whole of what comes next: a relay that sends a byte now and then must not hold us for ever."""
        self._allowed = seconds
        self._until = 0.0
        if self.encrypted:
            self._set_timeout(seconds)

    def check_time(self, waited: float = 0.0) -> None:
        """Raises TimeoutError when it is over. It runs from the first time that somebody asks, less what they had
        `waited` in seconds until then."""
        if not self._until:
            self._until = monotonic() + self._allowed - waited
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError
        if self.encrypted:
            self._set_timeout(left)

    def _set_timeout(self, seconds: float) -> None:
        if seconds != self._timeout:  # it is a call into the kernel
            self._socket.settimeout(seconds)
            self._timeout = seconds

    def send(self, pieces: list[bytes], *, spare: int = 0) -> None:
        """All of them. With all but `spare` octets out the message is complete: no error here may call it unsent."""
        if self.encrypted:
            self._socket.sendall(b"".join(pieces))  # an SSLSocket has no sendmsg
            return
        if len(pieces) > _MOST_BUFFERS:
            pieces = [b"".join(pieces)]
        total = sum(map(len, pieces))
        sent = 0
        try:
            try:
                sent = self._socket.sendmsg(pieces)
            except BlockingIOError:
                self.check_time(self._tick)
            if sent < total:
                rest = memoryview(b"".join(pieces))
                while sent < total:
                    self.check_time()
                    try:
                        sent += self._socket.send(rest[sent:])
                    except BlockingIOError:
                        continue
        except OSError:
            if sent < total - spare:
                raise
            # The dot is out: what became of the message, the reply tells, or its absence.

    def receive(self) -> bytes:
        """Some octets. Raises LostError where the relay has hung up."""
        while True:
            try:
                data = self._socket.recv(4096)
            except BlockingIOError:
                self.check_time(self._tick)
                continue
            if not data:
                raise LostError("the relay closed the connection")
            return data

    def close(self) -> None:
        self._socket.close()
        self.is_open = False
