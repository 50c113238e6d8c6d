"""What the words to staff say: the plain values of each mail's templates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from digest.app import App
from digest.delivery.model import Books
from digest.editions.corrections import Correction
from digest.editions.model import Edition, Period
from digest.editions.store import EditionHead, EditionRow
from digest.feeds.store import FeedState

Context = dict[str, Any]


def draft(app: App, row: EditionRow) -> Context:
    """A draft is ready."""
    return {
        "day": row.day,
        "edition_subject": row.subject,
        "send_at": row.send_at,
        "needs_approval": not app.approves_itself,
        "waiting": len(row.edition.waiting),
        "sections": _contents(row.edition),
        "command": f"digest preview {row.slug} && digest approve {row.slug}",
    }


def held(row: EditionHead, reasons: Sequence[str]) -> Context:
    """An edition is held, and why."""
    return {"day": row.day, "reasons": list(reasons), "command": f"digest show {row.slug}"}


def feeds(broken: Iterable[FeedState]) -> Context:
    """Feeds that hold the edition."""
    return {
        "feeds": [
            {
                "title": state.feed.title or state.feed.url,
                "url": state.feed.url,
                "reason": state.health.sentence,
                "since": state.last_good_at,
            }
            for state in broken
        ],
        "command": "digest status",
    }


def sent(app: App, row: EditionRow, books: Books) -> Context:
    """It has gone: the books and what was in it."""
    return {
        "day": row.day,
        "edition_subject": row.subject,
        "books": asdict(books),
        "sections": _contents(row.edition),
        "link": f"{app.publication.public_url.rstrip('/')}/e/{row.slug}",
    }


def corrected(correction: Correction, books: Books) -> Context:
    """A correction has gone: why it was made, and its books."""
    b, readers = books, counted(books.candidates, "reader")
    went = f"Of {readers} it was sent to {b.sent}; {b.excluded} excluded, {b.failed} failed, {b.uncertain} uncertain."
    paragraphs = [f"Readers were told: {correction.reason}", went]
    if b.uncertain:
        paragraphs.append(f"`digest reconcile {correction.slug}` lists those whose fate is unknown.")
    return notice(f"{correction.key} has gone out", *paragraphs, command=f"digest status {correction.key}")


def counted(count: int, noun: str) -> str:
    """`1 reader`, `2 readers`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


NEVER_DRAFTED = "There was not even a draft: nothing ran between its moment to compose and its deadline."


def missed(period: Period, reason: str) -> Context:
    """It should have gone and did not."""
    command = f"digest show {period.slug}" if reason != NEVER_DRAFTED else "digest status"
    return {"day": period.day, "due": period.send_at, "reason": reason, "command": command}


def why_missed(row: EditionHead) -> str:
    """Why an edition has not begun in time, as it stood when its deadline passed."""
    if row.state == "approved":
        return f"{row.approved_by} had approved it, but nothing ran between its moment to go and its deadline."
    return row.held_reason or "Nobody has approved it."


def notice(title: str, *paragraphs: str, command: str = "") -> Context:
    """Anything else that a person must look at."""
    return {"title": title, "paragraphs": list(paragraphs), "command": command}


def _contents(edition: Edition) -> list[Context]:
    return [
        {"title": s.title, "articles": [{"title": p.article.title, "link": p.article.link} for p in s.articles]}
        for s in edition.sections
        if s.articles
    ]
