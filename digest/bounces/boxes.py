"""Where messages wait to be read. One is taken away only after what it said is durable; one that nobody understood
stays, flagged, for a person to look at, and is not read again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from digest.bounces.mime import MOST
from digest.errors import DigestError

_RIGHTS = "let the user that runs this read, move and delete what is in it"


class Box(Protocol):
    """A mailbox. `name` is its kind, for the books."""

    name: str

    def waiting(self) -> Iterator[tuple[str, bytes]]:
        """Each message that has not been read: its key, and its bytes as far as they are looked at."""

    def remove(self, key: str) -> None:
        """It has said what it had to say."""

    def keep(self, key: str) -> None:
        """Nobody understood it: flagged, and left there."""

    def close(self) -> None:
        """Done for now."""


class Maildir:
    """A maildir: what is new, and what another program has moved to `cur` and not flagged."""

    name = "maildir"

    def __init__(self, folder: Path) -> None:
        if not _is_maildir(folder):
            raise DigestError(
                f"[bounces] maildir {folder} is no maildir", mend="name a folder that has `new`, `cur` and `tmp` in it"
            )
        for part in ("new", "cur"):
            if not os.access(folder / part, os.R_OK | os.W_OK | os.X_OK):
                raise DigestError(f"[bounces] maildir {folder / part} is closed to us", mend=_RIGHTS)
        self.folder = folder

    def waiting(self) -> Iterator[tuple[str, bytes]]:
        for part in ("new", "cur"):
            for name in self._names(part):
                if part == "cur" and not set("FT").isdisjoint(name.partition(":2,")[2]):
                    continue
                raw = self._beginning(f"{part}/{name}")
                if raw is not None:
                    yield f"{part}/{name}", raw

    def _beginning(self, key: str) -> bytes | None:
        raw = None
        with self._telling(key), (self.folder / key).open("rb") as file:
            raw = file.read(MOST)
        return raw  # noqa: RET504 - None where it is gone

    def _names(self, part: str) -> list[str]:
        """Of files alone: a pipe would never come to an end."""
        names: list[str] = []
        with self._telling(part), os.scandir(self.folder / part) as entries:
            names = sorted(one.name for one in entries if not one.name.startswith(".") and one.is_file())
        return names  # noqa: RET504 - none where it is gone

    def remove(self, key: str) -> None:
        with self._telling(key):
            (self.folder / key).unlink()

    def keep(self, key: str) -> None:
        name, _, flags = Path(key).name.partition(":2,")
        kept = "".join(sorted(set(flags) | set("FS")))
        with self._telling(key):
            (self.folder / key).rename(self.folder / "cur" / f"{name}:2,{kept}")

    @contextmanager
    def _telling(self, key: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, NotADirectoryError):
            if not _is_maildir(self.folder):
                raise DigestError(f"[bounces] maildir {self.folder} is gone", mend="is it mounted?") from None
            # Else another reader was faster.
        except OSError as error:
            raise DigestError(f"[bounces] maildir {self.folder / key}: {error.strerror}", mend=_RIGHTS) from error

    def close(self) -> None:
        """Nothing is open."""


def _is_maildir(folder: Path) -> bool:
    return (folder / "new").is_dir() and (folder / "cur").is_dir()
