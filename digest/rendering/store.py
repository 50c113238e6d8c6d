"""Renditions, kept by the hash of their content, and which one an edition has for each choice of regions."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import JSON, UTCDateTime, insert_or_ignore, metadata, upsert
from digest.errors import NotFoundError
from digest.rendering.model import Rendition

renditions = sa.Table(
    "renditions",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("html", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("preheader", sa.Text, nullable=False),
    sa.Column("regions", JSON, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
)

edition_renditions = sa.Table(
    "edition_renditions",
    metadata,
    sa.Column("edition", sa.String(10), primary_key=True),
    sa.Column("regions", sa.Text, primary_key=True),  # slugs joined by commas, "" for all
    sa.Column("hash", sa.String(64), sa.ForeignKey("renditions.hash"), nullable=False),
    sa.Index("ix_edition_renditions_hash", "hash"),
)


def save(connection: Connection, rendition: Rendition, *, now: datetime) -> str:
    """Keep a rendition and return its hash. The same content again changes nothing."""
    row = {
        "hash": rendition.hash,
        "subject": rendition.subject,
        "html": rendition.html,
        "text": rendition.text,
        "preheader": rendition.preheader,
        "regions": list(rendition.regions),
        "created_at": now,
    }
    insert_or_ignore(connection, renditions, row)
    return rendition.hash


def load(connection: Connection, digest: str) -> Rendition:
    """The rendition of that hash. Raises NotFoundError where it was never saved."""
    row = connection.execute(sa.select(renditions).where(renditions.c.hash == digest)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no rendition {digest[:12]}", mend="render its edition again")
    return Rendition(row.subject, row.html, row.text, row.preheader, tuple(row.regions))


def key_of(regions: tuple[str, ...]) -> str:
    """How a choice of regions is written in the table: `africa,asia`, "" for all."""
    return ",".join(regions)


def attach(connection: Connection, edition: str, rendition: Rendition, *, now: datetime) -> str:
    """Save the rendition as what the edition (`2013-11-29`) shows for its choice of regions; returns its
    hash.

    A rendition made again for the same choice takes the place of the one before, which stays saved."""
    digest = save(connection, rendition, now=now)
    row = {"edition": edition, "regions": key_of(rendition.regions), "hash": digest}
    upsert(connection, edition_renditions, row, "edition", "regions")
    return digest


def for_edition(connection: Connection, edition: str) -> dict[tuple[str, ...], str]:
    """Every choice of regions that the edition was rendered for, with the hash of its rendition."""
    rows = connection.execute(
        sa.select(edition_renditions.c.regions, edition_renditions.c.hash)
        .where(edition_renditions.c.edition == edition)
        .order_by(edition_renditions.c.regions)
    )
    return {tuple(row.regions.split(",")) if row.regions else (): row.hash for row in rows}
