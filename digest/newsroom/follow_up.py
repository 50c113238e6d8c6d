"""What the feeds and the site mean for the edition that is open: a hold may end, a link that moved must be followed,
and an article whose page is gone drops out."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.engine import Connection

from digest.app import App
from digest.articles import store as articles
from digest.articles.identity import canonical_link
from digest.editions import store as editions
from digest.editions.approval import offers
from digest.editions.model import Change
from digest.editions.states import OPEN
from digest.editions.store import EditionRow
from digest.newsroom import drafts, standing
from digest.post_office import holding, staff_mail, staff_words
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
        _take_in(app, connection, row, standing.Checked({}, moved))


def before_start(app: App, slug: str) -> bool:
    """Look at the pages of an edition that is about to go. Whether it is another one by now: a page that is gone has
    dropped out, one that moved is linked where it is, and an approval that this concerns is taken back."""
    with app.database.read() as connection:
        row = holding.fresh(connection, slug)
    checked = drafts.checked_again(app, row)
    if not checked:
        return False
    with app.database.begin() as connection:
        row = holding.fresh(connection, slug)
        checked = standing.relink(connection, checked, app.now)
        if not checked or row.state not in OPEN:
            return False
        _take_in(app, connection, row, checked)
    return True


def _take_in(app: App, connection: Connection, row: EditionRow, checked: standing.Checked) -> None:
    """Arrange the draft anew with what was found, keep what changed for `digest show --changes`, and tell staff."""
    news = checked.changes(row.material, app.now)
    material = tuple(checked.relinked(a) for a in row.material if a.id not in checked.gone)
    edition = replace(row.edition, changes=(*row.edition.changes, *news))
    saved = drafts.arranged(app, connection, replace(row, material=material, edition=edition), row.overlay)
    said = "; ".join(_sentence(change) for change in news)
    if saved.voided:
        holding.tell_void(app, connection, row, said)
    elif checked.gone:
        words = staff_words.notice(f"{row.slug} has changed", f"Since it was composed, {said}.")
        key = f"{row.slug}-withdrawn-{'-'.join(sorted(checked.gone))}"
        staff_mail.tell(app, connection, "staff-notice", key=key, context=words)


def _sentence(change: Change) -> str:
    title = f"“{change.article.title}”"
    return (
        f"{title} has dropped out: {change.new}" if change.what == "withdrawn" else f"the link of {title} has changed"
    )
