"""An edition as staff see it: as JSON for programs, as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from digest.articles.model import Article
from digest.editions.model import Placed, Section
from digest.editions.store import EditionRow

if TYPE_CHECKING:
    from rich.console import Console


def edition_json(row: EditionRow) -> dict[str, Any]:
    """The shape of `digest show --json`."""
    edition = row.edition
    return {
        "edition": row.slug,
        "state": row.state,
        "subject": row.subject,
        "focus": edition.focus.title if edition.focus else None,
        "held_reason": row.held_reason or None,
        "sections": [_section_json(section) for section in edition.sections],
        "waiting": [
            {"id": w.article.id, "title": w.article.title, "link": w.article.link, "reason": w.reason}
            for w in edition.waiting
        ],
    }


def _section_json(section: Section) -> dict[str, Any]:
    return {
        "slug": section.slug,
        "title": section.title,
        "articles": [_placed_json(section, placed) for placed in section.articles],
        "events": [{"date": e.day.isoformat(), "title": e.title, "link": e.link} for e in section.events],
        "pins": [{"title": p.title, "link": p.link} for p in section.pins],
    }


def _placed_json(section: Section, placed: Placed) -> dict[str, Any]:
    article = placed.article
    return {
        "id": article.id,
        "title": article.title,
        "link": article.link,
        "author": article.author,
        "published": article.published_at.isoformat() if article.published_at else None,
        "region": section.slug if section.kind in ("region", "global") else next(iter(placed.regions), "global"),
        "reason": placed.reason,
        "pinned": placed.pinned,
    }


def print_edition(out: Console, row: EditionRow, zone: ZoneInfo) -> None:
    """Sections and articles as a person reads them, with the reason beside each."""
    edition = row.edition
    count = len(edition.articles)
    when = f", goes {row.send_at.astimezone(zone):%A %d %B %Y at %H:%M}" if row.send_at and row.state != "sent" else ""
    out.print(f"{row.slug}: {row.state}, {count} article{'' if count == 1 else 's'}{when}", style="bold", markup=False)
    if row.subject:
        out.print(f"Subject: {row.subject}", markup=False)
    if row.held_reason:
        out.print(f"Held: {row.held_reason}", style="red", markup=False)
    if edition.introduction:
        out.print(edition.introduction, markup=False)
    for section in edition.sections:
        out.print(f"\n{section.title}", style="bold", markup=False)
        for placed in section.articles:
            _print_article(out, placed.article, placed.reason, "*" if placed.pinned else " ", zone)
        for event in section.events:
            print_hanging(out, f"  {event.day:%d %b}  ", event.title)
        for pinned in section.pins:
            print_hanging(out, "  ", pinned.title)
    if edition.waiting:
        out.print("\nWaiting", style="bold")
        for waiting in edition.waiting:
            _print_article(out, waiting.article, waiting.reason, " ", zone)


def _print_article(out: Console, article: Article, reason: str, mark: str, zone: ZoneInfo) -> None:
    day = f"{article.published_at.astimezone(zone):%d %b}" if article.published_at else ""
    print_hanging(out, f"{mark} {article.id}  ", article.title, lead_style="cyan")
    facts = " · ".join(fact for fact in (article.author, day, reason) if fact)
    print_hanging(out, " " * (len(article.id) + 4), facts, style="dim")


def print_hanging(out: Console, lead: str, text: str, *, lead_style: str = "", style: str = "") -> None:
    """A line that hangs under its own beginning where the terminal is narrow; elsewhere it is never broken."""
    from rich.table import Table
    from rich.text import Text

    if not out.is_terminal:
        out.file.write(f"{lead}{text}\n")  # thousands of lines: rich would take a second over them
        return
    if not lead:
        out.print(Text(text, style=style))
        return
    grid = Table.grid()
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(lead, style=lead_style), Text(text, style=style))
    out.print(grid)
