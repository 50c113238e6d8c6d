"""Editions that are spread over hours, `[smtp] spread`: each ends when its window does, whatever was lost of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic

from digest.app import App
from digest.delivery.figures import due_before
from digest.editions import store as editions

_AGAIN = 10.0  # seconds after which what is left is counted again, or a fiftieth of the window's rest
_SHARE = 50


class Spreads:
    """How many mails a second each edition gets that is spread: what is left of it over what is left of its window.

    So what an outage or a pause has cost is made up for evenly. After the window nothing is spread any more."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._counted: dict[str, tuple[int, float, float]] = {}  # how many, over how many seconds, until when it holds

    def __call__(self) -> dict[str, float]:
        app = self._app
        if app.config.smtp.spread is None:
            return {}
        with app.database.read() as connection:
            found: dict[str, float] = {}
            for head in editions.list_editions(connection, states=("sending",)):
                left = seconds_left(app, head.started_at)
                count, over, until = self._counted.get(head.slug, (0, 0.0, 0.0))
                if left and (monotonic() >= until or left > over):  # more than was left: the clock was set back
                    by = app.now + timedelta(seconds=left)
                    count, over = due_before(connection, head.slug, by), left
                    self._counted[head.slug] = count, over, monotonic() + min(_AGAIN, left / _SHARE)
                if left and count:
                    found[head.slug] = count / over
        return found


def seconds_left(app: App, started_at: datetime | None) -> float:
    """Of the window of an edition that began then, or begins now; 0 where nothing is spread."""
    spread = app.config.smtp.spread
    if spread is None:
        return 0.0
    gone = app.now - started_at if started_at is not None else timedelta(0)
    return max(0.0, min(spread - gone, spread).total_seconds())
