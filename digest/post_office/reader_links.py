"""The personal places of a reader's mail."""

from __future__ import annotations

from digest.app import App
from digest.rendering.i18n import since
from subscribers.model import Subscriber
from subscribers.tokens import make


def dead_places(app: App) -> dict[str, str]:
    """The same places in a mail that is nobody's own, such as a test: links that look right and change nothing."""
    base = app.publication.public_url.rstrip("/")
    return {"UNSUBSCRIBE": f"{base}/u/test", "PREFERENCES": f"{base}/p/test", "SINCE": ""}


def places_for(app: App, reader: Subscriber) -> dict[str, str]:
    """UNSUBSCRIBE and PREFERENCES as https URLs of this reader alone, SINCE as a phrase in the mail's language."""
    base = app.publication.public_url.rstrip("/")
    day = reader.since.astimezone(app.zone).date() if reader.since else None
    return {
        "UNSUBSCRIBE": f"{base}/u/{make(app.keys, 'unsubscribe', reader.id)}",
        "PREFERENCES": f"{base}/p/{make(app.keys, 'preferences', reader.id)}",
        "SINCE": since(day, app.publication.language),
    }


CONFIRM_PATHS = {"signup": "confirm", "address": "a", "address-stop": "s"}
"""Purpose of a confirmation → the first segment of the path of its page."""


def confirm_link(app: App, purpose: str, token: str) -> str:
    """The https URL of the page whose button confirms."""
    return f"{app.publication.public_url.rstrip('/')}/{CONFIRM_PATHS[purpose]}/{token}"
