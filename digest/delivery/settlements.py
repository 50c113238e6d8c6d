"""Settlements: what becomes of the deliveries of a claim, and how that is written into the outbox."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.bulk import Texts
from digest.database import BigKey, UTCDateTime
from digest.delivery.model import Delivery, Outcome, Status, Verdict
from digest.delivery.tables import CLAIMED, PENDING, deliveries


class Settlement(NamedTuple):
    """What becomes of a claimed delivery. `due_at` where it is pending again; `tried`: it counts as an
    attempt; `content_hash`: of the body that began to go, if one did."""

    delivery: Delivery
    status: Status
    reason: str = ""
    outcome: Outcome | None = None
    due_at: datetime | None = None
    tried: bool = True
    content_hash: str = ""


def settlement(delivery: Delivery, outcome: Outcome, content_hash: str = "") -> Settlement:
    """The one place that says which verdict leaves a delivery in which status."""
    verdict = outcome.verdict
    if verdict is Verdict.SENT:
        return Settlement(delivery, Status.SENT, "", outcome, content_hash=content_hash)
    if verdict is Verdict.UNCERTAIN:
        return Settlement(delivery, Status.UNCERTAIN, outcome.text, outcome, content_hash=content_hash)
    if outcome.retry_at is not None:
        tried = verdict is not Verdict.PAUSE
        return Settlement(delivery, Status.PENDING, "", outcome, outcome.retry_at, tried, content_hash)
    return Settlement(delivery, Status.FAILED, verdict.value, outcome, content_hash=content_hash)


_EACH = Texts(sa.bindparam("s_each", type_=sa.Text)).table_valued("key", "value", name="each")
"""What differs in a group: by number, the content hash and, right after it, the reply's text."""
_HASHED = sa.bindparam("s_hashed", type_=sa.Integer)
_OURS = (
    deliveries.c.id == sa.cast(_EACH.c.key, BigKey),
    deliveries.c.claim == sa.bindparam("s_claim"),
    # A result that comes after its lease was given up still tells the truth.
    deliveries.c.status.in_((CLAIMED, sa.literal_column("'uncertain'"))),
)
_ERASED = deliveries.c.address == sa.literal_column("''")
"""Its reader was erased while a sender held it: what the server said may name them."""
_SAID = {
    "reply_code": sa.bindparam("s_code"),
    "reply_status": sa.bindparam("s_reply_status"),
    "reply_text": sa.case((_ERASED, sa.literal_column("''")), else_=sa.func.substr(_EACH.c.value, _HASHED + 1)),
    "attempts": deliveries.c.attempts + sa.bindparam("s_tried", type_=sa.Integer),
    # An attempt of which nothing went leaves the hash of what went before.
    "content_hash": sa.case((_HASHED > 0, sa.func.substr(_EACH.c.value, 1, _HASHED)), else_=deliveries.c.content_hash),
}
_SETTLE = (
    sa.update(deliveries)
    .where(*_OURS)
    .values(
        status=sa.bindparam("s_status"),
        reason=sa.case((_ERASED, sa.literal_column("'erased'")), else_=sa.bindparam("s_reason", type_=sa.Text)),
        settled_at=sa.bindparam("s_now", type_=UTCDateTime),
        **_SAID,
    )
)

_WITHDRAWN = sa.and_(deliveries.c.status == CLAIMED, deliveries.c.reason != sa.literal_column("''"))
"""Its reader left, or its edition was stopped, while a sender held it: it never becomes pending again."""


def _put_back(now: sa.ColumnElement[Any]) -> dict[str, Any]:
    """Pending again, or excluded with the reason where it was withdrawn meanwhile."""
    return {
        "status": sa.case((_WITHDRAWN, sa.literal_column("'excluded'")), else_=PENDING),
        "reason": sa.case((_WITHDRAWN, deliveries.c.reason), else_=sa.literal_column("''")),
        "settled_at": sa.case((_WITHDRAWN, now), else_=sa.null()),
    }


_DEFER = (
    sa.update(deliveries)
    .where(*_OURS)
    .values(
        due_at=sa.func.coalesce(sa.bindparam("s_due_at", type_=UTCDateTime), deliveries.c.due_at),
        **_put_back(sa.bindparam("s_now", type_=UTCDateTime)),
        **_SAID,
    )
)


class _Same(NamedTuple):
    """What a group of results has in common: it is settled in one statement."""

    claim: str
    status: str
    reason: str
    due_at: datetime | None
    tried: bool
    code: int
    reply_status: str
    hashed: int  # the length of their content hashes


def settle(connection: Connection, results: Sequence[Settlement], *, now: datetime) -> None:
    """Writes what became of claimed deliveries, each once. One that somebody has settled by hand meanwhile is left
    alone; one that is to be tried again and was withdrawn meanwhile is excluded."""
    groups: dict[_Same, dict[int, str]] = {}
    for delivery, status, reason, outcome, due_at, tried, content_hash in results:
        _, code, said, text, _ = outcome or _NOTHING_SAID
        same = _Same(delivery.claim, status.value, reason, due_at, tried, code, said, len(content_hash))
        groups.setdefault(same, {})[delivery.id] = content_hash + text
    for same, each in groups.items():
        ends = same.status != Status.PENDING.value
        values = {"s_status": same.status, "s_reason": same.reason} if ends else {"s_due_at": same.due_at}
        connection.execute(
            _SETTLE if ends else _DEFER,
            {
                "s_claim": same.claim,
                "s_code": same.code,
                "s_reply_status": same.reply_status,
                "s_tried": int(same.tried),
                "s_hashed": same.hashed,
                "s_now": now,
                "s_each": json.dumps(each),
                **values,
            },
        )


_NOTHING_SAID = Outcome(Verdict.SENT)


def release_rest(connection: Connection, claim_id: str, *, now: datetime) -> int:
    """Gives back whatever of a claim has no result; returns how many. The date of one that was never tried is then that
    of a later claim."""
    table = deliveries.c
    statement = (
        sa.update(deliveries)
        .where(table.claim == claim_id, table.status == CLAIMED)
        .values(
            first_attempt_at=sa.case((table.attempts == 0, sa.null()), else_=table.first_attempt_at),
            **_put_back(sa.bindparam("r_now", now, UTCDateTime)),
        )
    )
    return int(connection.execute(statement).rowcount)


def doubt_rest(connection: Connection, claim_id: str, reason: str, *, now: datetime) -> int:
    """Makes uncertain whatever of a claim has no result; returns how many."""
    statement = (
        sa.update(deliveries)
        .where(deliveries.c.claim == claim_id, deliveries.c.status == CLAIMED)
        .values(status=Status.UNCERTAIN.value, reason=reason, settled_at=now)
    )
    return int(connection.execute(statement).rowcount)
