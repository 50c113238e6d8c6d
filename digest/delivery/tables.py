"""The tables of the outbox."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from digest.database import BigKey, UTCDateTime, metadata, partial_index
from digest.delivery.model import Delivery

_SETTLED = "status NOT IN ('pending', 'claimed')"

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("mail", sa.String(16), nullable=False),
    sa.Column("key", sa.String(100), nullable=False),
    sa.Column("recipient", sa.String(330), nullable=False),  # "s:<subscriber id>", or the address
    sa.Column("subscriber", sa.BigInteger),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("provider", sa.String(64), nullable=False, server_default=""),  # who takes mail for the address
    sa.Column("rendition", sa.String(64), nullable=False),
    sa.Column("message_id", sa.String(320), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("reply_code", sa.Integer, nullable=False, server_default="0"),
    sa.Column("reply_status", sa.String(16), nullable=False, server_default=""),
    sa.Column("reply_text", sa.Text, nullable=False, server_default=""),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("first_attempt_at", UTCDateTime),
    sa.Column("due_at", UTCDateTime, nullable=False),
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("claim", sa.String(32), nullable=False, server_default=""),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("settled_at", UTCDateTime),
    sa.Column("content_hash", sa.String(64), nullable=False, server_default=""),  # of the very message that left
    sa.UniqueConstraint("mail", "key", "recipient", name="uq_deliveries_recipient"),
)
# A claim and a settlement touch few of these, and in each few places: a million mails are then as quick as a thousand.
for _name, _columns, _where in (
    ("due", ("priority", "due_at", "id", "provider"), "status = 'pending'"),
    ("claimed", ("claim",), "status = 'claimed'"),
    (
        "open",
        ("key", "priority", "due_at", "id", "provider", "mail", "reply_code", "reply_status"),
        "status = 'pending'",
    ),
    ("withdrawn", ("claim", "id", "reason"), "status = 'claimed' AND reason <> ''"),
    ("uncertain", ("key", "id"), "status = 'uncertain'"),
    ("books", ("key", "mail", "status", "provider", "reply_code", "reply_status"), _SETTLED),
    ("subscriber", ("subscriber",), None),
):
    partial_index(
        f"ix_deliveries_{_name}",
        *(deliveries.c[column] for column in _columns),
        where=sa.text(_where) if _where else None,
    )

claims = sa.Table(
    "claims",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("host", sa.String(300), nullable=False),
    sa.Column("boot_id", sa.String(64), nullable=False),
    sa.Column("pid", sa.BigInteger, nullable=False),
    sa.Column("started", sa.BigInteger, nullable=False),
    sa.Column("journal", sa.Text, nullable=False),
    sa.Column("expires_at", UTCDateTime, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
)

paces = sa.Table(
    "paces",
    metadata,
    sa.Column("name", sa.String(100), primary_key=True),  # relay:<host>:<port>, provider:<name>
    sa.Column("free_at", UTCDateTime, nullable=False),  # when the next message may go
    sa.Column("slow_until", UTCDateTime),  # until when a provider that said "slow down" is left alone
    sa.Column("slowness", sa.Integer, nullable=False, server_default="0"),  # how often it said so in a row
)
"""Rates that hold across processes and restarts."""

PENDING: sa.ColumnElement[str] = sa.literal_column("'pending'")  # a literal, or a partial index is not used
CLAIMED: sa.ColumnElement[str] = sa.literal_column("'claimed'")
SETTLED = sa.text(f"deliveries.{_SETTLED}")
"""Neither pending nor claimed. With it, and only with it, the figures come from an index."""

DELIVERY = tuple(
    deliveries.c[name]
    for name in (
        "id", "mail", "key", "address", "rendition", "message_id", "subscriber", "attempts",
        "first_attempt_at", "claim",
    )
)  # fmt: skip
"""The columns of a `Delivery`, in its order."""


def delivery_of(row: Any) -> Delivery:
    return Delivery._make(row[: len(DELIVERY)])
