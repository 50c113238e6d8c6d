"""The database's shape over time, by Alembic. `upgrade` is harmless when there is nothing to do.

Alembic is imported where it is used: every command looks at `head`, and few of them migrate."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from digest.database import Database
from digest.errors import DigestError
from digest.migrations.head import HEAD

if TYPE_CHECKING:
    from alembic.config import Config

STORES = (
    "digest.feeds.store",
    "digest.articles.store",
    "digest.editions.store",
    "digest.editions.calendars",
    "digest.rendering.store",
    "digest.delivery.tables",
    "digest.bounces.store",
    "subscribers.tables",
)


def declare_tables() -> None:
    """Import every room's store, so that the metadata knows all tables."""
    for store in STORES:
        import_module(store)


def alembic_config(connection: sa.Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def current(database: Database) -> str | None:
    """The revision of the database, or None for an empty one."""
    with database.read() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(database: Database) -> str:
    """Bring the database to `HEAD`, in one transaction; returns its revision."""
    from alembic import command
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    before = current(database)
    if before is not None and before not in known:
        raise DigestError(
            f"the database is at revision {before}, which this version does not know",
            mend="install the newer version of the program again",
        )
    declare_tables()
    with database.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
    return HEAD
