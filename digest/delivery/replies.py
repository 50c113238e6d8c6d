"""What a relay says, reply by reply (RFC 5321 section 4.2)."""

from __future__ import annotations

import re

from digest.delivery.policy import Phase
from digest.delivery.session import Reply, make_reply
from digest.delivery.wire import LostError, Wire

_MOST_OF_A_REPLY = 64 * 1024
_MOST_LINES = 500
_PLAIN = re.compile(rb"\d{3} [245]\.\d{1,3}\.\d{1,3} [!-~][ -~]{0,900}(?<! )\r?\n")
"""A reply of one line with its enhanced status first: nearly every reply to the final dot."""


class Replies:
    """The replies that come over a wire. Raises LostError for what is none, and whatever the wire raises."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._received = b""
        self.trail = b""
        """The lines that `read` has taken, until somebody empties it."""

    def begins_with(self, said: bytes) -> bool:
        """Whether these very octets have come already, as the next."""
        return self._received.startswith(said)

    def take(self, said: bytes) -> bool:
        """Waits for these very octets, and takes them. False, with nothing taken, as soon as they cannot come."""
        try:
            while len(self._received) < len(said):
                if not said.startswith(self._received):
                    return False
                self._receive()
        except (OSError, LostError):
            return False  # whoever reads on will see it again
        if not self._received.startswith(said):
            return False
        self._received = self._received[len(said) :]
        return True

    def read_after_dot(self) -> Reply:
        """The reply that decides a message's fate."""
        received = self._received or self._wire.receive()
        self._received = received
        match = _PLAIN.match(received)
        if match is None:
            return self.read("dot")
        self._received = received[match.end() :]
        code, status, text = match[0].decode().rstrip().split(" ", 2)
        return Reply("dot", int(code), status, text)

    def read(self, phase: Phase) -> Reply:
        """One reply, all of its lines. Lines that contradict each other are no reply."""
        first = line = self._line()
        lines: list[str] = []
        while True:
            _check(line)
            if line[:1] != first[:1]:
                raise LostError(f"the relay answered {first[:40]!r} and {line[:40]!r} in one reply")
            lines.append(line[4:].decode("utf-8", "replace").strip())
            if line[3:4] != b"-":
                break
            if len(lines) >= _MOST_LINES:
                raise LostError("the relay's reply has no end")
            line = self._line()
        return make_reply(phase, int(line[:3]), lines)

    def _line(self) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > _MOST_OF_A_REPLY:
                raise LostError("the relay's reply has no end")
            if self._received:
                self._wire.check_time()
            self._receive()
        line, self._received = self._received[: end + 1], self._received[end + 1 :]
        self.trail += line
        return line.rstrip(b"\r\n")

    def _receive(self) -> None:
        data = self._wire.receive()
        self._received = self._received + data if self._received else data


def _check(line: bytes) -> None:
    if len(line) < 3 or not line[:3].isdigit() or (len(line) > 3 and line[3:4] not in (b" ", b"-")):
        raise LostError(f"the relay answered {line[:80]!r}, which is not SMTP")
