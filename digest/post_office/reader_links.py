"""The personal places of a reader's mail."""

from __future__ import annotations

from digest.app import App
from digest.rendering.i18n import format_day
from subscribers.model import Subscriber
from subscribers.tokens import make


def places_for(app: App, reader: Subscriber) -> dict[str, str]:
    """UNSUBSCRIBE and PREFERENCES as https URLs of this reader alone, SINCE as a day in the publication's language."""
    base = app.publication.public_url.rstrip("/")
    since = format_day(reader.since.astimezone(app.zone).date(), app.publication.language) if reader.since else ""
    return {
        "UNSUBSCRIBE": f"{base}/u/{make(app.keys, 'unsubscribe', reader.id)}",
        "PREFERENCES": f"{base}/p/{make(app.keys, 'preferences', reader.id)}",
        "SINCE": since,
    }
