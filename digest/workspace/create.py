"""Writing a workspace: config.toml, templates/, .gitignore; all of it or nothing."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from digest.config import load
from digest.errors import RefusedError
from digest.workspace.survey import Survey, survey
from digest.workspace.writing import configuration

_TEMPLATES_README = """\
A file here takes the place of the one of the same name that comes with the program: put
`email/digest/style.css` here to change the looks of the mail, for example. An empty folder changes nothing.
"""
_IGNORE = "var/\npreview/\nsecrets/\n"


@dataclass(frozen=True, slots=True)
class Created:
    """What was made, and what was found, if a feed was named."""

    folder: Path
    found: Survey | None
    now: datetime

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def lines(self) -> list[str]:
        """What a person should know and do next."""
        lines = [f"Made {self.config}, templates/ and .gitignore."]
        if self.found:
            count = len(self.found.topics)
            lines.append(
                f"Found {' '.join(self.found.name.split())[:100]}: {self.found.feed}, {self.found.entries} entries, "
                f"{count} topic{'' if count == 1 else 's'}, {', '.join(self.found.regions)}."
            )
            newest = self.found.published[0] if self.found.published else None
            if newest is not None and (self.now - newest).days > 90:
                lines.append(f"Its newest article is of {newest:%d %B %Y}: does the feed still live?")
        lines.append(
            "Yours to fill in: [publication] from, postal_address, timezone, public_url; [staff] mail; [smtp]."
        )
        return lines

    def commands(self) -> str:
        """The first preview, as commands."""
        at = "" if self.folder.resolve() == Path.cwd() else f"cd {self.folder} && "
        return f"{at}digest pull && digest compose && digest preview --serve"


def create(folder: Path, feed: str | None, *, allow_private: bool = False, now: datetime | None = None) -> Created:
    """Make a workspace. Nothing that is there is overwritten, and nothing is left of what fails.

    Raises RefusedError where there is a configuration already, FeedError where `feed` leads to none."""
    at = now or datetime.now(UTC)
    target = folder / "config.toml"
    _refuse(folder, target)
    found = survey(feed, now=at, allow_private=allow_private) if feed else None
    text = configuration(found or _nobody(), now=at, allow_private=allow_private)
    made: list[Path] = []
    try:
        for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
            missing.mkdir()
            made.append(missing)
        draft = folder / f".config.toml.{secrets.token_hex(4)}"
        made.append(draft)
        draft.write_text(text, encoding="utf-8")
        load(draft, {})  # what we write must be valid: better to fail here than at the first pull
        _write_missing(folder / "templates" / "README.md", _TEMPLATES_README, made)
        _write_missing(folder / ".gitignore", _IGNORE, made)
        try:
            os.link(draft, target)  # never over a file that came meanwhile
        except FileExistsError:
            _refuse(folder, target)
        draft.unlink()
    except BaseException:
        _remove(made)
        raise
    return Created(folder, found, at)


def _refuse(folder: Path, target: Path) -> None:
    if os.path.lexists(target):
        raise RefusedError(f"{target} exists already", mend="choose another folder, or edit that file")
    if folder.exists() and not folder.is_dir():
        raise RefusedError(f"{folder} is a file", mend="name a folder")


def _write_missing(file: Path, text: str, made: list[Path]) -> None:
    if not file.parent.exists():
        file.parent.mkdir()
        made.append(file.parent)
    if not file.exists():
        made.append(file)
        file.write_text(text, encoding="utf-8")


def _remove(made: list[Path]) -> None:
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


def _nobody() -> Survey:
    regions = ("Africa", "Americas", "Asia", "Europe", "Middle East")
    return Survey("https://www.example.org/feed/", "Your Publication", "https://www.example.org", regions=regions)
