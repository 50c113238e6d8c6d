"""The tables of this room."""

from __future__ import annotations

import sqlalchemy as sa

from digest.database import JSON, UTCDateTime, metadata

editions = sa.Table(
    "editions",
    metadata,
    sa.Column("slug", sa.String(10), primary_key=True),  # one edition a date
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("compose_at", UTCDateTime),
    sa.Column("send_at", UTCDateTime),
    sa.Column("deadline", UTCDateTime),
    sa.Column("subject", sa.Text, nullable=False, default=""),
    sa.Column("snapshot", JSON, nullable=False),
    sa.Column("material", JSON, nullable=False),  # the articles it was composed from, as the feeds gave them
    sa.Column("overlay", JSON, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("approved_hash", sa.String(64)),
    sa.Column("approved_by", sa.Text, nullable=False, default=""),
    sa.Column("approved_at", UTCDateTime),
    sa.Column("override_reason", sa.Text, nullable=False, default=""),
    sa.Column("voided_by", sa.Text, nullable=False, default=""),  # whose approval a change took back
    sa.Column("held_reason", sa.Text, nullable=False, default=""),
    sa.Column("held_by", sa.Text, nullable=False, default=""),  # empty: a rule held it, not a person
    sa.Column("changed_at", UTCDateTime),  # when it was last held, paused or let go on
    sa.Column("composed_at", UTCDateTime, nullable=False),
    sa.Column("expired_at", UTCDateTime),
    sa.Column("seeded_at", UTCDateTime),  # when the seed list got it
    sa.Column("started_at", UTCDateTime),
    sa.Column("finished_at", UTCDateTime),
    sa.Column("candidates", sa.Integer),
    sa.CheckConstraint("state IN ('draft', 'approved', 'held', 'sending', 'paused', 'sent', 'skipped')", name="state"),
)

# No foreign key to the articles: the ledger outlives an article that is pruned, lest it be sent again.
edition_articles = sa.Table(
    "edition_articles",
    metadata,
    sa.Column("article", sa.String(64), primary_key=True),  # an article is in at most one edition
    sa.Column("edition", sa.ForeignKey("editions.slug"), nullable=False, index=True),
    sa.Column("section", sa.Text, nullable=False),
)

corrections = sa.Table(
    "corrections",
    metadata,
    sa.Column("edition", sa.ForeignKey("editions.slug"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # 1, 2, …: the key of its mails is edition#correction-n
    sa.Column("snapshot", JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("approved_hash", sa.String(64)),
    sa.Column("started_at", UTCDateTime),
)
"""What was put right in an edition that had gone out."""
