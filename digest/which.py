"""Which edition is meant: the one due, or the one of a date."""

from __future__ import annotations

from datetime import date

from digest.app import App
from digest.editions import store as editions
from digest.editions.model import Period
from digest.editions.schedule import period_due, today
from digest.editions.store import EditionRow
from digest.errors import NotFoundError, UsageError


def parse_day(text: str) -> date:
    """A date as people type it on the command line: 2026-11-27."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date", mend="write it as 2026-11-27") from None


def due(app: App) -> Period:
    """The period of the edition that is due: by the schedule, or today's where nothing runs by itself."""
    return period_due(app.now, app.schedule, app.zone) if app.schedule else today(app.now, app.zone)


def current(app: App, slug: str | None) -> EditionRow:
    """The edition of that date; without one the edition due, or else the latest there is.

    Raises NotFoundError where there is none."""
    wanted = parse_day(slug).isoformat() if slug else due(app).slug
    with app.database.read() as connection:
        row = editions.load(connection, wanted) or (None if slug else editions.latest(connection))
    if row is None:
        raise NotFoundError(f"there is no edition {wanted}", mend="make its draft with `digest compose`")
    return row
