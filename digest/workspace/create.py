"""Writing a workspace: config.toml, templates/, .gitignore; all of it or nothing."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from digest.config import load
from digest.errors import RefusedError
from digest.workspace.survey import Survey, survey

_TEMPLATES_README = """\
A file here takes the place of the one of the same name that comes with the program: put
`email/digest/style.css` here to change the looks of the mail, for example. An empty folder changes nothing.
"""
_IGNORE = "var/\npreview/\n"


@dataclass(frozen=True, slots=True)
class Created:
    """What was made, and what is still to be filled in."""

    folder: Path
    found: Survey | None
    to_fill: tuple[str, ...]

    def lines(self) -> list[str]:
        at = "" if self.folder == Path() else f"cd {self.folder} && "
        lines = [f"Made {self.folder / 'config.toml'}, templates/ and .gitignore."]
        if self.found:
            f = self.found
            lines.append(
                f"Found {f.name}: {f.entries} entries, {len(f.topics)} topics, regions {', '.join(f.regions)}."
            )
        lines.append("Still yours to fill in: " + "; ".join(self.to_fill))
        lines.append(f"The first preview: {at}digest pull && digest compose && digest preview --serve")
        return lines


def create(folder: Path, feed: str | None, *, allow_private: bool = False) -> Created:
    """Make a workspace. Raises RefusedError where there is one, FeedError where `feed` leads nowhere; then nothing is made."""
    target = folder / "config.toml"
    if target.exists():
        raise RefusedError(f"{target} exists already", mend="choose another folder, or edit that file")
    found = survey(feed, allow_private=allow_private) if feed else None
    text = configuration(found or _nobody())
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / ".config.toml.new"
    try:
        draft.write_text(text, encoding="utf-8")
        load(draft, {})  # what we write must be valid: better to fail here than at the first pull
        (folder / "templates").mkdir(exist_ok=True)
        (folder / "templates" / "README.md").write_text(_TEMPLATES_README)
        if not (folder / ".gitignore").exists():
            (folder / ".gitignore").write_text(_IGNORE)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return Created(folder, found, ("[publication] from, postal_address and public_url", "[staff] mail", "[smtp]"))


def _nobody() -> Survey:
    return Survey(
        "https://www.example.org/feed/", "Your Publication", "https://www.example.org", regions=("Africa", "Americas", "Asia", "Europe", "Middle East")
    )  # fmt: skip


def _q(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(_q(value) for value in values) + "]"


def configuration(found: Survey, *, today: datetime | None = None) -> str:
    """A valid config.toml for what was found, with a comment on what is a guess."""
    month = f"{today or datetime.now(UTC):%Y-%m}"
    domain = found.domain
    known = {name.lower() for name in found.regions}
    subjects = tuple(topic for topic in found.topics if topic not in known and topic not in found.kinds)
    lines = [
        "# What each key means: docs/reference/configuration.md. Guesses are marked; look at them once.",
        "",
        "[publication]",
        f"name = {_q(found.name)}",
        f"url = {_q(found.site)}",
        f"from = {_q(f'{_display(found.name)} <roundup@{domain}>')}  # a guess: the address that mails come from",
        f"reply_to = {_q(f'editors@{domain}')}  # a guess: a mailbox that is read",
        'postal_address = "Your organisation, street, city, country"  # fill in: the law wants it in every mail',
        f"language = {_q(found.language)}",
        'timezone = "UTC"  # fill in, e.g. "Europe/Paris"',
        f"public_url = {_q(f'https://roundup.{domain}')}  # a guess: where `digest serve` is reached from outside",
        f"list_id = {_q(f'roundup.{domain}')}",
        "",
        "[staff]",
        "mail = []  # fill in: who is told of drafts, holds and trouble",
        "",
        "[[feeds]]",
        f"url = {_q(found.feed)}",
        "",
        "[editions]",
        'approval = "required"  # or "automatic"',
        "",
        "[schedule]",
        'pull = "every 1h"',
        'compose = "thu 16:00"',
        'send = "fri 09:00"',
        "",
        "# The topic of a month; its articles stand first. Without one the edition has no such section.",
    ]
    focus = _focus(month, subjects)
    lines += focus if subjects else [f"# {line}" for line in focus]
    for name in found.regions:
        lines += ["", "[[regions]]", f"name = {_q(name)}", f"topics = {_list((name.lower(),))}"]
    lines += ["", "[kinds]  # category = label"]
    lines += [f"{_q(category)} = {_q(label)}" for category, label in found.kinds.items()]
    lines += ["", "[links]"]
    lines += [f"{_q(label)} = {_q(url)}" for label, url in found.links.items()]
    lines += [
        "",
        "[design]",
        *([f"# logo = {_q(found.logo)}  # give logo_width and logo_height too"] if found.logo else []),
    ]
    lines += [
        "",
        "[smtp]",
        'host = "127.0.0.1"  # fill in: your relay',
        "port = 25",
        'security = "none"  # none, starttls, tls',
        "",
    ]
    if found.topics:
        lines += [
            "# Topics that the feed uses, most used first:",
            *(f"#   {topic}" for topic in found.topics),
        ]
    return "\n".join(lines) + "\n"


def _focus(month: str, subjects: tuple[str, ...]) -> list[str]:
    subject = subjects[0] if subjects else "peace processes"
    return [
        f'[focus."{month}"]',
        f"title = {_q(subject.title())}  # a guess: the topic used most",
        f"topics = {_list((subject,))}",
    ]


def _display(name: str) -> str:
    """A name as it may stand before an address."""
    plain = "".join(c for c in name if c.isprintable() and c not in '"<>\\')
    return f'"{plain}"' if any(c in plain for c in "()[]:;@,.") else plain
