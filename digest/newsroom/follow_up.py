"""What a pull means for the edition that is open: a hold may end, and a link that moved must be followed."""

from __future__ import annotations

from dataclasses import replace

from digest.app import App
from digest.articles import store as articles
from digest.articles.identity import canonical_link
from digest.editions import store as editions
from digest.editions.approval import offers
from digest.editions.states import OPEN
from digest.editions.store import EditionRow
from digest.newsroom import drafts
from digest.post_office import holding
from digest.which import due


def after_pull(app: App) -> None:
    """Look at the edition due with what the feeds say now, if it exists and has not begun."""
    row = _due(app)
    if row is None or row.state not in OPEN:
        return
    _follow_links(app, row.slug)
    _look_at_hold(app, row)


def _due(app: App) -> EditionRow | None:
    with app.database.read() as connection:
        return editions.load(connection, due(app).slug)


def _look_at_hold(app: App, row: EditionRow) -> None:
    """A draft that a rule holds is composed anew, and released when the rule no longer holds it.

    What has been approved stays as it is, and so does what only waits for an editor's word."""
    if not row.held_by_rule or row.held_reason == holding.UNAPPROVED.sentence:
        return
    if row.approved_hash is not None:
        holding.look(app, row.slug)
    else:
        drafts.compose_draft(app, row.day)


def _follow_links(app: App, slug: str) -> None:
    """A page that moved is linked where it is now, whatever else of the feed's edits waits for an editor. It is not
    what was approved, so the approval is taken back."""
    with app.database.begin() as connection:
        row = holding.fresh(connection, slug)
        current = articles.load(connection, [article.id for article in row.material])
        moved = {
            offer.stands.id: offer.now.link
            for offer in offers(row.material, current)
            if offer.voids and canonical_link(offer.now.link) != canonical_link(offer.stands.link)
        }
        if not moved or row.state not in OPEN:
            return
        material = tuple(replace(a, link=moved.get(a.id, a.link)) for a in row.material)
        saved = drafts.arranged(app, connection, replace(row, material=material), row.overlay)
        if saved.voided:
            titles = [f"“{a.title}”" for a in row.material if a.id in moved]
            holding.tell_void(app, connection, row, f"the link of {', '.join(titles)} has changed")
