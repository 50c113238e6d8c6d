"""Making and refreshing the draft of an edition."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy.engine import Connection

from digest.app import App
from digest.articles import store as articles
from digest.articles.model import Article, Placement
from digest.articles.places import place
from digest.editions import calendars
from digest.editions import store as editions
from digest.editions.compose import compose
from digest.editions.events import CalendarError, read_calendar
from digest.editions.focus import focus_for
from digest.editions.model import Change, Edition, Event, Overlay, Period, Waiting
from digest.editions.schedule import period_on
from digest.editions.states import OPEN
from digest.editions.store import EditionRow
from digest.newsroom import standing
from digest.post_office import holding
from digest.post_office.content import content_hash, subject_of
from digest.rendering.i18n import headings
from digest.which import due

EVENTS_AHEAD = timedelta(days=31)
"""How far the events section looks: an edition tells of the coming month."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft as it now stands; `voided` when this change took back an approval; `warnings` for staff."""

    row: EditionRow
    voided: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """What an edition is composed from: our articles and partners', and the events."""

    ours: tuple[Article, ...]
    reading: tuple[Article, ...]
    events: tuple[Event, ...]

    def without(self, ids: Collection[str]) -> Material:
        return replace(self, ours=tuple(a for a in self.ours if a.id not in ids))


def compose_draft(app: App, day: date | None = None) -> Drafted:
    """Make or refresh the draft of the edition due (or of that day), with what the ledger has not sent, and whose page
    still stands.

    Raises RefusedError for an edition that has begun to go, or was skipped."""
    period = due(app) if day is None else _period_on(app, day)
    events, warnings = coming_events(app, period)
    checked = _checked(app, period, events)
    with app.database.begin() as connection:
        checked = standing.relink(connection, checked, app.now)
        material = _material(app, connection, period, events)
        gone = checked.changes((a for a in material.ours if a.id in checked.gone), app.now)
        row = editions.load(connection, period.slug)
        overlay = row.overlay if row else Overlay()
        saved = save(app, connection, period, overlay, material.without(checked.gone), gone)
    warnings += checked.doubts
    warnings += [f"“{change.article.title}” is left out: {change.new}" for change in gone]
    return Drafted(holding.look(app, period.slug), saved.voided, tuple(warnings))


def _material(app: App, connection: Connection, period: Period, events: tuple[Event, ...]) -> Material:
    taken = editions.ledger(connection, except_edition=period.slug)
    return Material(
        tuple(articles.candidates(connection, now=app.now, role="articles", exclude=taken)),
        tuple(articles.candidates(connection, now=app.now, role="reading", exclude=taken)),
        events,
    )


def _checked(app: App, period: Period, events: tuple[Event, ...]) -> standing.Checked:
    """What became of the pages of the articles that would stand. No transaction is open meanwhile."""
    with app.database.read() as connection:
        row = editions.load(connection, period.slug)
        if row is not None and row.state not in OPEN:
            return standing.NOTHING
        material = _material(app, connection, period, events)
        waited = editions.waited(connection, period.day)
    overlay = row.overlay if row else Overlay()
    return standing.check(app, _standing(app, period, overlay, material, waited))


def checked_again(app: App, row: EditionRow) -> standing.Checked:
    """What became of the pages of an edition's articles, and of those that come up from its material for what is gone.
    No transaction is open meanwhile."""
    with app.database.read() as connection:
        waited = editions.waited(connection, row.day)
    return standing.check(app, _standing(app, row.period, row.overlay, _kept(row), waited))


def _standing(
    app: App, period: Period, overlay: Overlay, material: Material, waited: frozenset[str]
) -> Callable[[Collection[str]], list[Article]]:
    return lambda gone: [
        placed.article for placed in composed(app, period, overlay, material.without(gone), waited).articles
    ]


def _period_on(app: App, day: date) -> Period:
    return period_on(day, app.schedule, app.zone) if app.schedule else Period(day)


def save(
    app: App,
    connection: Connection,
    period: Period,
    overlay: Overlay,
    material: Material,
    changes: tuple[Change, ...] = (),
) -> editions.Saved:
    """Compose an edition from this material and keep it as the draft of its date, with what changed by itself."""
    edition = composed(app, period, overlay, material, editions.waited(connection, period.day))
    withdrawn = [Waiting(change.article, change.new) for change in changes if change.what == "withdrawn"]
    edition = replace(edition, waiting=(*edition.waiting, *withdrawn), changes=changes)
    return editions.save_draft(
        connection,
        edition,
        period=period,
        content_hash=content_hash(app, edition),
        now=app.now,
        subject=subject_of(app, edition),
        material=(*material.ours, *material.reading),
    )


def composed(app: App, period: Period, overlay: Overlay, material: Material, waited: frozenset[str]) -> Edition:
    """The edition of this period as the configuration and the overlay make it."""
    config = app.config
    regions = config.region_list()

    def placing(article: Article) -> Placement:
        return place(article, regions, language=config.publication.language)

    return compose(
        material.ours,
        place=placing,
        period=period,
        focus=focus_for(period.day, config.focus_calendar()),
        regions=regions,
        overlay=overlay,
        section_limit=config.editions.section_limit,
        focus_limit=config.editions.focus_limit,
        pins=config.pin_list(),
        events=material.events,
        event_days=EVENTS_AHEAD.days,
        reading=material.reading,
        reading_limit=config.editions.reading_limit,
        reading_per_source=config.editions.reading_per_source,
        waited=waited,
        headings=headings(config.publication.language, period.day),
    )


def coming_events(app: App, period: Period) -> tuple[tuple[Event, ...], list[str]]:
    """The events of the coming month, listed and from the calendar; and what is wrong with the calendar."""
    events: list[Event] = list(app.config.listed_events())
    url = app.config.events.calendar
    if not url:
        return tuple(events), []
    with app.database.read() as connection:
        body = calendars.last(connection, url)
    if not body:
        return tuple(events), [f"the events' calendar {url} has not been read yet; `digest pull` reads it"]
    try:
        events += read_calendar(body, zone=app.zone, first=period.day, last=period.day + EVENTS_AHEAD)
    except CalendarError as error:
        return tuple(events), [str(error)]
    return tuple(events), []


def arranged(app: App, connection: Connection, row: EditionRow, overlay: Overlay) -> editions.Saved:
    """Compose an edition anew from the very material it was made from: after `compose` no article enters by itself."""
    return save(app, connection, row.period, overlay, _kept(row), row.edition.changes)


def _kept(row: EditionRow) -> Material:
    ours = tuple(a for a in row.material if a.role == "articles")
    reading = tuple(a for a in row.material if a.role == "reading")
    return Material(ours, reading, tuple(e for s in row.edition.sections for e in s.events))
