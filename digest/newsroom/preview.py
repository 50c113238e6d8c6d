"""The preview: the very rendition that goes out, as files to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from digest.app import App
from digest.delivery.message import fill as fill_message
from digest.delivery.model import Delivery, Ready
from digest.editions.store import EditionRow
from digest.errors import RefusedError, UsageError
from digest.post_office import correcting
from digest.post_office.content import filled, rendition
from digest.post_office.mail import compiled_mail
from digest.rendering.environment import environment, fill
from digest.rendering.model import Rendition
from digest.which import current


@dataclass(frozen=True, slots=True)
class Preview:
    """One edition for one choice of regions: the row, its rendition, and the message as bytes."""

    row: EditionRow
    rendition: Rendition
    message: bytes


def make(app: App, slug: str | None, regions: tuple[str, ...] = (), *, correction: bool = False) -> Preview:
    """Of the edition, or of the draft of its `correction`. Raises UsageError for an unknown region, RefusedError where
    that reader's edition is empty, or nothing is being corrected."""
    unknown = [region for region in regions if region not in app.publication.region_names]
    if unknown:
        known = ", ".join(app.publication.region_names)
        raise UsageError(f"--regions: there is no region {unknown[0]!r}", mend=f"the regions are {known}")
    row, made = correcting.preview_of(app, slug, regions) if correction else _edition(app, slug, regions)
    base = app.publication.public_url.rstrip("/")
    places = {"UNSUBSCRIBE": f"{base}/u/preview", "PREFERENCES": f"{base}/p/preview", "SINCE": ""}
    delivery = Delivery(
        0, "digest", row.slug, "reader@example.org", made.hash, "<preview@example.org>", first_attempt_at=app.now
    )
    filled_in = fill_message(compiled_mail(app, made, delivery), Ready(delivery, delivery.address, places))
    return Preview(row, made, b"".join(filled_in.pieces))


def _edition(app: App, slug: str | None, regions: tuple[str, ...]) -> tuple[EditionRow, Rendition]:
    row = current(app, slug)
    made = rendition(app, row.edition, regions)
    if made is None:
        raise RefusedError(f"{row.slug} has no article for {', '.join(regions) or 'anybody'}: that reader gets no mail")
    return row, made


def write(
    app: App, preview: Preview, folder: Path, *, localise: Callable[[str], str] = lambda html: html
) -> list[Path]:
    """Write index.html, edition.html, edition.txt and edition.eml; `localise` may put other pictures into the pages."""
    folder.mkdir(parents=True, exist_ok=True)
    places = {"UNSUBSCRIBE": "#unsubscribe", "PREFERENCES": "#preferences", "SINCE": ""}
    html, text = filled(preview.rendition, places)
    files = {
        "edition.html": localise(html).encode(),
        "edition.txt": text.encode(),
        "edition.eml": preview.message,
        "index.html": _index(app, preview).encode(),
    }
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return [folder / name for name in files]


def _index(app: App, preview: Preview) -> str:
    """One page: the mail at phone and desktop width side by side, and why each article stands where it stands."""
    edition = preview.row.edition
    context = {
        "slug": preview.row.slug,
        "state": preview.row.state,
        "held_reason": preview.row.held_reason,
        "subject": preview.rendition.subject,
        "preheader": preview.rendition.preheader,
        "size": len(preview.message),
        "sections": [
            {
                "title": s.title,
                "articles": [{"id": p.article.id, "title": p.article.title, "reason": p.reason} for p in s.articles],
            }
            for s in edition.sections
        ],
        "waiting": [{"id": w.article.id, "title": w.article.title, "reason": w.reason} for w in edition.waiting],
    }
    return fill(environment(app.templates, "en", app.publication.timezone), "web/preview.html", context)
