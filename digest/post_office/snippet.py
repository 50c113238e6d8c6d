"""The sign-up form as HTML for the publication's own site."""

from __future__ import annotations

from digest.app import App
from digest.rendering.environment import fill, plain
from digest.web.phrases import page_environment


def snippet(app: App, *, frame: bool) -> str:
    """A plain form, which the site may style as it likes; or a frame around our own form, regions and all."""
    publication = app.publication
    env = page_environment(app.templates, publication.language, publication.timezone)
    known = {
        "publication": plain(publication),
        "language": publication.language,
        "url": publication.public_url.rstrip("/"),
        "frame": frame,
    }
    return fill(env, "web/snippet.html", known).strip()
