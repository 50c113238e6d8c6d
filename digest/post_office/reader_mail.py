"""Mails to one reader that are no edition: rendered in the reader's language, once for everybody who speaks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from digest.app import App
from digest.rendering.model import Rendition, place
from digest.rendering.render import render_mail
from digest.web import languages


def render_for(app: App, name: str, language: str, context: Mapping[str, Any]) -> Rendition:
    """The mail of `templates/email/<name>/`, its personal links still open: `confirm`, `preferences`, `unsubscribe`.

    It holds nothing that the reader, or whoever pretended to be them, has typed. A language that pages do not speak,
    whoever gave it, is that of the publication."""
    own = app.publication.language
    places = {name.lower(): place(name) for name in ("CONFIRM", "PREFERENCES", "UNSUBSCRIBE")}
    return render_mail(
        name,
        {**places, **context},
        publication=replace(app.publication, language=languages.match(language, own) or own),
        design=app.design,
        templates=app.templates,
    )
