"""What a relay says, reply by reply (RFC 5321 section 4.2)."""

from __future__ import annotations

import re

from digest.delivery.policy import Phase
from digest.delivery.session import Reply, make_reply
from digest.delivery.wire import LostError, Wire

_MOST_OF_A_REPLY = 64 * 1024
_MOST_LINES = 500
_TAKEN = re.compile(rb"2\d\d 2\.\d{1,3}\.\d{1,3} [!-~](?:[ -~]{0,240}[!-~])?\r?\n")
"""One line that says yes, with its enhanced status first: nearly every reply to the final dot."""


class Replies:
    """The replies that come over a wire. Raises LostError for what is none, and whatever the wire raises."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._received = b""
        self.trail = b""
        """The lines that `read` has taken, until somebody empties it."""

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

    def take_yes(self) -> bytes | None:
        """Waits for what comes after the final dot, and takes the line, of at most 256 octets, that plainly says yes
        (`policy.taken` reads it). None, with nothing taken, where it is anything else."""
        received = self._received or self._wire.receive()
        match = _TAKEN.match(received)
        self._received = received if match is None else received[match.end() :]
        return None if match is None else match[0]

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
