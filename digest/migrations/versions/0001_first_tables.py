"""The first tables

Revision: 0001, after None
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import digest.database

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "articles",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_words", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("topics", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("published_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("first_seen", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("image", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("reading_minutes", sa.Integer(), nullable=False),
        sa.Column("comments", sa.Integer(), nullable=True),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.Column("why_not", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("updated_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("dropped_by", sa.Text(), nullable=True),
        sa.Column("dropped_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
    )
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.create_index("ix_articles_role_eligible", ["role", "eligible"], unique=False)

    op.create_table(
        "calendars",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("read_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_calendars")),
    )
    op.create_table(
        "claims",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("host", sa.String(length=300), nullable=False),
        sa.Column("boot_id", sa.String(length=64), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("journal", sa.Text(), nullable=False),
        sa.Column("expires_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("created_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subscriber", sa.BigInteger(), nullable=False),
        sa.Column("at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_subscriber"), ["subscriber"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mail", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("recipient", sa.String(length=330), nullable=False),
        sa.Column("subscriber", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("rendition", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=320), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("reply_code", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reply_status", sa.String(length=16), server_default="", nullable=False),
        sa.Column("reply_text", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_attempt_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("due_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("claim", sa.String(length=32), server_default="", nullable=False),
        sa.Column("created_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("settled_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("mail", "key", "recipient", name="uq_deliveries_recipient"),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_deliveries_books", ["key", "mail", "status"], unique=False)
        batch_op.create_index(
            "ix_deliveries_claimed",
            ["claim"],
            unique=False,
            sqlite_where=sa.text("status = 'claimed'"),
            postgresql_where=sa.text("status = 'claimed'"),
        )
        batch_op.create_index(
            "ix_deliveries_due",
            ["priority", "due_at", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        )
        batch_op.create_index(
            "ix_deliveries_open_key",
            ["key", "due_at"],
            unique=False,
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        )
        batch_op.create_index("ix_deliveries_subscriber", ["subscriber"], unique=False)
        batch_op.create_index(
            "ix_deliveries_uncertain",
            ["key", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'uncertain'"),
            postgresql_where=sa.text("status = 'uncertain'"),
        )

    op.create_table(
        "editions",
        sa.Column("slug", sa.String(length=10), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("compose_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("send_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("deadline", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("material", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("overlay", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("approved_hash", sa.String(length=64), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("override_reason", sa.Text(), nullable=False),
        sa.Column("voided_by", sa.Text(), nullable=False),
        sa.Column("held_reason", sa.Text(), nullable=False),
        sa.Column("held_by", sa.Text(), nullable=False),
        sa.Column("changed_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("composed_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("expired_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("started_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("candidates", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'approved', 'held', 'sending', 'paused', 'sent', 'skipped')",
            name=op.f("ck_editions_state"),
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_editions")),
    )
    op.create_table(
        "feeds",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("own_title", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("known_since", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("moved_to", sa.Text(), nullable=True),
        sa.Column("first_good_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("last_good_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("whole_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=40), server_default="", nullable=False),
        sa.Column("sentence", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_feeds")),
    )
    op.create_table(
        "renditions",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("preheader", sa.Text(), nullable=False),
        sa.Column("regions", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_renditions")),
    )
    op.create_table(
        "subscribers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("match_key", sa.String(length=330), nullable=False),
        sa.Column("address", sa.String(length=330), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("regions", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.String(length=35), server_default="", nullable=False),
        sa.Column("since", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("consent", sa.Text(), server_default="", nullable=False),
        sa.Column("left_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("created_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
        sa.UniqueConstraint("match_key", name=op.f("uq_subscribers_match_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("subscribers", schema=None) as batch_op:
        batch_op.create_index("ix_subscribers_status_regions", ["status", "regions"], unique=False)

    op.create_table(
        "suppressions",
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "article_keys",
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("article", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["article"], ["articles.id"], name=op.f("fk_article_keys_article"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_article_keys")),
    )
    with op.batch_alter_table("article_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_keys_article"), ["article"], unique=False)

    op.create_table(
        "edition_articles",
        sa.Column("article", sa.String(length=64), nullable=False),
        sa.Column("edition", sa.String(length=10), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["edition"], ["editions.slug"], name=op.f("fk_edition_articles_edition")),
        sa.PrimaryKeyConstraint("article", name=op.f("pk_edition_articles")),
    )
    with op.batch_alter_table("edition_articles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_edition_articles_edition"), ["edition"], unique=False)

    op.create_table(
        "edition_renditions",
        sa.Column("edition", sa.String(length=10), nullable=False),
        sa.Column("regions", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["renditions.hash"], name=op.f("fk_edition_renditions_hash")),
        sa.PrimaryKeyConstraint("edition", "regions", name=op.f("pk_edition_renditions")),
    )
    with op.batch_alter_table("edition_renditions", schema=None) as batch_op:
        batch_op.create_index("ix_edition_renditions_hash", ["hash"], unique=False)

    op.create_table(
        "pulls",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=40), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("items", sa.Integer(), server_default="0", nullable=False),
        sa.Column("new", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("newest", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("oldest", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("same_dates", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("damage", sa.String(length=20), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["feed"], ["feeds.url"], name=op.f("fk_pulls_feed"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pulls")),
    )
    with op.batch_alter_table("pulls", schema=None) as batch_op:
        batch_op.create_index("ix_pulls_feed_at", ["feed", "at"], unique=False)


def downgrade() -> None:
    op.drop_table("pulls")
    op.drop_table("edition_renditions")
    op.drop_table("edition_articles")
    op.drop_table("article_keys")
    op.drop_table("suppressions")
    op.drop_table("subscribers")
    op.drop_table("renditions")
    op.drop_table("feeds")
    op.drop_table("editions")
    op.drop_table("deliveries")
    op.drop_table("consents")
    op.drop_table("claims")
    op.drop_table("calendars")
    op.drop_table("articles")
