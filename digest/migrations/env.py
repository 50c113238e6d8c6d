"""Alembic's entry: it is always handed a connection, and never reads a file of its own."""

from alembic import context

from digest.database import metadata
from digest.migrations import declare_tables

declare_tables()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
