"""Which article is in which edition: reserved while the edition is open, carried for ever once it has begun.

An edition whose deadline has passed keeps no claim: the next edition may take its articles even if somebody
reserves them again for a late send, and that late send is then refused."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import insert_or_ignore
from digest.editions.model import Edition
from digest.editions.states import OPEN
from digest.editions.tables import edition_articles, editions
from digest.errors import RefusedError

_WITHOUT_CLAIM = sa.and_(editions.c.state.in_(OPEN), editions.c.expired_at.is_not(None))


class TakenError(RefusedError):
    """Articles of this edition stand in another by now. `taken`: the other edition by article id."""

    def __init__(self, slug: str, taken: dict[str, str]) -> None:
        others = ", ".join(sorted(set(taken.values())))
        several = "1 of its articles stands" if len(taken) == 1 else f"{len(taken)} of its articles stand"
        super().__init__(f"{slug}: {several} in {others} by now", mend=f"compose {slug} again")
        self.taken = taken


def ledger(_connection: Connection, *, except_edition: str = "") -> sa.Select[Any]:
    """The ids of the articles that are taken by another edition than this one: sent, going, or reserved.

    A SELECT, to be used as a subquery."""
    return (
        sa.select(edition_articles.c.article)
        .join(editions, editions.c.slug == edition_articles.c.edition)
        .where(edition_articles.c.edition != except_edition, sa.not_(_WITHOUT_CLAIM))
    )


def where_is(connection: Connection, article: str) -> str | None:
    """The slug of the edition that an article is in, or None."""
    statement = sa.select(edition_articles.c.edition).where(edition_articles.c.article == article)
    found: str | None = connection.execute(statement).scalar()
    return found


def articles_of(connection: Connection, slug: str) -> dict[str, str]:
    """The section by article id, of everything that is reserved or carried by an edition."""
    statement = sa.select(edition_articles.c.article, edition_articles.c.section)
    rows = connection.execute(statement.where(edition_articles.c.edition == slug))
    return {row.article: row.section for row in rows}


def reserve(connection: Connection, edition: Edition) -> None:
    """Take every article that stands in this edition, and give back what it held before.

    Further reading too, lest a partner’s piece come every week. The edition’s own row must be locked
    by an UPDATE in this transaction. Raises TakenError where another edition has one of them."""
    slug = edition.slug
    wanted = {p.article.id: section.slug for section in edition.sections for p in section.articles}
    give_back(connection, slug)
    if not wanted:
        return
    _take_from_expired(connection, slug, wanted)
    rows = [{"article": a, "edition": slug, "section": wanted[a]} for a in sorted(wanted)]
    insert_or_ignore(connection, edition_articles, rows)
    statement = sa.select(edition_articles.c.article, edition_articles.c.edition)
    statement = statement.where(edition_articles.c.article.in_(wanted), edition_articles.c.edition != slug)
    taken = {row.article: row.edition for row in connection.execute(statement)}
    if taken:
        raise TakenError(slug, taken)


def give_back(connection: Connection, slug: str) -> None:
    """Free every article of an edition that has not begun."""
    connection.execute(sa.delete(edition_articles).where(edition_articles.c.edition == slug))


def _take_from_expired(connection: Connection, slug: str, wanted: dict[str, str]) -> None:
    # Their rows are locked first, so that none begins while its articles are taken.
    statement = sa.select(editions.c.slug).where(_WITHOUT_CLAIM, editions.c.slug != slug).order_by(editions.c.slug)
    if connection.dialect.name != "sqlite":
        statement = statement.with_for_update()
    expired = connection.execute(statement).scalars().all()
    if expired:
        connection.execute(
            sa.delete(edition_articles).where(
                edition_articles.c.edition.in_(expired), edition_articles.c.article.in_(wanted)
            )
        )
