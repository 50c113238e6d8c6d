"""What exactly goes out: the content hash that an approval covers, and the renditions that follow from it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from html import escape

from digest.app import App
from digest.editions import approval
from digest.editions.model import Edition
from digest.rendering.environment import templates_hash
from digest.rendering.i18n import correction_label
from digest.rendering.model import Rendition, place
from digest.rendering.render import render


def settings_hash(app: App) -> str:
    """SHA-256 over every setting that reaches the mail: the publication, its design, its sender."""
    publication = app.config.publication
    reaching = {
        "publication": asdict(app.publication),
        "design": asdict(app.design),
        "from": publication.sender,
        "reply_to": publication.reply_to,
        "list_id": publication.list_id,
    }
    return hashlib.sha256(json.dumps(reaching, sort_keys=True).encode()).hexdigest()


def content_hash(app: App, edition: Edition) -> str:
    """What an approval covers: the snapshot with its overlay, the templates' bytes, the settings that reach a mail."""
    return approval.content_hash(
        edition,
        templates=templates_hash(app.templates, "digest", app.publication.language),
        settings=settings_hash(app),
    )


def rendition(
    app: App, edition: Edition, choice: tuple[str, ...] = (), *, test: bool = False, correction: bool = False
) -> Rendition | None:
    """The mail of a reader who chose these regions; None where it would be empty, and so is not sent."""
    known = set(app.publication.region_names)
    choice = tuple(slug for slug in choice if slug in known)  # a region that was dropped from the configuration
    reduced = edition.for_regions(choice)
    if reduced.is_empty:
        return None
    return render(
        reduced,
        publication=app.publication,
        design=app.design,
        templates=app.templates,
        regions=choice,
        test=test,
        correction=correction,
    )


def correction_rendition(app: App, edition: Edition, reason: str, choice: tuple[str, ...] = ()) -> Rendition | None:
    """The mail that puts an edition right: "Correction: …" in the subject, and what was wrong above everything."""
    label = correction_label(app.publication.language)
    labelled = reason if reason.startswith(label) else f"{label} {reason}"
    told = "\n\n".join(text for text in (labelled, edition.introduction) if text)
    return rendition(app, replace(edition, introduction=told), choice, correction=True)


def subject_of(app: App, edition: Edition) -> str:
    """The subject of the whole edition; "" while it is empty."""
    made = rendition(app, edition)
    return made.subject if made else ""


def filled(made: Rendition, places: dict[str, str]) -> tuple[str, str]:
    """HTML and text with the personal places filled, as one reader would see them."""
    html, text = made.html, made.text
    for name, value in places.items():
        html = html.replace(place(name), escape(value))
        text = text.replace(place(name), value)
    return html, text
