"""One index fewer to change for each mail that is claimed, and one for the few that are withdrawn

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OPEN = ["key", "priority", "due_at", "id", "provider"]
_WAITING = ["key", "mail", "provider", "reply_code", "reply_status"]
_WITHDRAWN = ["claim", "id", "reason"]


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "deliveries", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    op.drop_index("ix_deliveries_waiting", "deliveries")
    op.drop_index("ix_deliveries_open", "deliveries")
    _index("ix_deliveries_open", [*_OPEN, "mail", "reply_code", "reply_status"], "status = 'pending'")
    _index("ix_deliveries_withdrawn", _WITHDRAWN, "status = 'claimed' AND reason <> ''")


def downgrade() -> None:
    op.drop_index("ix_deliveries_withdrawn", "deliveries")
    op.drop_index("ix_deliveries_open", "deliveries")
    _index("ix_deliveries_open", _OPEN, "status = 'pending'")
    _index("ix_deliveries_waiting", _WAITING, "status = 'pending'")
