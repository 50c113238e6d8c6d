"""A feed's bytes to entries, as the feed said it: RSS 0.9x, 1.0 and 2.0, Atom, JSON Feed.

Nothing in the answer is safe markup. Hostile input can make this slow: `child` bounds its time and memory."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import feedparser

from digest.feeds import media
from digest.feeds.dates import read_date
from digest.feeds.errors import NotAFeedError
from digest.feeds.findings import examine
from digest.feeds.images import lead_image
from digest.feeds.json_feed import parse_json
from digest.feeds.links import absolute
from digest.feeds.model import Damage, Entry, Parsed
from digest.feeds.plain import distinct, line, paragraphs, storable, title_text
from digest.feeds.sniff import why_no_feed
from digest.feeds.text import decode, first_element, tidy, unpack

media.install()

_CLOSING = {"rss": "</rss>", "feed": "</feed>", "rdf": "</rdf:rdf>"}
_EMAIL = re.compile(r"\S+@\S+")
_TEXT_TYPES = re.compile(r"^$|^text/|html|xml")


def parse(body: bytes, headers: Mapping[str, str], url: str) -> Parsed:
    """Read a feed document. `headers` are the answer's, in lower case; `url` is where it came from, or "".

    Raises NotAFeedError, or FeedError for what is refused (entity bombs, broken compression)."""
    body, unpacked = unpack(body, url)
    if not body.strip(b"\x00 \t\r\n"):
        raise NotAFeedError(
            url,
            "is empty: there is nothing at all in it",
            mend="look at the address in a browser",
            state="empty",
        )
    text, warnings = decode(body, headers)
    if unpacked:
        warnings.insert(0, "it is sent as a gzip file without saying so")
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start in ("{", "["):
        parsed = parse_json(text.lstrip("\ufeff"), url)
    else:
        text, found = tidy(text, url)
        parsed, broken = _parse_xml(text, url)
        warnings += found + broken
    parsed, findings = examine(parsed)
    return replace(parsed, warnings=(*warnings, *findings))


def _parse_xml(text: str, url: str) -> tuple[Parsed, list[str]]:
    root, _ = first_element(text)
    kind = root.rpartition(":")[2].lower()
    if kind not in ("rss", "feed", "rdf", "channel"):
        raise why_no_feed(text, root, url)
    headers = {"content-type": "application/xml; charset=utf-8"}
    if kind == "feed" and absolute(url):
        headers["content-location"] = url  # RFC 4287, 2: relative to xml:base, which is relative to this
    document = feedparser.parse(
        io.BytesIO(b'<?xml version="1.0" encoding="utf-8"?>\n' + text.encode("utf-8", "replace")),
        response_headers=headers,
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    feed = document.feed
    entries: list[Any] = document.entries
    version = document.get("version") or kind
    if kind == "feed" and not version.startswith("atom"):
        raise why_no_feed(text, root, url)
    link = absolute(feed.get("link") or "", url)
    # RSS says nothing of relative links; they count from the site, which may not be where the feed is served.
    base = link or absolute(url) or _first(map(_self, feed.get("links") or ()))
    guessed = "" if base else _first(absolute(str(dict.get(entry, "id") or "")) for entry in entries)
    base = base or guessed
    everyone = _author(feed) if version.startswith("atom") else ""
    damage, warnings = _broken(document, text, kind)
    parsed = Parsed(
        title=_title(feed, version),
        link=link,
        version=version,
        language=line(feed.get("language"))[:40],
        entries=tuple(_entry(entry, at, base, version, everyone) for at, entry in enumerate(entries)),
        image=absolute(str((feed.get("image") or {}).get("href") or feed.get("logo") or feed.get("icon") or ""), base),
        generator=_generator(feed),
        next_page=_next_page(feed, absolute(url) or base),
        damage=damage,
    )
    lost = sum(1 for given, entry in zip(entries, parsed.entries, strict=True) if given.get("link") and not entry.link)
    if guessed and any(given.get("link") and not absolute(str(given["link"])) for given in entries):
        warnings.append("it does not tell its site; relative links were counted from the identifiers (guid)")
    if lost and not base:
        warnings.append(f"{lost} links are relative, and nothing says from where; read the feed at its address")
    return parsed, warnings


def _first(addresses: Iterable[str]) -> str:
    return next((address for address in addresses if address), "")


def _self(link: Any) -> str:
    return absolute(str(link.get("href") or "")) if link.get("rel") == "self" else ""


def _next_page(feed: Any, base: str) -> str:
    """Where the older entries are: RFC 5005, section 3 (paged feeds) and section 4 (archived ones)."""
    links = {str(link.get("rel")): str(link.get("href") or "") for link in reversed(feed.get("links") or ())}
    return absolute(links.get("next") or links.get("prev-archive") or "", base)


def _generator(feed: Any) -> str:
    """What made the feed: in RSS a line, in Atom a name and an address."""
    return line(feed.get("generator") or (feed.get("generator_detail") or {}).get("href"))[:200]


def _broken(document: Any, text: str, kind: str) -> tuple[Damage, list[str]]:
    if _CLOSING.get(kind, "") not in text[-10_000:].lower():
        return "cut off", ["it ends in the middle; its last entry may be incomplete"]
    error = document.get("bozo_exception")
    if not document.get("bozo") or error is None:
        return "", []
    getter = getattr(error, "getLineNumber", None)
    where = f" (line {getter()}: {error.getMessage()})" if getter else f" ({error})"
    return "ill-formed", [f"it is not well-formed XML{where}; what could be read was read"]


def _entry(entry: Any, position: int, base: str, version: str, everyone: str) -> Entry:
    atom = version.startswith("atom")
    link = _link(entry, base)
    summary = _markup(entry.get("summary"), (entry.get("summary_detail") or {}).get("type", ""), atom)
    content = _content(entry, atom)
    published = _date(entry, "published") or _date(entry, "created")
    updated = _date(entry, "updated")
    return Entry(
        id=storable(str(dict.get(entry, "id") or "")).strip() or None,
        link=link,
        title=_title(entry, version),
        summary_html=summary,
        content_html="" if content == summary else content,
        author=_author(entry) or everyone,
        categories=_categories(entry),
        published=published or updated,
        updated=updated,
        image=lead_image(entry, content or summary, link or base),
        comments=_comments(entry),
        position=position,
    )


def _title(holder: Any, version: str) -> str:
    kind = (holder.get("title_detail") or {}).get("type", "")
    return title_text(holder.get("title"), kind, declared=version.startswith("atom"))


def _link(entry: Any, base: str) -> str:
    given = str(entry.get("link") or "")
    # A guid counts as a permalink unless it says otherwise; many are no addresses at all.
    if entry.get("guidislink") and given == entry.get("id") and not re.match(r"https?://|/", given):
        return ""
    return absolute(given, base)


def _date(entry: Any, name: str) -> datetime | None:
    value = dict.get(entry, name)  # its own `get` lets one date stand for another
    return read_date(str(value), dict.get(entry, f"{name}_parsed")) if value else None


def _content(entry: Any, atom: bool) -> str:
    """The longest of its contents that are text."""
    texts = [
        _markup(part.get("value"), part.get("type") or "", atom)
        for part in entry.get("content") or ()
        if _TEXT_TYPES.search(part.get("type") or "")
    ]
    return max(texts, key=len, default="")


def _markup(value: object, kind: str, atom: bool) -> str:
    """Atom says whether a text is plain (RFC 4287, 3.1.1); in RSS every description is markup."""
    text = storable(str(value or ""))
    return paragraphs(text) if atom and kind == "text/plain" else text


def _author(holder: Any) -> str:
    """Names only: an e-mail address is nothing for readers."""
    people = [person.get("name") for person in holder.get("authors") or () if person]
    if not any(people):
        people = [(holder.get("author_detail") or {}).get("name") or holder.get("author")]
    names = [line(html.unescape(_EMAIL.sub("", str(name or "")))).strip(" ()<>,;") for name in people]
    return ", ".join(distinct(names))[:300]


def _categories(entry: Any) -> tuple[str, ...]:
    """Unescaped twice, as content systems escape them twice; markers of kind (Blogger's) are none."""
    terms = [
        line(html.unescape(html.unescape(str(tag.get("label") or tag.get("term") or ""))))
        for tag in entry.get("tags") or ()
        if not str(tag.get("scheme") or "").endswith("#kind")
    ]
    return distinct([term for term in terms if len(term) <= 200])


def _comments(entry: Any) -> int | None:
    """slash:comments, or thr:total and thr:count (RFC 4685, 5 and 4)."""
    counts = [entry.get("slash_comments"), entry.get("thr_total")]
    counts += [
        link.get("thr:count") or link.get("count") for link in entry.get("links") or () if link.get("rel") == "replies"
    ]
    return next((int(count) for count in counts if re.fullmatch(r"\s*\d{1,7}\s*", str(count or ""))), None)
