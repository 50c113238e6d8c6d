"""The events' calendar as it was last read, so that composing needs no network."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import UTCDateTime, metadata, upsert

calendars = sa.Table(
    "calendars",
    metadata,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("read_at", UTCDateTime, nullable=False),
)


def keep(connection: Connection, url: str, body: bytes, now: datetime) -> None:
    """Keep this body for the URL, in place of the last one."""
    upsert(connection, calendars, {"url": url, "body": body, "read_at": now}, "url")


def last(connection: Connection, url: str) -> bytes:
    """The body kept for the URL, or b""."""
    return connection.execute(sa.select(calendars.c.body).where(calendars.c.url == url)).scalar() or b""
