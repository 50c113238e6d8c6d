"""What a feed and its site say about a publication, gathered for a first configuration."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from digest.articles.cleaning import LeftOut, article_from
from digest.articles.model import Article, Region
from digest.articles.places import place
from digest.feeds.child import parse_safely
from digest.feeds.discover import Site, discover
from digest.feeds.errors import FeedError, NotAFeedError
from digest.feeds.fetch import fetch
from digest.feeds.model import Feed, Fetched, Parsed

WELL_KNOWN = ("Africa", "Americas", "Asia", "Europe", "Middle East", "Oceania")
KINDS = {
    "analysis": "Analysis",
    "interviews": "Interview",
    "interview": "Interview",
    "opinion": "Opinion",
    "podcast": "Podcast",
}


@dataclass(frozen=True, slots=True)
class Survey:
    """A publication as its feed shows it. `topics` most used first, `regions` those its articles are about."""

    feed: str
    name: str
    site: str
    language: str = "en"
    logo: str = ""
    links: dict[str, str] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)
    entries: int = 0

    @property
    def domain(self) -> str:
        host = urlsplit(self.site or self.feed).hostname or "example.org"
        return host.removeprefix("www.")


def survey(url: str, *, allow_private: bool = False) -> Survey:
    """Look at a feed's or a site's address. Raises FeedError where neither leads to a feed."""
    answer = _fetch(url, allow_private)
    site: Site | None = None
    try:
        parsed = parse_safely(answer.body, answer.headers, answer.url)
        feed_url = answer.url
    except NotAFeedError:
        site = discover(answer.body, answer.url)
        if not site.feeds:
            raise
        feed_url = site.feeds[0].url
        answer = _fetch(feed_url, allow_private)
        parsed = parse_safely(answer.body, answer.headers, answer.url)
    if site is None:
        site = _home(parsed.link, allow_private)
    return _summed_up(feed_url, parsed, site)


def _fetch(url: str, allow_private: bool) -> Fetched:
    answer = fetch(Feed(url), allow_private=allow_private)
    assert isinstance(answer, Fetched)  # nothing conditional was asked
    return answer


def _home(link: str, allow_private: bool) -> Site | None:
    """The site's front page adds a logo and links; without it the feed is enough."""
    if not link:
        return None
    try:
        answer = _fetch(link, allow_private)
    except FeedError:
        return None
    return discover(answer.body, answer.url)


def _summed_up(feed_url: str, parsed: Parsed, site: Site | None) -> Survey:
    now = datetime.now(UTC)
    made = [
        article_from(e, feed=feed_url, source=parsed.title, role="articles", kinds={}, now=now) for e in parsed.entries
    ]
    articles = [article for article in made if not isinstance(article, LeftOut)]
    topics = Counter(topic for article in articles for topic in article.topics)
    return Survey(
        feed=feed_url,
        name=(site.name if site and site.name else parsed.title) or urlsplit(feed_url).hostname or "The publication",
        site=parsed.link or feed_url,
        language=(parsed.language or (site.language if site else "") or "en").replace("_", "-"),
        logo=site.logo if site else "",
        links=dict(site.links) if site else {},
        topics=tuple(topic for topic, _ in topics.most_common(40)),
        regions=_regions(articles),
        kinds={topic: KINDS[topic] for topic in topics if topic in KINDS},
        entries=len(parsed.entries),
    )


def _regions(articles: list[Article]) -> tuple[str, ...]:
    """The well-known regions that at least one article is about; all but Oceania where none is."""
    regions = [Region(name.lower().replace(" ", "-"), name, (name.lower(),)) for name in WELL_KNOWN]
    seen = {place(article, regions).region for article in articles}
    found = tuple(region.name for region in regions if region.slug in seen)
    return found or WELL_KNOWN[:5]
