"""What moved since the editor looked: edits that feeds offer, links that moved, what was withdrawn, what came new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from digest.app import App
from digest.articles import store as articles
from digest.articles.model import Article
from digest.editions import store as editions
from digest.editions.approval import offers
from digest.editions.states import OPEN
from digest.editions.store import EditionRow
from digest.feeds.model import Image
from digest.which import current

if TYPE_CHECKING:
    from rich.console import Console

_NAMES = {"published_at": "published", "reading_minutes": "reading time"}
_TAKEN = "`digest compose` takes what feeds offer, and what is new; that voids an approval."


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing that moved. `what`: "title", "excerpt", "link", "author", "kind", "published", "image", "reading time",
    "withdrawn" or "new". `old` is as it was looked at; `new` as it is now, or why; either may be ""."""

    id: str
    title: str
    what: str
    old: str
    new: str


def moved_since(app: App, slug: str | None) -> tuple[EditionRow, list[Moved]]:
    """The edition, and what moved since it was composed, or approved where that is later.

    What feeds edited is told of the articles that stand in it; what is new, while it has not begun."""
    row = current(app, slug)
    found = [
        Moved(change.article.id, change.article.title, change.what, change.old, change.new)
        for change in row.edition.changes
        if row.approved_at is None or change.at > row.approved_at
    ]
    standing = [placed.article.id for section in row.edition.sections for placed in section.articles]
    with app.database.read() as connection:
        now = articles.load(connection, standing)
        fresh = articles.candidates(
            connection, now=app.now, exclude=editions.ledger(connection, except_edition=row.slug)
        )
    for offer in offers([a for a in row.material if a.id in standing], now):
        found += [
            Moved(offer.stands.id, offer.stands.title, _NAMES.get(name, name), *_both(offer.stands, offer.now, name))
            for name in offer.fields
        ]
    if row.state in OPEN:
        known = {a.id for a in row.material} | {change.article.id for change in row.edition.changes}
        found += [Moved(a.id, a.title, "new", "", a.link) for a in fresh if a.id not in known]
    return row, found


def _both(stands: Article, now: Article, name: str) -> tuple[str, str]:
    return _told(getattr(stands, name)), _told(getattr(now, name))


def _told(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Image):
        return " · ".join(part for part in (value.url, value.alt, value.credit) if part)
    return "" if value is None else str(value)


def changes_json(row: EditionRow, changes: list[Moved]) -> dict[str, Any]:
    """The shape of `digest show --changes --json`."""
    return {
        "edition": row.slug,
        "changes": [{"id": c.id, "title": c.title, "what": c.what, "old": c.old, "new": c.new} for c in changes],
    }


def print_changes(out: Console, row: EditionRow, changes: list[Moved]) -> None:
    """A line for each article, and beneath it what was and what is."""
    from digest.newsroom.views import print_hanging

    since = f"{row.approved_by} approved it" if row.approved_at else "it was composed"
    if not changes:
        out.print(f"{row.slug}: nothing has moved since {since}.", markup=False)
        return
    out.print(f"{row.slug}: since {since}", style="bold", markup=False)
    told = ""
    for change in changes:
        if change.id != told:
            print_hanging(out, f"{change.id}  ", change.title, lead_style="cyan")
            told = change.id
        print_hanging(out, f"  {change.what}: ", _line(change))
    if any(change.what != "withdrawn" for change in changes) and row.state in OPEN:
        out.print(_TAKEN, markup=False)


def _line(change: Moved) -> str:
    if change.what in ("new", "withdrawn"):
        return change.new
    return f"{change.old or '(none)'} → {change.new or '(none)'}"
