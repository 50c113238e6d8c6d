"""Editions as they are read from the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.articles.model import Article
from digest.editions.model import Edition, Overlay, Period, State
from digest.editions.snapshot import decode, from_json
from digest.editions.states import OPEN
from digest.editions.tables import editions
from digest.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class EditionHead:
    """An edition without its contents. `held_reason` is also why it is paused; `held_by` is "" for a rule.

    `voided_by`: whose approval a change took back, until it is approved again."""

    slug: str
    day: date
    state: State
    compose_at: datetime | None
    send_at: datetime | None
    deadline: datetime | None
    subject: str
    content_hash: str
    approved_hash: str | None
    approved_by: str
    approved_at: datetime | None
    override_reason: str
    voided_by: str
    held_reason: str
    held_by: str
    changed_at: datetime | None
    composed_at: datetime
    expired_at: datetime | None
    seeded_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    candidates: int | None

    @property
    def period(self) -> Period:
        return Period(self.day, self.compose_at, self.send_at, self.deadline)

    @property
    def held_by_rule(self) -> bool:
        """Whether it is held without a person's word, so that it may go on when the reason is gone."""
        return self.state == "held" and not self.held_by


@dataclass(frozen=True, slots=True)
class EditionRow(EditionHead):
    """An edition with its contents. `material`: the articles, partners' too, that it was composed from."""

    edition: Edition
    overlay: Overlay
    material: tuple[Article, ...]


def load(connection: Connection, slug: str) -> EditionRow | None:
    """The edition of that date, or None."""
    return _row(connection.execute(sa.select(editions).where(editions.c.slug == slug)).mappings().first())


def latest(connection: Connection) -> EditionRow | None:
    """The edition of the latest date, or None."""
    statement = sa.select(editions).order_by(editions.c.day.desc()).limit(1)
    return _row(connection.execute(statement).mappings().first())


def list_editions(connection: Connection, *, states: Sequence[State] = (), limit: int = 60) -> tuple[EditionHead, ...]:
    """The latest editions first, without their contents; only those in these states, where any are named."""
    statement = sa.select(*_HEAD).order_by(editions.c.day.desc()).limit(limit)
    if states:
        statement = statement.where(editions.c.state.in_(states))
    return tuple(EditionHead(**row) for row in connection.execute(statement).mappings())


def slugs(connection: Connection, states: Sequence[State]) -> list[str]:
    """The editions in one of these states, in no order."""
    return list(connection.execute(_SLUGS, {"states": list(states)}).scalars())


_SLUGS = sa.select(editions.c.slug).where(editions.c.state.in_(sa.bindparam("states", expanding=True)))


def overdue(connection: Connection, now: datetime) -> tuple[EditionHead, ...]:
    """Editions that should have gone and did not: not begun, their deadline passed, not expired yet."""
    statement = sa.select(*_HEAD).where(
        editions.c.state.in_(OPEN), editions.c.deadline < now, editions.c.expired_at.is_(None)
    )
    return tuple(EditionHead(**row) for row in connection.execute(statement.order_by(editions.c.day)).mappings())


def waited(connection: Connection, before: date) -> frozenset[str]:
    """The ids that could have stood in the edition before that date: those that are not taken have waited."""
    statement = sa.select(editions.c.material).where(editions.c.day < before).order_by(editions.c.day.desc())
    material = connection.execute(statement.limit(1)).scalar()
    return frozenset(article["id"] for article in material or ())


def head_of(connection: Connection, slug: str) -> EditionHead:
    """The edition without its contents. Raises NotFoundError."""
    row = connection.execute(sa.select(*_HEAD).where(editions.c.slug == slug)).mappings().first()
    if row is None:
        raise NotFoundError(f"there is no edition {slug}", mend="make its draft with `digest compose`")
    return EditionHead(**row)


def _row(stored: sa.RowMapping | None) -> EditionRow | None:
    if stored is None:
        return None
    head = {f.name: stored[f.name] for f in fields(EditionHead)}
    return EditionRow(
        **head,
        edition=from_json(stored["snapshot"]),
        overlay=decode(Overlay, stored["overlay"]),
        material=tuple(decode(Article, article) for article in stored["material"]),
    )


def snapshot_of(connection: Connection, slug: str) -> Edition:
    """What was composed."""
    return from_json(connection.execute(sa.select(editions.c.snapshot).where(editions.c.slug == slug)).scalar_one())


_CONTENTS = ("snapshot", "overlay", "material")
_HEAD = [column for column in editions.c if column.name not in _CONTENTS]
