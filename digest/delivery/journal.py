"""What became of a claim's mails, written down at once and without fsync: the page cache outlives the process.

A claim has a file, mapped into memory, with a slot for each of its deliveries in their order: no line needs a call into
the kernel. A slot has room for two, one that is written before the body goes and one when its end is known:

`B <id> <hash> <connection> <seconds>`: the body of that delivery, with that content hash, is about to be sent.
`A <reply>`: the relay took it, in these words. Or, in its place,
`R <id> <verdict> <code> <status> <again> <text>`: its outcome. Seconds are since 1970, or "-"."""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import time

from digest.delivery.model import Outcome, Verdict
from digest.delivery.policy import taken
from digest.errors import DigestError

_BEGIN, _END = 160, 352  # octets of the two lines
_SLOT = _BEGIN + _END


class Journal:
    """The journal of one claim. Each slot is one thread's at a time."""

    def __init__(self, path: Path, slots: int) -> None:
        """Makes the file, with room for all that will be written: no disk can be full later. Raises DigestError."""
        self.path = path
        size = slots * _SLOT
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                if os.write(file, bytes(size)) != size:
                    raise OSError(0, "its file system is full")
                self._map = mmap.mmap(file, size)
            finally:
                os.close(file)
        except OSError as error:
            remove(path)
            mend = "free some space, or give the user that runs this write access"
            raise DigestError(f"journal {path}: {error.strerror}; nothing is lost", mend=mend) from error

    def begin(self, slot: int, delivery: int, content_hash: str, connection: str) -> None:
        """Call it before the first byte of the body."""
        self._write(slot * _SLOT, b"B %d %b %b %d\n" % (delivery, content_hash.encode(), connection.encode(), time()))

    def took(self, slot: int, reply: bytes) -> None:
        """Call it when the relay took the body, with its reply: one line of at most 300 octets."""
        self._write(slot * _SLOT + _BEGIN, b"A %b\n" % reply)

    def end(self, slot: int, delivery: int, outcome: Outcome) -> None:
        """Call it when any other outcome is known. A text that is too long is cut."""
        again = "-" if outcome.retry_at is None else f"{outcome.retry_at.timestamp():.6f}"
        text = "".join(c if c.isprintable() else " " for c in outcome.text)
        line = f"R {delivery} {outcome.verdict!s} {outcome.code} {outcome.status or '-'} {again} {text}"
        self._write(slot * _SLOT + _BEGIN, line.encode("utf-8", "replace")[: _END - 1] + b"\n")

    def _write(self, start: int, line: bytes) -> None:
        self._map[start : start + len(line)] = line

    def close(self) -> None:
        """The file goes: its claim has ended, or never was."""
        self._map.close()
        remove(self.path)


def remove(path: Path) -> None:
    """Whatever cannot be removed now is swept later."""
    with suppress(OSError):
        path.unlink()


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a journal tells: outcomes by delivery, the content hash of every body that was begun, and the deliveries
    whose body was begun and has no outcome, with the connection and when it was begun."""

    results: dict[int, Outcome]
    in_flight: dict[int, tuple[str, datetime]]
    hashes: dict[int, str]


def replay(path: Path) -> Replayed:
    """Reads a claim's file. Raises OSError where there is none, ValueError where it tells nothing."""
    content = path.read_bytes()
    results: dict[int, Outcome] = {}
    in_flight: dict[int, tuple[str, datetime]] = {}
    hashes: dict[int, str] = {}
    for start in range(0, len(content), _SLOT):
        begun = _line(content[start : start + _BEGIN])
        ended = _line(content[start + _BEGIN : start + _SLOT])
        number = 0
        if begun:
            _, delivery, content_hash, connection, at = begun.decode().split(" ")
            number = int(delivery)
            hashes[number] = content_hash
            in_flight[number] = connection, datetime.fromtimestamp(int(at), UTC)
        if ended.startswith(b"A "):
            results[number] = taken(ended[2:])
        elif ended:
            number, outcome = _outcome(ended.decode("utf-8", "replace"))
            results[number] = outcome
        if ended:
            in_flight.pop(number, None)
    return Replayed(results, in_flight, hashes)


def _line(room: bytes) -> bytes:
    """Without its end. A line that was being written when the process died has none, or a hole, and says nothing."""
    line, end, _ = room.partition(b"\n")
    return line if end and b"\0" not in line else b""


def _outcome(line: str) -> tuple[int, Outcome]:
    _, delivery, verdict, code, status, again, text = line.split(" ", 6)
    retry_at = None if again == "-" else datetime.fromtimestamp(float(again), UTC)
    return int(delivery), Outcome(Verdict(verdict), int(code), "" if status == "-" else status, text, retry_at)
