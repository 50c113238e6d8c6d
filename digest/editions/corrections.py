"""What was put right in an edition that had gone out, in the database: a draft, its approval, its start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import upsert
from digest.editions.model import Edition
from digest.editions.snapshot import from_json, to_json
from digest.editions.tables import corrections


@dataclass(frozen=True, slots=True)
class Correction:
    """An edition as it should have been. `number` counts from 1; `reason` is what readers are told."""

    slug: str
    number: int
    edition: Edition
    reason: str
    made_by: str
    created_at: datetime
    approved_hash: str | None = None
    started_at: datetime | None = None

    @property
    def key(self) -> str:
        """The key of its deliveries."""
        return key_of(self.slug, self.number)


def key_of(slug: str, number: int) -> str:
    """`2026-11-27#correction-1`."""
    return f"{slug}#correction-{number}"


def keys_of(connection: Connection, slug: str) -> list[str]:
    """The key of the edition, and those of its corrections that have begun to go out, the oldest first."""
    statement = sa.select(corrections.c.number).where(
        corrections.c.edition == slug, corrections.c.started_at.is_not(None)
    )
    numbers = connection.execute(statement.order_by(corrections.c.number)).scalars()
    return [slug, *(key_of(slug, number) for number in numbers)]


def every(connection: Connection, slug: str) -> list[Correction]:
    """All of an edition, the oldest first; only the last one may be a draft."""
    statement = sa.select(corrections).where(corrections.c.edition == slug).order_by(corrections.c.number)
    return [_correction(row) for row in connection.execute(statement)]


def draft_of(connection: Connection, slug: str) -> Correction | None:
    """The one that has not begun to go out."""
    found = every(connection, slug)
    return found[-1] if found and found[-1].started_at is None else None


def in_force(connection: Connection, slug: str) -> Correction | None:
    """The latest that has gone out: what the edition is by now."""
    gone = [one for one in every(connection, slug) if one.started_at is not None]
    return gone[-1] if gone else None


def moments(connection: Connection) -> dict[str, datetime]:
    """When each edition that was corrected was corrected last."""
    begun = sa.func.max(corrections.c.started_at, type_=corrections.c.started_at.type)
    statement = sa.select(corrections.c.edition, begun).where(corrections.c.started_at.is_not(None))
    return {row[0]: row[1] for row in connection.execute(statement.group_by(corrections.c.edition))}


def save(connection: Connection, slug: str, edition: Edition, *, reason: str, by: str, at: datetime) -> Correction:
    """Keep a draft, in the place of the one there was; an approval of that one is void."""
    found = every(connection, slug)
    number = len(found) + 1 if not found or found[-1].started_at is not None else found[-1].number
    row = {
        "edition": slug,
        "number": number,
        "snapshot": to_json(edition),
        "reason": reason,
        "made_by": by,
        "created_at": at,
        "approved_hash": None,
        "started_at": None,
    }
    upsert(connection, corrections, row, "edition", "number")
    return Correction(slug, number, edition, reason, by, at)


def approve(connection: Connection, draft: Correction, content_hash: str) -> bool:
    """The word for exactly this content. False where the draft is another by now."""
    return _step(connection, draft, approved_hash=content_hash)


def begin(connection: Connection, draft: Correction, *, at: datetime) -> bool:
    """It goes out now: exactly one caller gets True, and none where it was changed or approved anew meanwhile."""
    return _step(connection, draft, started_at=at)


def discard(connection: Connection, slug: str) -> bool:
    """Forget the draft. False where there was none."""
    statement = sa.delete(corrections).where(corrections.c.edition == slug, corrections.c.started_at.is_(None))
    return bool(connection.execute(statement).rowcount == 1)


def _step(connection: Connection, draft: Correction, **values: Any) -> bool:
    same = corrections.c.approved_hash.is_not_distinct_from(draft.approved_hash)
    statement = sa.update(corrections).where(
        corrections.c.edition == draft.slug,
        corrections.c.number == draft.number,
        corrections.c.created_at == draft.created_at,
        corrections.c.started_at.is_(None),
        same,
    )
    return bool(connection.execute(statement.values(**values)).rowcount == 1)


def _correction(row: Any) -> Correction:
    return Correction(
        row.edition,
        row.number,
        from_json(row.snapshot),
        row.reason,
        row.made_by,
        row.created_at,
        row.approved_hash,
        row.started_at,
    )
