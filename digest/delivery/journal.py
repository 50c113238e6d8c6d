"""What a connection did, line by line in a local file, without fsync: the page cache outlives the process.

`B <id> <hash>`: the body of that delivery, with that content hash, is about to be sent.
`R <id> <verdict> <code> <status> <again> <text>`: its outcome; `again` is seconds since 1970 or "-". A claim has a
folder, each connection a file in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from digest.delivery.model import Outcome, Verdict
from digest.errors import DigestError


class Journal:
    """What one connection writes: the lines of each mail go to the folder of its claim. Not for two threads at once.

    Every method raises DigestError where it cannot be written."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._folder: Path | None = None
        self._file = -1
        self._kept = ""

    def begin(self, folder: Path, delivery: int, content_hash: str) -> None:
        """Call it before the first byte of the body; where it raises, the body must not go."""
        if folder is not self._folder:  # a claim has one path; to compare two would cost more
            self._change(folder)
        self._write(f"{self._kept}B {delivery} {content_hash}\n")

    def end(self, folder: Path, delivery: int, outcome: Outcome, *, keep: bool = False) -> None:
        """Call it when the outcome is known. `keep`: it is written with the next line, which comes at once."""
        if folder is not self._folder:
            self._change(folder)
        text = outcome.text
        if not text.isprintable():
            text = "".join(c if c.isprintable() else " " for c in text)
        again = "-" if outcome.retry_at is None else f"{outcome.retry_at.timestamp():.6f}"
        line = f"R {delivery} {outcome.verdict!s} {outcome.code} {outcome.status or '-'} {again} {text}\n"
        if keep:
            self._kept += line
        else:
            self._write(self._kept + line)

    def flush(self) -> None:
        """Writes what was kept for the next line, which does not come."""
        if self._kept:
            self._write(self._kept)

    def close(self) -> None:
        """It is closed even where what was kept cannot be written."""
        try:
            self.flush()
        finally:
            if self._file >= 0:
                os.close(self._file)
            self._file, self._folder = -1, None

    def _change(self, folder: Path) -> None:
        self.close()
        try:
            self._file = os.open(folder / self._name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritten(folder, error) from error
        self._folder = folder

    def _write(self, lines: str) -> None:
        self._kept = ""
        data = lines.encode("utf-8", "replace")
        try:
            written = os.write(self._file, data)
        except OSError as error:
            raise _unwritten(self._folder, error) from error
        if written != len(data):
            raise _unwritten(self._folder, "its file system is full")


def _unwritten(folder: Path | None, why: object) -> DigestError:
    return DigestError(f"journal {folder}: {why}", mend="free some disk space and send again; nothing is lost")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a journal tells: outcomes by delivery, the content hash of every body that was begun, and the deliveries
    whose body was begun and has no outcome, with the connection's file and when that was last written."""

    results: dict[int, Outcome]
    in_flight: dict[int, tuple[str, datetime]]
    hashes: dict[int, str]


def replay(folder: Path) -> Replayed:
    """Reads every file of a claim's folder. Raises FileNotFoundError where there is none.

    A last line without its end was being written when the process died, and says nothing."""
    results: dict[int, Outcome] = {}
    begun: dict[int, str] = {}
    where: dict[int, tuple[str, datetime]] = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        for line in content[: content.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")[:-1]:
            kind, _, rest = line.partition(" ")
            if kind == "B":
                number, _, content_hash = rest.partition(" ")
                begun[int(number)] = content_hash
                where[int(number)] = (path.stem, written)
            elif kind == "R":
                delivery, verdict, code, status, again, text = rest.split(" ", 5)
                results[int(delivery)] = Outcome(
                    Verdict(verdict),
                    int(code),
                    "" if status == "-" else status,
                    text,
                    None if again == "-" else datetime.fromtimestamp(float(again), UTC),
                )
    return Replayed(results, {number: said for number, said in where.items() if number not in results}, begun)
