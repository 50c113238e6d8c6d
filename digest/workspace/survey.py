"""What a feed and its site say about a publication, gathered for a first configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from digest.articles.cleaning import LeftOut, article_from
from digest.articles.model import Article, Region
from digest.articles.places import place
from digest.errors import UsageError
from digest.feeds.child import parse_safely
from digest.feeds.discover import Site, discover, likely_feeds
from digest.feeds.errors import FeedError, NotAFeedError
from digest.feeds.fetch import fetch
from digest.feeds.model import Feed, Fetched, Parsed
from digest.workspace.logo import Logo, measured

WELL_KNOWN = ("Africa", "Americas", "Asia", "Europe", "Middle East", "Oceania")
KINDS = {
    "analysis": "Analysis",
    "interviews": "Interview",
    "interview": "Interview",
    "opinion": "Opinion",
    "podcast": "Podcast",
}
_TRIED = 4
"""How many of the feeds that a page names are looked at."""
_SECONDS = 10
"""For an address that is only likely to be a feed."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A publication as its feed shows it. `topics` most used first, `regions` those its articles are about.

    Every text is as found: whoever writes it down must take it for hostile. `published` is newest first."""

    feed: str
    name: str
    site: str
    language: str = "en"
    logo: Logo | None = None
    links: dict[str, str] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)
    entries: int = 0
    published: tuple[datetime, ...] = ()


def survey(url: str, *, now: datetime | None = None, allow_private: bool = False) -> Survey:
    """Look at a feed's or a site's address. Raises FeedError where it leads to none, UsageError for no address."""
    address = _address(url)
    answer = _fetch(address, allow_private)
    try:
        parsed = parse_safely(answer.body, answer.headers, answer.url)
        found, site = answer.url, _home(parsed.link, allow_private)
    except NotAFeedError as error:
        if error.state != "html":
            raise
        site = discover(answer.body, answer.url)
        found, parsed = _first_feed(site, error, allow_private)
    return _summed_up(found, parsed, site, now or datetime.now(UTC), allow_private)


def _address(url: str) -> str:
    """As people write it: `www.example.org` is an address, too."""
    given = url.strip()
    if given and "://" not in given and not given.startswith(("/", ".", "-")) and "." in given.partition("/")[0]:
        given = f"https://{given}"
    try:
        parts = urlsplit(given)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname)
        secret = bool(parts.password)
    except ValueError:
        fine = secret = False
    if secret:
        raise UsageError("--feed has a password in it", mend="passwords never stand in config.toml: see DIGEST_FEEDS")
    if not fine:
        raise UsageError(f"--feed {url!r} is no address", mend="write it as https://www.example.org/")
    return given


def _fetch(url: str, allow_private: bool, seconds: float = 60) -> Fetched:
    try:
        answer = fetch(Feed(url), allow_private=allow_private, deadline=seconds)
    except FeedError as error:
        if error.state == "private-address":  # there is no configuration yet that could allow it
            mend = "correct the address, or add --allow-private-addresses"
            raise FeedError(error.url, error.state, error.detail, mend=mend) from error
        raise
    assert isinstance(answer, Fetched)  # nothing conditional was asked
    return answer


def _first_feed(site: Site, why: NotAFeedError, allow_private: bool) -> tuple[str, Parsed]:
    """The first feed that can be read: of those that the page names, else of where feeds often are."""
    for url, seconds in _places(site):
        try:
            answer = _fetch(url, allow_private, seconds)
            return answer.url, parse_safely(answer.body, answer.headers, answer.url)
        except FeedError as error:
            if site.feeds:
                why = NotAFeedError(site.url, f"names the feed {url}, but {error.detail}", mend=error.mend)
    raise why


def _places(site: Site) -> Iterator[tuple[str, float]]:
    if site.feeds:
        yield from ((link.url, 60) for link in site.feeds[:_TRIED])
    else:
        yield from ((url, _SECONDS) for url in likely_feeds(site.url))


def _home(link: str, allow_private: bool) -> Site | None:
    """The site's front page adds a logo and links; without it the feed is enough."""
    if not link:
        return None
    try:
        answer = _fetch(link, allow_private, _SECONDS)
    except FeedError:
        return None
    return discover(answer.body, answer.url)


def _logo(site: Site | None, allow_private: bool) -> Logo | None:
    if site is None or not site.logo:
        return None
    try:
        return measured(site.logo, _fetch(site.logo, allow_private, _SECONDS).body)
    except FeedError:
        return None


def _summed_up(found: str, parsed: Parsed, site: Site | None, now: datetime, allow_private: bool) -> Survey:
    made = [
        article_from(e, feed=found, source=parsed.title, role="articles", kinds={}, now=now) for e in parsed.entries
    ]
    articles = [article for article in made if not isinstance(article, LeftOut)]
    topics = Counter(topic for article in articles for topic in article.topics)
    dates = [article.published_at for article in articles if article.published_at and article.published_at <= now]
    return Survey(
        feed=found,
        name=(site.name if site and site.name else parsed.title) or urlsplit(found).hostname or "The publication",
        site=parsed.link or (site.url if site else found),
        language=parsed.language or (site.language if site else ""),
        logo=_logo(site, allow_private),
        links=dict(site.links) if site else {},
        topics=tuple(topic for topic, _ in topics.most_common(40)),
        regions=_regions(articles),
        kinds={topic: KINDS[topic] for topic in topics if topic in KINDS},
        entries=len(parsed.entries),
        published=tuple(sorted(dates, reverse=True)),
    )


def _regions(articles: list[Article]) -> tuple[str, ...]:
    """The well-known regions that at least one article is about; all but Oceania where none is."""
    regions = [Region(name.lower().replace(" ", "-"), name, (name.lower(),)) for name in WELL_KNOWN]
    seen = {place(article, regions).region for article in articles}
    found = tuple(region.name for region in regions if region.slug in seen)
    return found or WELL_KNOWN[:5]
