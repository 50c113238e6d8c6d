"""Who has got what, by the ledger: the readers of a rendition that went out, or may have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.delivery.model import Status
from digest.delivery.tables import SETTLED, deliveries

_CHUNK = 1_000
_MAY_HAVE_IT = (Status.SENT.value, Status.UNCERTAIN.value)


def renditions(connection: Connection, key: str, *, later: Sequence[str] = ()) -> dict[str, int]:
    """How many readers have, or may have, each rendition of a key, and nothing of the `later` keys."""
    statement = (
        sa.select(deliveries.c.rendition, sa.func.count())
        .where(*_last_got(key, later))
        .group_by(deliveries.c.rendition)
        .order_by(deliveries.c.rendition)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def readers(connection: Connection, key: str, *, later: Sequence[str] = ()) -> Iterator[tuple[int, str, str]]:
    """Subscriber, address and rendition of those; a page at a time, however many there are."""
    table = deliveries.c
    after = 0
    while True:
        statement = (
            sa.select(table.id, table.subscriber, table.address, table.rendition)
            .where(*_last_got(key, later, in_the_table=True), table.id > after)
            .order_by(table.id)
            .limit(_CHUNK)
        )
        page = connection.execute(statement).all()
        for row in page:
            yield row.subscriber, row.address, row.rendition
        if len(page) < _CHUNK:
            return
        after = page[-1].id


def _last_got(
    key: str, later: Sequence[str], *, in_the_table: bool = False
) -> list[sa.ColumnElement[bool] | sa.TextClause]:
    """`in_the_table`: by no index. An edition's rows lie side by side, and each page goes on where the last one ended;
    an index would be sorted anew for each."""
    table = deliveries.c
    same = (
        (table.key + "" == key, table.mail + "" == "digest")
        if in_the_table
        else (SETTLED, table.key == key, table.mail == "digest")
    )
    conditions: list[sa.ColumnElement[bool] | sa.TextClause] = [
        *same,
        table.status.in_(_MAY_HAVE_IT),
        table.subscriber.is_not(None),
    ]
    if later:
        newer = deliveries.alias("newer")
        conditions.append(
            ~sa.exists(
                sa.select(newer.c.id).where(
                    newer.c.mail == "digest",
                    newer.c.key.in_(later),
                    newer.c.recipient == table.recipient,
                    newer.c.status.in_(_MAY_HAVE_IT),
                )
            )
        )
    return conditions
