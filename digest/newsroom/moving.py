"""A feed whose address the configuration has changed: the same feed, not a new one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from digest.articles import store as articles
from digest.articles.identity import canonical_link
from digest.feeds import store as feeds
from digest.feeds.model import Feed


def follow(connection: Connection, wanted: Sequence[Feed]) -> None:
    """Give a feed its new address, with its articles and its history, before `feeds.sync` would begin it anew.

    So it is where the old address is configured no more, and leads to the new one for good (301, 308), or is
    only another spelling of it (https for http)."""
    known = feeds.addresses(connection)
    configured = {feed.url for feed in wanted}
    for new in sorted(configured - known.keys()):
        told = [old for old, moved_to in known.items() if moved_to == new]
        spelt = [old for old in known if canonical_link(old) == canonical_link(new)]
        for old in [old for old in (*told, *spelt) if old not in configured][:1]:
            feeds.rename(connection, old, new)
            articles.rename_feed(connection, old, new)
            del known[old]
