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
    """One connection's file for one claim. Not for two threads at once."""

    def __init__(self, folder: Path, name: str) -> None:
        """Raises OSError where the folder cannot be written."""
        self._file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._kept = ""

    def begin(self, delivery: int, content_hash: str) -> None:
        """Call it before the first byte of the body; where it raises OSError, the body must not go."""
        self._write(f"{self._kept}B {delivery} {content_hash}\n")

    def end(self, delivery: int, outcome: Outcome, *, keep: bool = False) -> None:
        """Call it when the outcome is known. `keep`: it is written with the next line, which comes at once."""
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
        """Writes what was kept."""
        if self._kept:
            self._write(self._kept)

    def _write(self, lines: str) -> None:
        self._kept = ""
        data = lines.encode("utf-8", "replace")
        if os.write(self._file, data) != len(data):
            raise OSError("the journal's file system is full")

    def close(self) -> None:
        """Raises OSError where what was kept cannot be written; it is closed all the same."""
        try:
            self.flush()
        finally:
            os.close(self._file)


class ConnectionJournal:
    """The journals of one connection, one after the other: each mail's lines go to the folder of its claim.

    Every method raises DigestError where it cannot be written."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._folder: Path | None = None
        self._journal: Journal | None = None

    def begin(self, folder: Path, delivery: int, content_hash: str) -> None:
        try:
            self._in(folder).begin(delivery, content_hash)
        except OSError as error:
            raise _unwritten(folder, error) from error

    def end(self, folder: Path, delivery: int, outcome: Outcome, *, keep: bool) -> None:
        try:
            self._in(folder).end(delivery, outcome, keep=keep)
        except OSError as error:
            raise _unwritten(folder, error) from error

    def flush(self) -> None:
        """Writes what was kept for the next line, which does not come."""
        if self._journal is not None:
            try:
                self._journal.flush()
            except OSError as error:
                raise _unwritten(self._folder, error) from error

    def close(self) -> None:
        journal, self._journal = self._journal, None
        if journal is not None:
            try:
                journal.close()
            except OSError as error:
                raise _unwritten(self._folder, error) from error

    def _in(self, folder: Path) -> Journal:
        if self._journal is None or folder is not self._folder:  # a claim has one path; to compare would cost more
            journal, self._journal = self._journal, None
            if journal is not None:
                journal.close()
            self._journal = Journal(folder, self._name)
            self._folder = folder
        return self._journal


def _unwritten(folder: Path | None, error: OSError) -> DigestError:
    return DigestError(f"journal {folder}: {error}", mend="free some disk space and send again; nothing is lost")


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
