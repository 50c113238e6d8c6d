"""The archive as an Atom feed (RFC 4287): for readers who would rather not have mail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from digest.rendering.model import Publication
from digest.web.services import ArchivedEdition, Listing

ATOM = "http://www.w3.org/2005/Atom"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def feed(publication: Publication, title: str, editions: Iterable[tuple[ArchivedEdition, Sequence[Listing]]]) -> bytes:
    """The document. Identifiers are made of the host of `public_url` and the edition's date (RFC 4151), so that they
    outlive every address of a page."""
    base = publication.public_url.rstrip("/")
    host = (urlsplit(base).hostname or "").lower()
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed", {"xml:lang": publication.language})
    _text(root, "id", f"tag:{host},2013:archive")
    _text(root, "title", title)
    found = list(editions)
    _text(root, "updated", _moment(max((edition.updated for edition, _ in found), default=_NEVER)))
    _link(root, "self", f"{base}/feed.atom", "application/atom+xml")
    _link(root, "alternate", f"{base}/archive", "text/html")
    author = _add(root, "author")
    _text(author, "name", publication.name)
    _text(author, "uri", publication.url)
    for edition, contents in found:
        _entry(root, base, host, edition, contents)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _entry(root: ET.Element, base: str, host: str, edition: ArchivedEdition, contents: Sequence[Listing]) -> None:
    entry = _add(root, "entry")
    _text(entry, "id", f"tag:{host},{edition.slug}:edition")
    _text(entry, "title", edition.title)
    _text(entry, "updated", _moment(edition.updated))
    _text(entry, "published", _moment(edition.published))
    _link(entry, "alternate", f"{base}/e/{edition.slug}", "text/html")
    content = _add(entry, "content", type="html")
    content.text = _clean("".join(_section(section) for section in contents) or f"<p>{escape(edition.title)}</p>")


def _section(section: Listing) -> str:
    items = "".join(
        f'<li><a href="{escape(link)}">{escape(title)}</a></li>' if link else f"<li>{escape(title)}</li>"
        for title, link in section.articles
    )
    return f"<h2>{escape(section.title)}</h2><ul>{items}</ul>"


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return _NOT_XML.sub("", text)


def _add(parent: ET.Element, name: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, f"{{{ATOM}}}{name}", attributes)


def _text(parent: ET.Element, name: str, text: str) -> None:
    _add(parent, name).text = _clean(text)


def _link(parent: ET.Element, rel: str, href: str, kind: str) -> None:
    _add(parent, "link", rel=rel, href=_clean(href), type=kind)
