"""An edition as staff see it: as JSON for programs, as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

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
    when = f", goes {row.send_at.astimezone(zone):%A %d %B %Y at %H:%M}" if row.send_at else ""
    out.print(f"{row.slug}: {row.state}{when}", style="bold", markup=False)
    if row.held_reason:
        out.print(f"Held: {row.held_reason}", markup=False)
    if edition.introduction:
        out.print(edition.introduction, markup=False)
    for section in edition.sections:
        out.print(f"\n{section.title}", style="bold", markup=False)
        for placed in section.articles:
            pin = "* " if placed.pinned else "  "
            out.print(f"{pin}{placed.article.id}  {placed.article.title}", markup=False)
            out.print(f"      {placed.reason}", style="dim", markup=False)
        for event in section.events:
            out.print(f"  {event.day:%d %b}  {event.title}", markup=False)
        for pinned in section.pins:
            out.print(f"  {pinned.title}", markup=False)
    if edition.waiting:
        out.print("\nWaiting", style="bold")
        for waiting in edition.waiting:
            out.print(f"  {waiting.article.id}  {waiting.article.title}", markup=False)
            out.print(f"      {waiting.reason}", style="dim", markup=False)
