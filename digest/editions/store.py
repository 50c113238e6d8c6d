"""Editions in the database. Every step is one conditional UPDATE, and its row count decides who did it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.articles.model import Article
from digest.database import insert_or_ignore
from digest.editions.ledger import TakenError, articles_of, give_back, ledger, reserve, where_is
from digest.editions.model import Edition, Overlay, Period, State
from digest.editions.rows import (
    EditionHead,
    EditionRow,
    head_of,
    latest,
    list_editions,
    load,
    overdue,
    slugs,
    snapshot_of,
    waited,
)
from digest.editions.snapshot import encode, to_json
from digest.editions.states import BEGUN
from digest.editions.steps import step
from digest.editions.tables import edition_articles, editions
from digest.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving a draft came to. `voided`: an approval was taken back, because the content is another.

    `overridden`: an approval stands that overrides a hold, so nothing needs to hold it again."""

    created: bool
    voided: bool
    overridden: bool


def save_draft(
    connection: Connection,
    edition: Edition,
    *,
    period: Period,
    content_hash: str,
    now: datetime,
    subject: str = "",
    material: Iterable[Article] | None = None,
) -> Saved:
    """Create the edition of that date, or refresh it where it has not begun, and reserve its articles.

    `material` is what `compose` was given, to arrange it again without new articles; left out, it is what
    stands and what waits. A hold stays; an approval of other content is voided. Raises RefusedError for an
    edition that has begun or was skipped, TakenError where an article is in another edition by now."""
    content = {
        "compose_at": period.compose_at,
        "send_at": period.send_at,
        "deadline": period.deadline,
        "subject": subject,
        "snapshot": to_json(edition),
        "material": encode(_material(edition) if material is None else tuple(material)),
        "content_hash": content_hash,
        "composed_at": now,
    }
    new = {
        **content,
        "slug": edition.slug,
        "day": edition.day,
        "state": "draft",
        "overlay": encode(Overlay()),
    }
    created = insert_or_ignore(connection, editions, new, editions.c.slug).first() is not None
    voided = False
    if not created:
        step(connection, edition.slug, "refresh", **content)
        voided = _void_where_changed(connection, edition.slug)
    reserve(connection, edition)
    head = head_of(connection, edition.slug)
    return Saved(created, voided, overridden=head.state == "approved" and head.override_reason != "")


def set_overlay(connection: Connection, slug: str, overlay: Overlay) -> None:
    """Keep what staff changed. The caller composes again and saves: that voids an approval where it must.

    Raises RefusedError for an edition that has begun or was skipped."""
    step(connection, slug, "arrange", overlay=_storable(encode(overlay)))


def approve(connection: Connection, slug: str, *, content_hash: str, by: str, at: datetime, reason: str = "") -> None:
    """The word of `by` for exactly this content. A held edition needs a `reason`: it overrides the hold.

    Raises RefusedError where the content is another by now, the state forbids it, or the reason lacks."""
    head = head_of(connection, slug)
    if head.state == "held" and not reason.strip():
        raise RefusedError(f"{slug} is held: {head.held_reason}", mend="give a reason to approve it all the same")
    step(
        connection, slug, "approve", editions.c.content_hash == content_hash, editions.c.state == head.state,
        why="it is not what was looked at: it has changed since", mend="look at the preview again",
        approved_hash=content_hash, approved_by=by, approved_at=at, override_reason=reason.strip(),
        voided_by="", held_reason="", held_by="",
    )  # fmt: skip
    if head.expired_at is not None:
        reserve(connection, snapshot_of(connection, slug))


def void_approval(connection: Connection, slug: str) -> None:
    """Take an approval back: what it covered is no longer what would be sent."""
    by = head_of(connection, slug).approved_by
    step(connection, slug, "void", voided_by=by, **_NO_APPROVAL)


def hold(connection: Connection, slug: str, reason: str, at: datetime, *, by: str = "") -> bool:
    """Hold an edition, by a rule or by the word of `by`. A rule never takes the place of a person's hold.

    Returns whether this hold stands. Raises RefusedError where the edition has begun or was skipped."""
    if not by:
        head = head_of(connection, slug)
        if head.state == "held" and head.held_by:
            return False
    step(connection, slug, "hold", held_reason=reason, held_by=by, changed_at=at, override_reason="", seeded_at=None)
    return True


def release(connection: Connection, slug: str) -> State:
    """Let a held edition go on: approved where its approval still covers the content, else a draft."""
    still = editions.c.approved_hash == editions.c.content_hash
    after = sa.case((still, "approved"), else_="draft")
    step(connection, slug, "release", state=after, held_reason="", held_by="")
    return head_of(connection, slug).state


def skip(connection: Connection, slug: str, at: datetime) -> None:
    """No edition this time: its articles come in a later one."""
    step(connection, slug, "skip", finished_at=at)
    give_back(connection, slug)


def expire(connection: Connection, slug: str, at: datetime, reason: str = "its deadline has passed") -> bool:
    """Hold an edition that has not begun in time, and give its articles back. False where it had."""
    if head_of(connection, slug).expired_at is not None:
        return False
    held = sa.case((editions.c.held_reason == "", reason), else_=editions.c.held_reason + "; " + reason)
    step(connection, slug, "expire", held_reason=held, expired_at=at)
    give_back(connection, slug)
    return True


def begin(
    connection: Connection,
    slug: str,
    *,
    at: datetime,
    automatic: bool = False,
    content_hash: str | None = None,
    candidates: int | None = None,
) -> bool:
    """Start to send: exactly one caller gets True, and the edition's articles are carried for ever.

    `content_hash` is that of what is about to go, where the caller has worked it out anew. Raises
    RefusedError for an edition that may not go (not approved, approved for other content, held, skipped),
    TakenError for a late one whose articles another edition has taken."""
    approved = sa.and_(editions.c.state == "approved", editions.c.approved_hash == editions.c.content_hash)
    may_go = sa.or_(approved, editions.c.state == "draft") if automatic else approved
    if content_hash is not None:
        may_go = sa.and_(may_go, editions.c.content_hash == content_hash)
    statement = sa.update(editions).where(editions.c.slug == slug, may_go)
    won = connection.execute(statement.values(state="sending", started_at=at, candidates=candidates)).rowcount == 1
    if won:
        reserve(connection, snapshot_of(connection, slug))
        return True
    state = head_of(connection, slug).state
    if state in BEGUN:
        return False
    why = "is not what was approved" if state == "approved" else f"is {state}, not approved"
    raise RefusedError(f"{slug} {why}", mend="look at the preview, then approve it")


def set_candidates(connection: Connection, slug: str, candidates: int) -> None:
    """How many readers the edition goes to, counted once, in the transaction that begins it."""
    statement = sa.update(editions).where(editions.c.slug == slug, editions.c.state == "sending")
    if connection.execute(statement.values(candidates=candidates)).rowcount != 1:
        raise RefusedError(f"{slug} is not being sent: its candidates cannot be counted")


def pause(connection: Connection, slug: str, *, reason: str, at: datetime) -> None:
    """Stop handing out deliveries of an edition that has begun."""
    step(connection, slug, "pause", held_reason=reason, changed_at=at)


def resume(connection: Connection, slug: str, *, at: datetime) -> None:
    """Let a paused edition go on."""
    step(connection, slug, "resume", held_reason="", changed_at=at)


def stop(connection: Connection, slug: str, *, reason: str, at: datetime) -> None:
    """Nothing more of it goes out. It is finished as soon as what is in flight is settled."""
    step(connection, slug, "stop", held_reason=reason, changed_at=at)


def finish(connection: Connection, slug: str, *, at: datetime) -> None:
    """Every delivery is settled."""
    step(connection, slug, "finish", finished_at=at)


def reopen(connection: Connection, slug: str) -> None:
    """A person had a delivery sent again: the edition goes on until that one is settled."""
    step(connection, slug, "reopen", finished_at=None)


def seed(connection: Connection, slug: str, *, at: datetime) -> None:
    """The seed list has it now; everyone else gets it some time later."""
    step(connection, slug, "seed", seeded_at=at)


_NO_APPROVAL: dict[str, Any] = {
    "seeded_at": None,  # what the seed list looked at is not what would go
    "approved_hash": None,
    "approved_by": "",
    "approved_at": None,
    "override_reason": "",
}


def _void_where_changed(connection: Connection, slug: str) -> bool:
    statement = sa.update(editions).where(editions.c.slug == slug, editions.c.approved_hash != editions.c.content_hash)
    state = sa.case((editions.c.state == "approved", "draft"), else_=editions.c.state)
    values = {**_NO_APPROVAL, "state": state, "voided_by": editions.c.approved_by}
    return connection.execute(statement.values(**values)).rowcount == 1


def _material(edition: Edition) -> tuple[Article, ...]:
    standing = (placed.article for section in edition.sections for placed in section.articles)
    return (*standing, *(waiting.article for waiting in edition.waiting))


def _storable(value: Any) -> Any:
    """What staff typed, without what a database refuses: NUL, and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return {_storable(key): _storable(item) for key, item in value.items()} if isinstance(value, dict) else value


__all__ = [
    "EditionHead",
    "EditionRow",
    "Saved",
    "TakenError",
    "approve",
    "articles_of",
    "begin",
    "edition_articles",
    "editions",
    "expire",
    "finish",
    "head_of",
    "hold",
    "latest",
    "ledger",
    "list_editions",
    "load",
    "overdue",
    "pause",
    "release",
    "reopen",
    "resume",
    "save_draft",
    "seed",
    "set_candidates",
    "set_overlay",
    "skip",
    "slugs",
    "stop",
    "void_approval",
    "waited",
    "where_is",
]
