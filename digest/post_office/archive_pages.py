"""The archive: editions that have gone out, each without a trace of any reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from digest.app import App
from digest.editions import corrections
from digest.editions import store as editions
from digest.editions.model import State
from digest.post_office import correcting
from digest.post_office.content import filled
from digest.rendering import store as renditions
from digest.rendering.model import PLACE, PLACES
from digest.rendering.plain import clean, safe_url
from digest.rendering.view import browser_link
from digest.web.services import ArchivedEdition, Listing

BEGUN: tuple[State, ...] = ("sending", "paused", "sent")
"""The states of an edition that readers may see; a draft is the staff's alone."""
ARCHIVED = 520
"""The most editions that the archive lists: ten years of weeks."""

_PERSONAL = re.compile(
    rf"<p\b[^>]*>(?:(?!</p>).)*{PLACE}(?:{'|'.join(PLACES)})END(?:(?!</p>).)*</p>\n?", re.DOTALL | re.IGNORECASE
)
"""A paragraph that speaks to one reader: why they get it, and their own links."""
_TO_ITSELF = r'<span\b[^>]*>(?:(?!</?span\b).)*\bhref="{link}"(?:(?!</?span\b).)*</span>'
"""The way to this very page, with the dot before it."""


def archive(app: App) -> Sequence[ArchivedEdition]:
    """The newest first."""
    with app.database.read() as connection:
        found = editions.list_editions(connection, states=BEGUN, limit=ARCHIVED)
        corrected = corrections.moments(connection)
    listed = []
    for head in found:
        out = head.started_at or head.composed_at
        updated = corrected.get(head.slug, out)
        listed.append(ArchivedEdition(head.slug, head.subject or app.publication.name, out, updated))
    return listed


def contents(app: App, slug: str) -> Sequence[Listing]:
    """The headlines of an edition that has gone out, by section; () where there is none."""
    with app.database.read() as connection:
        row = editions.load(connection, slug)
        if row is None or row.state not in BEGUN:
            return ()
        edition = correcting.edition_now(connection, row)
    return [
        Listing(
            clean(edition.focus.title if section.kind == "focus" and edition.focus else section.title),
            tuple((clean(placed.article.title), safe_url(placed.article.link)) for placed in section.articles),
        )
        for section in edition.sections
        if section.articles
    ]


def edition_page(app: App, slug: str, regions: tuple[str, ...]) -> str | None:
    """The very rendition that went to readers of this choice, or the correction that followed; one that nobody chose is
    made now."""
    with app.database.read() as connection:
        row = editions.load(connection, slug)
        if row is None or row.state not in BEGUN:
            return None
        kept = renditions.for_edition(connection, slug).get(regions)
        made = renditions.load(connection, kept) if kept else correcting.page_of(app, connection, row, regions)
    if made is None:
        return None
    home = f"{app.publication.public_url.rstrip('/')}/"
    to_itself = _TO_ITSELF.format(link=re.escape(escape(browser_link(slug, app.publication, made.regions))))
    html = re.sub(to_itself, "", _PERSONAL.sub("", made.html), flags=re.DOTALL)
    public = replace(made, html=html)
    return filled(public, {"UNSUBSCRIBE": home, "PREFERENCES": home, "SINCE": ""})[0]
