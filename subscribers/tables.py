"""The tables of the audience."""

from __future__ import annotations

import sqlalchemy as sa

from digest.database import JSON, BigKey, UTCDateTime, metadata, partial_index

subscribers = sa.Table(
    "subscribers",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("match_key", sa.String(330), nullable=False, unique=True),
    sa.Column("address", sa.String(330), nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("regions", sa.Text, nullable=False, server_default=""),  # sorted slugs with commas; "" is all
    sa.Column("language", sa.String(35), nullable=False, server_default=""),
    sa.Column("since", UTCDateTime),
    sa.Column("consent", sa.Text, nullable=False, server_default=""),
    sa.Column("left_at", UTCDateTime),
    sa.Column("paused_until", UTCDateTime),  # their own pause: no digest before then
    sa.Column("created_at", UTCDateTime, nullable=False),
    sqlite_autoincrement=True,  # a number is never used again: an old link must not reach a new reader
)
sa.Index("ix_subscribers_status_regions", subscribers.c.status, subscribers.c.regions)
partial_index("ix_subscribers_paused", subscribers.c.paused_until, where=subscribers.c.paused_until.is_not(None))

suppressions = sa.Table(
    "suppressions",
    metadata,
    sa.Column("address_hash", sa.String(64), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", UTCDateTime, nullable=False),
)

consents = sa.Table(
    "consents",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("subscriber", sa.BigInteger, nullable=False, index=True),
    sa.Column("at", UTCDateTime, nullable=False),
    sa.Column("event", sa.String(32), nullable=False),
    sa.Column("detail", JSON, nullable=False),
)

wishes = sa.Table(
    "wishes",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("address_key", sa.String(64), nullable=False, unique=True),  # a hash: who asks twice waits once
    sa.Column("address", sa.Text, nullable=False),  # as it was typed
    sa.Column("regions", sa.Text, nullable=False, server_default=""),
    sa.Column("language", sa.String(35), nullable=False, server_default=""),
    sa.Column("evidence", JSON, nullable=False),  # ip, user_agent, form, wording
    sa.Column("at", UTCDateTime, nullable=False),
)
"""Sign-ups that nobody has looked at yet."""

confirmations = sa.Table(
    "confirmations",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("token_id", sa.String(32), nullable=False, unique=True),  # random; the key of its delivery
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("purpose", sa.String(16), nullable=False),
    sa.Column("subscriber", sa.BigInteger),
    sa.Column("address_hash", sa.String(64), nullable=False),  # for the limits; the address itself is in the detail
    sa.Column("domain", sa.String(255), nullable=False, server_default=""),
    sa.Column("detail", JSON, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("expires_at", UTCDateTime, nullable=False),
    sa.Column("used_at", UTCDateTime),
)
"""What waits for a press of a reader's button. The token itself is in their mail only."""
sa.Index("ix_confirmations_address", confirmations.c.address_hash, confirmations.c.created_at)
sa.Index("ix_confirmations_domain", confirmations.c.domain, confirmations.c.created_at)
sa.Index("ix_confirmations_subscriber", confirmations.c.subscriber)
sa.Index("ix_confirmations_created", confirmations.c.created_at)

strikes = sa.Table(
    "strikes",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("subscriber", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # soft, hard-second
    sa.Column("key", sa.String(100), nullable=False),  # the edition: it counts once
    sa.Column("at", UTCDateTime, nullable=False),
    sa.UniqueConstraint("subscriber", "kind", "key", name="uq_strikes_once"),
)
"""What counts against an address until a mail gets through."""

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.String(64), nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("used_at", UTCDateTime),
    sa.Column("revoked_at", UTCDateTime),
)
"""Who may speak for the publication's own systems."""
