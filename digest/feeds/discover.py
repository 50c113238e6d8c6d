"""A site's page to what a digest needs to know of it: feeds, name, language, logo, social links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

from digest.feeds.links import absolute
from digest.feeds.plain import feedable, line
from digest.feeds.text import decode

_FEED_TYPES = {
    "application/rss+xml": 0,
    "application/atom+xml": 0,
    "application/feed+json": 1,
    "application/rdf+xml": 1,
    "application/json": 2,
    "text/xml": 2,
    "application/xml": 2,
}
"""The types of <link rel=alternate> that are feeds, and how sure that is (0 the surest)."""

_NETWORKS = {
    "facebook.com": "facebook",
    "twitter.com": "twitter",
    "x.com": "twitter",
    "linkedin.com": "linkedin",
    "youtube.com": "youtube",
    "instagram.com": "instagram",
    "bsky.app": "bluesky",
    "t.me": "telegram",
    "podcasts.apple.com": "itunes",
    "itunes.apple.com": "itunes",
    "flickr.com": "flickr",
    "vimeo.com": "vimeo",
}
_SHARING = ("share", "sharer", "intent", "sharearticle", "plugins", "dialog", "widgets", "hashtag", "search")
_LIMIT = 2 << 20


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page points to."""

    url: str
    title: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """What a page tells of its site. `feeds` best first; `links` by network ("facebook").

    `language` is a BCP 47 tag as given, `logo` an absolute address, both "" where the page does not tell."""

    url: str
    name: str = ""
    language: str = ""
    logo: str = ""
    feeds: tuple[FeedLink, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    description: str = ""


def discover(page: bytes, url: str) -> Site:
    """Read a web page. `url` is where it came from: relative addresses count from it, or from its <base>."""
    text, _ = decode(page[:_LIMIT], {})
    reader = _Page(url)
    reader.feed(feedable(text))  # never closed: close() is quadratic in tags that do not end
    metas = reader.metas
    logos = sorted(reader.logos, key=lambda found: found[0])
    return Site(
        url=url,
        name=metas.get("og:site_name") or metas.get("application-name") or _name(reader.title),
        language=reader.language or metas.get("og:locale", "").replace("_", "-"),
        logo=next((address for _, address in logos), ""),
        feeds=_ranked(reader.feeds),
        links=tuple(sorted(reader.links.items())),
        description=metas.get("og:description") or metas.get("description", ""),
    )


def likely_feeds(url: str) -> tuple[str, ...]:
    """Addresses at which a site's feed often is, for a page that names none, most likely first."""
    page = url if url.endswith("/") else url + "/"
    near = [absolute(path, page) for path in ("feed/", "rss.xml", "feed.xml", "atom.xml", "index.xml")]
    root = [absolute(path, page) for path in ("/feed/", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/rss")]
    return tuple(dict.fromkeys(address for address in near + root if address))


def _name(title: str) -> str:
    """A page's title without the slogan after the dash or bar."""
    for separator in (" | ", " – ", " — ", " » ", " - "):
        if separator in title:
            return title.split(separator)[0].strip() or title
    return title


def _ranked(found: Sequence[tuple[int, FeedLink]]) -> tuple[FeedLink, ...]:
    """Comments last: they are no articles."""

    def comments(link: FeedLink) -> bool:
        return "comment" in link.title.lower() or "/comments/" in link.url.lower()

    ordered = sorted(found, key=lambda pair: (comments(pair[1]), pair[0]))
    return tuple(
        {link.url: link for _, link in reversed(ordered)}[url] for url in dict.fromkeys(x.url for _, x in ordered)
    )


class _Page(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base = url
        self.title = ""
        self.language = ""
        self.metas: dict[str, str] = {}
        self.feeds: list[tuple[int, FeedLink]] = []
        self.logos: list[tuple[int, str]] = []
        self.links: dict[str, str] = {}
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = self.language or given.get("lang", "") or given.get("xml:lang", "")
        elif tag == "base":
            self.base = absolute(given.get("href", ""), self.base) or self.base
        elif tag == "title":
            self._in_title = not self.title
        elif tag == "meta":
            self._meta(given)
        elif tag == "link":
            self._link(given)
        elif tag == "img":
            self._image(given)
        elif tag == "a":
            self._anchor(absolute(given.get("href", ""), self.base))

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
            self.title = line(self.title)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data[:500]

    def _meta(self, given: dict[str, str]) -> None:
        name = (given.get("property") or given.get("name") or "").lower()
        content = line(given.get("content"))
        if name and content:
            self.metas.setdefault(name, content)
        if name in ("og:image", "og:image:url"):
            self._logo(2, content)

    def _link(self, given: dict[str, str]) -> None:
        relations = given.get("rel", "").lower().split()
        address = absolute(given.get("href", ""), self.base)
        kind = given.get("type", "").lower().partition(";")[0].strip()
        if "alternate" in relations and kind in _FEED_TYPES and "/oembed" not in address and "/wp-json" not in address:
            if address:
                self.feeds.append((_FEED_TYPES[kind], FeedLink(address, line(given.get("title")), kind)))
        elif "apple-touch-icon" in relations or "apple-touch-icon-precomposed" in relations:
            self._logo(1, given.get("href", ""))
        elif "icon" in relations:
            self._logo(3, given.get("href", ""))

    def _image(self, given: dict[str, str]) -> None:
        """A picture that calls itself the logo: the masthead, where an icon is only its mark."""
        marks = " ".join(given.get(name, "") for name in ("class", "id", "alt")).lower()
        if "logo" in marks or "logo" in given.get("src", "").lower().rpartition("/")[2]:
            self._logo(0, given.get("src", ""))

    def _logo(self, rank: int, address: str) -> None:
        found = absolute(address, self.base)
        if found and not found.endswith(".svg"):  # mail clients show no SVG
            self.logos.append((rank, found))

    def _anchor(self, address: str) -> None:
        if not address:
            return
        parts = urlsplit(address)
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
        network = _NETWORKS.get(host)
        path = parts.path.strip("/").lower()
        if network and path and not path.startswith(_SHARING):
            self.links.setdefault(network, address)
