"""What came back, in the database: each report once."""

from __future__ import annotations

import sqlalchemy as sa

from digest.database import BigKey, UTCDateTime, metadata

bounces = sa.Table(
    "bounces",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("event", sa.String(64), nullable=False, unique=True),  # a hash of the report: a replay is not news
    sa.Column("kind", sa.String(16), nullable=False),  # bounce, complaint, leave, ignored, unknown
    sa.Column("verdict", sa.String(16), nullable=False, server_default=""),
    sa.Column("delivery", sa.BigInteger),
    sa.Column("subscriber", sa.BigInteger),
    sa.Column("provider", sa.String(64), nullable=False, server_default=""),
    sa.Column("status", sa.String(16), nullable=False, server_default=""),
    sa.Column("diagnostic", sa.Text, nullable=False, server_default=""),
    sa.Column("source", sa.String(32), nullable=False),  # imap, maildir, lmtp, ses, postmark, mailgun, sendgrid
    sa.Column("why", sa.Text, nullable=False, server_default=""),  # what was made of it, or why nothing was
    sa.Column("at", UTCDateTime, nullable=False),
)
sa.Index("ix_bounces_at", bounces.c.at)
sa.Index("ix_bounces_delivery", bounces.c.delivery)
