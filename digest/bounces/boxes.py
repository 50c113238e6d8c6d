"""Where messages wait to be read. One is taken away only after what it said is durable; one that nobody understood
stays, flagged, for a person to look at, and is not read again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from digest.bounces.mime import MOST
from digest.errors import DigestError


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
        if not (folder / "new").is_dir() or not (folder / "cur").is_dir():
            raise DigestError(
                f"[bounces] maildir {folder} is no maildir", mend="name a folder that has `new`, `cur` and `tmp` in it"
            )
        self.folder = folder

    def waiting(self) -> Iterator[tuple[str, bytes]]:
        for part in ("new", "cur"):
            with os.scandir(self.folder / part) as entries:
                names = sorted(one.name for one in entries if not one.name.startswith("."))
            for name in names:
                if part == "cur" and not set("FT").isdisjoint(name.partition(":2,")[2]):
                    continue
                try:
                    with (self.folder / part / name).open("rb") as file:
                        yield f"{part}/{name}", file.read(MOST)
                except FileNotFoundError:  # another reader was faster
                    continue
                except OSError as error:
                    raise DigestError(f"{self.folder / part / name}: {error.strerror}") from error

    def remove(self, key: str) -> None:
        with suppress(FileNotFoundError):
            (self.folder / key).unlink()

    def keep(self, key: str) -> None:
        name, _, flags = Path(key).name.partition(":2,")
        kept = "".join(sorted(set(flags) | set("FS")))
        with suppress(FileNotFoundError):
            (self.folder / key).rename(self.folder / "cur" / f"{name}:2,{kept}")

    def close(self) -> None:
        """Nothing is open."""
