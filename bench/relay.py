"""A relay some milliseconds away: `python bench/relay.py PORT SECONDS`. It takes what it gets and throws it away.

Every answer leaves that long after what it answers has come, as over a line with that round trip; what came together
is answered together. One thread and no copies: it must not be what a race measures."""

from __future__ import annotations

import select
import socket
import sys
from collections import deque
from contextlib import suppress
from time import monotonic

_GREETING = b"220 far.example.org ESMTP\r\n"
_FEATURES = b"250-far.example.org\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
_END = b"\r\n.\r\n"
_NEAR_THE_END = 1024
"""Behind a final dot comes at most an envelope: more is never sent before we have answered."""


class _Session:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.in_body = False
        self.rest = b""

    def answers(self, data: memoryview) -> bytes:
        """To what has come; b"" while it is not complete."""
        said = b""
        if self.in_body:
            tail = self.rest + bytes(data[-_NEAR_THE_END:])
            end = tail.rfind(_END)
            if end < 0:
                self.rest = tail[-len(_END) :]
                return b""
            said, self.in_body, self.rest = b"250 2.0.0 Ok\r\n", False, tail[end + len(_END) :]
        else:
            self.rest += bytes(data)
        while not self.in_body and (end := self.rest.find(b"\r\n")) >= 0:
            line, self.rest = self.rest[:end], self.rest[end + 2 :]
            said += self._command(line[:4].upper())
        return said

    def _command(self, verb: bytes) -> bytes:
        if verb == b"DATA":
            self.in_body, self.rest = True, b"\r\n"
            return b"354 End data with <CR><LF>.<CR><LF>\r\n"
        if verb == b"EHLO":
            return _FEATURES
        return b"221 2.0.0 Bye\r\n" if verb == b"QUIT" else b"250 2.1.0 Ok\r\n"


def serve(port: int, delay: float) -> None:
    """For ever."""
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    sessions: dict[int, _Session] = {}
    late: deque[tuple[float, _Session, bytes]] = deque()
    room = memoryview(bytearray(1 << 20))
    while True:
        while late and late[0][0] <= monotonic():
            _, session, said = late.popleft()
            _send(session, said)
        wait = late[0][0] - monotonic() if late else 1.0
        # The system counts milliseconds and rounds up: the last one is spent looking.
        for number, _ in poll.poll(max(0.0, wait - 0.001)):
            if number == listener.fileno():
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                poll.register(connection, select.EPOLLIN)
                sessions[connection.fileno()] = session = _Session(connection)
                late.append((monotonic() + delay, session, _GREETING))
                continue
            session = sessions[number]
            try:
                count = session.connection.recv_into(room)
            except OSError:
                count = 0
            if not count:
                poll.unregister(number)
                del sessions[number]
                session.connection.close()
            elif said := session.answers(room[:count]):
                late.append((monotonic() + delay, session, said))


def _send(session: _Session, said: bytes) -> None:
    with suppress(OSError):  # it has hung up meanwhile
        session.connection.sendall(said)


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]))
