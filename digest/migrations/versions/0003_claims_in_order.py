"""Indexes of the outbox that stay quick with a million mails

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BOOKS = ["key", "mail", "status", "provider", "reply_code", "reply_status"]
_OPEN = ["key", "priority", "due_at", "id", "provider"]
_WAITING = ["key", "mail", "provider", "reply_code", "reply_status"]


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "deliveries", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    op.drop_index("ix_deliveries_books", "deliveries")
    _index("ix_deliveries_books", _BOOKS, "status NOT IN ('pending', 'claimed')")
    op.drop_index("ix_deliveries_open_key", "deliveries")
    _index("ix_deliveries_open", _OPEN, "status = 'pending'")
    _index("ix_deliveries_waiting", _WAITING, "status = 'pending'")


def downgrade() -> None:
    op.drop_index("ix_deliveries_waiting", "deliveries")
    op.drop_index("ix_deliveries_open", "deliveries")
    _index("ix_deliveries_open_key", ["key", "due_at"], "status = 'pending'")
    op.drop_index("ix_deliveries_books", "deliveries")
    op.create_index("ix_deliveries_books", "deliveries", _BOOKS)
