"""Sign-ups, rates, bounces, corrections

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import digest.database
from digest.delivery.providers import provider_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _name_providers() -> None:
    """Whose rates count for the mails that wait."""
    table = sa.table(
        "deliveries", sa.column("id", sa.BigInteger), sa.column("address", sa.Text), sa.column("status", sa.Text),
        sa.column("provider", sa.Text),
    )  # fmt: skip
    connection = op.get_bind()
    open_ones = sa.select(table.c.id, table.c.address).where(table.c.status.in_(("pending", "claimed", "uncertain")))
    rows = [{"n": row.id, "p": provider_of(row.address)} for row in connection.execute(open_ones)]
    if rows:
        named = sa.update(table).where(table.c.id == sa.bindparam("n")).values(provider=sa.bindparam("p"))
        connection.execute(named, rows)


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("used_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_table(
        "bounces",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=16), server_default="", nullable=False),
        sa.Column("delivery", sa.BigInteger(), nullable=True),
        sa.Column("subscriber", sa.BigInteger(), nullable=True),
        sa.Column("provider", sa.String(length=64), server_default="", nullable=False),
        sa.Column("status", sa.String(length=16), server_default="", nullable=False),
        sa.Column("diagnostic", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounces")),
        sa.UniqueConstraint("event", name=op.f("uq_bounces_event")),
    )
    with op.batch_alter_table("bounces", schema=None) as batch_op:
        batch_op.create_index("ix_bounces_at", ["at"], unique=False)
        batch_op.create_index("ix_bounces_delivery", ["delivery"], unique=False)

    op.create_table(
        "confirmations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("subscriber", sa.BigInteger(), nullable=True),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("domain", sa.String(length=255), server_default="", nullable=False),
        sa.Column("detail", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("used_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_confirmations_token_hash")),
        sa.UniqueConstraint("token_id", name=op.f("uq_confirmations_token_id")),
    )
    with op.batch_alter_table("confirmations", schema=None) as batch_op:
        batch_op.create_index("ix_confirmations_address", ["address_hash", "created_at"], unique=False)
        batch_op.create_index("ix_confirmations_created", ["created_at"], unique=False)
        batch_op.create_index("ix_confirmations_domain", ["domain", "created_at"], unique=False)
        batch_op.create_index("ix_confirmations_subscriber", ["subscriber"], unique=False)

    op.create_table(
        "paces",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("free_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("slow_until", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.Column("slowness", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_paces")),
    )
    op.create_table(
        "strikes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subscriber", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strikes")),
        sa.UniqueConstraint("subscriber", "kind", "key", name="uq_strikes_once"),
    )
    op.create_table(
        "wishes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("regions", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.String(length=35), server_default="", nullable=False),
        sa.Column("evidence", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wishes")),
        sa.UniqueConstraint("address_key", name=op.f("uq_wishes_address_key")),
    )
    op.create_table(
        "corrections",
        sa.Column("edition", sa.String(length=10), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", digest.database.UTCDateTime(timezone=True), nullable=False),
        sa.Column("approved_hash", sa.String(length=64), nullable=True),
        sa.Column("started_at", digest.database.UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["edition"], ["editions.slug"], name=op.f("fk_corrections_edition")),
        sa.PrimaryKeyConstraint("edition", "number", name=op.f("pk_corrections")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("provider", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("content_hash", sa.String(length=64), server_default="", nullable=False))
        batch_op.drop_index("ix_deliveries_due")
        batch_op.create_index(
            "ix_deliveries_due", ["priority", "due_at", "id", "provider"], unique=False,
            sqlite_where=sa.text("status = 'pending'"), postgresql_where=sa.text("status = 'pending'"),
        )  # fmt: skip
        batch_op.drop_index("ix_deliveries_books")
        batch_op.create_index(
            "ix_deliveries_books", ["key", "mail", "status", "provider", "reply_code", "reply_status"], unique=False
        )

    _name_providers()

    with op.batch_alter_table("editions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seeded_at", digest.database.UTCDateTime(timezone=True), nullable=True))

    with op.batch_alter_table("subscribers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("paused_until", digest.database.UTCDateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_subscribers_paused", ["paused_until"], unique=False,
            sqlite_where=sa.text("paused_until IS NOT NULL"), postgresql_where=sa.text("paused_until IS NOT NULL"),
        )  # fmt: skip


def downgrade() -> None:
    with op.batch_alter_table("subscribers", schema=None) as batch_op:
        batch_op.drop_index("ix_subscribers_paused")
        batch_op.drop_column("paused_until")

    with op.batch_alter_table("editions", schema=None) as batch_op:
        batch_op.drop_column("seeded_at")

    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_deliveries_due")
        batch_op.create_index(
            "ix_deliveries_due", ["priority", "due_at", "id"], unique=False,
            sqlite_where=sa.text("status = 'pending'"), postgresql_where=sa.text("status = 'pending'"),
        )  # fmt: skip
        batch_op.drop_index("ix_deliveries_books")
        batch_op.create_index("ix_deliveries_books", ["key", "mail", "status"], unique=False)
        batch_op.drop_column("content_hash")
        batch_op.drop_column("provider")

    op.drop_table("corrections")
    op.drop_table("wishes")
    op.drop_table("strikes")
    op.drop_table("paces")
    with op.batch_alter_table("confirmations", schema=None) as batch_op:
        batch_op.drop_index("ix_confirmations_subscriber")
        batch_op.drop_index("ix_confirmations_domain")
        batch_op.drop_index("ix_confirmations_created")
        batch_op.drop_index("ix_confirmations_address")

    op.drop_table("confirmations")
    with op.batch_alter_table("bounces", schema=None) as batch_op:
        batch_op.drop_index("ix_bounces_delivery")
        batch_op.drop_index("ix_bounces_at")

    op.drop_table("bounces")
    op.drop_table("api_keys")
