"""JSON Feed 1 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from typing import Any

from digest.feeds.dates import read_date
from digest.feeds.errors import NotAFeedError
from digest.feeds.images import content_images, is_picture
from digest.feeds.links import absolute
from digest.feeds.model import Entry, Image, Parsed
from digest.feeds.plain import distinct, line, paragraphs, storable


def parse_json(text: str, url: str) -> Parsed:
    """The feed, its dates as they stand. Raises NotAFeedError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAFeedError(url, f"is JSON that cannot be read ({error})", mend="tell the publisher") from error
    version = document.get("version") if isinstance(document, dict) else None
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(document, dict) or "jsonfeed.org/version/1" not in str(version) or not isinstance(items, list):
        raise NotAFeedError(url, "is JSON, but not a JSON Feed", mend="look on the site for its RSS, Atom or JSON Feed")
    base = absolute(_text(document.get("feed_url")), url) or url
    home = absolute(_text(document.get("home_page_url")), base)
    if not home and not base:  # a file: absolute identifiers tell the site
        home = next(
            (found for found in (absolute(_text(item.get("id"))) for item in items if isinstance(item, dict)) if found),
            "",
        )
    everyone = _author(document)
    entries = tuple(
        _entry(item, position, home or base, everyone) for position, item in enumerate(items) if isinstance(item, dict)
    )
    return Parsed(
        title=_text(document.get("title")),
        link=home,
        version="json11" if str(version).rstrip("/").endswith("1.1") else "json1",
        language=_text(document.get("language")),
        entries=entries,
        image=absolute(_text(document.get("icon")) or _text(document.get("favicon")), base),
        next_page=absolute(_text(document.get("next_url")), base),
    )


def _entry(item: dict[str, Any], position: int, base: str, everyone: str) -> Entry:
    link = absolute(_text(item.get("url")) or _text(item.get("external_url")), base)
    content = _raw(item.get("content_html")) or paragraphs(_raw(item.get("content_text")))
    tags = item.get("tags")
    published, updated = _text(item.get("date_published")), _text(item.get("date_modified"))
    identity = item.get("id")
    return Entry(
        id=(line(identity) or None) if isinstance(identity, str | int | float) else None,
        link=link,
        title=_text(item.get("title")),
        summary_html=paragraphs(_raw(item.get("summary"))),
        content_html=content,
        author=_author(item) or everyone,
        categories=distinct([_text(tag) for tag in tags]) if isinstance(tags, list) else (),
        published=read_date(published) if published else None,
        updated=read_date(updated) if updated else None,
        image=_image(item, content, link or base),
        position=position,
    )


def _image(item: dict[str, Any], content: str, base: str) -> Image | None:
    inside = content_images(content, base)
    for key in ("image", "banner_image"):
        url = absolute(_text(item.get(key)), base)
        if is_picture(url):
            return next((image for image in inside if image.url == url), Image(url))
    return inside[0] if inside else None


def _author(holder: dict[str, Any]) -> str:
    """Version 1.1 has `authors`, version 1 had `author`."""
    authors = holder.get("authors")
    people = authors if isinstance(authors, list) else [holder.get("author")]
    names = [_text(person.get("name")) for person in people if isinstance(person, dict)]
    return ", ".join(name for name in names if name)


def _text(value: object) -> str:
    return line(value) if isinstance(value, str) else ""


def _raw(value: object) -> str:
    return storable(value) if isinstance(value, str) else ""
