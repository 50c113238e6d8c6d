"""The personal places of a reader's mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import lru_cache

from digest.app import App
from digest.rendering.i18n import since
from subscribers.candidates import Current
from subscribers.model import Subscriber
from subscribers.tokens import maker

Reader = Subscriber | Current


def dead_places(app: App) -> dict[str, str]:
    """The same places in a mail that is nobody's own, such as a test: links that look right and change nothing."""
    base = app.publication.public_url.rstrip("/")
    return {"UNSUBSCRIBE": f"{base}/u/test", "PREFERENCES": f"{base}/p/test", "SINCE": ""}


def places_for(app: App, reader: Reader) -> dict[str, str]:
    """UNSUBSCRIBE and PREFERENCES as https URLs of this reader alone, SINCE as a phrase in the mail's language."""
    return places_maker(app)(reader)


def places_maker(app: App) -> Callable[[Reader], dict[str, str]]:
    """`places_for` for many readers in a row, with the keys of this moment."""
    base, language, zone = app.publication.public_url.rstrip("/"), app.publication.language, app.zone
    leave, prefer = maker(app.keys, "unsubscribe"), maker(app.keys, "preferences")
    leave_page, prefer_page = f"{base}/u/", f"{base}/p/"

    def made(reader: Reader) -> dict[str, str]:
        number, moment = reader.id, reader.since
        return {
            "UNSUBSCRIBE": leave_page + leave(number),
            "PREFERENCES": prefer_page + prefer(number),
            "SINCE": _since(moment, zone, language) if moment else "",
        }

    return made


@lru_cache(maxsize=4096)
def _since(moment: datetime, zone: tzinfo, language: str) -> str:
    return since(moment.astimezone(zone).date(), language)


CONFIRM_PATHS = {"signup": "confirm", "address": "a", "address-stop": "s"}
"""Purpose of a confirmation → the first segment of the path of its page."""


def confirm_link(app: App, purpose: str, token: str) -> str:
    """The https URL of the page whose button confirms."""
    return f"{app.publication.public_url.rstrip('/')}/{CONFIRM_PATHS[purpose]}/{token}"
