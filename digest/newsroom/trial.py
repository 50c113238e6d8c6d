"""`digest try`: what would be made of a feed, stored nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digest.articles.blanket import without_blanket_categories
from digest.articles.cleaning import LeftOut, article_from
from digest.articles.intake import too_old
from digest.articles.model import Region
from digest.articles.places import place
from digest.articles.plain import label
from digest.config import Config
from digest.feeds.child import parse_safely
from digest.feeds.errors import FeedError
from digest.feeds.fetch import fetch
from digest.feeds.model import Entry, Feed, Fetched, Parsed
from digest.newsroom.views import print_hanging

if TYPE_CHECKING:
    from rich.console import Console


def try_out(config: Config, source: str, *, now: datetime | None = None) -> dict[str, Any]:
    """The JSON of `digest try`: the feed with its warnings, and every entry, eligible or not and why.

    Raises FeedError where it is no feed, or cannot be had."""
    now = now or datetime.now(UTC)
    feed = Feed(source)
    if source.startswith(("http://", "https://")):
        answer = fetch(feed, allow_private=config.fetching.allow_private_addresses)
        assert isinstance(answer, Fetched)  # nothing conditional was asked
        url, body, headers = answer.url, answer.body, answer.headers
    else:
        url, body, headers = "", _read(source), {}
    try:
        parsed = parse_safely(body, headers, url)
    except FeedError as error:
        raise FeedError(source, error.state, error.detail, mend=error.mend) from error
    regions = config.region_list()
    undated = accumulate(entry.published is None for entry in parsed.entries)
    articles = [
        _entry_json(config, regions, parsed, entry, now, count)
        for entry, count in zip(without_blanket_categories(parsed.entries), undated, strict=True)
    ]
    return {
        "feed": {
            "url": source,
            "title": label(parsed.title),
            "version": parsed.version,
            "warnings": list(parsed.warnings),
        },
        "articles": articles,
    }


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except IsADirectoryError:
        raise FeedError(path, "unreadable", "is a folder", mend="name the feed's file or URL") from None
    except OSError as error:
        raise FeedError(
            path, "unreadable", f"{error.strerror}", mend="name a file, or a URL that starts with https://"
        ) from None


def _entry_json(
    config: Config, regions: Sequence[Region], parsed: Parsed, entry: Entry, now: datetime, undated: int
) -> dict[str, Any]:
    made = article_from(entry, feed="", source=parsed.title, role="articles", kinds=config.kinds, now=now)
    base: dict[str, Any] = {"id": entry.id, "link": entry.link, "title": label(entry.title)}
    if isinstance(made, LeftOut):
        return base | {
            "author": "", "published": entry.published, "kind": "", "topics": list(entry.categories), "regions": [],
            "region": "global", "reason": "", "excerpt": "", "image": None, "eligible": False, "why_not": made.reason,
        }  # fmt: skip
    why_not = too_old(made, now, config.editions.lookback, undated)
    if made.published_at and made.published_at > now:
        why_not = f"dated in the future: {made.published_at:%d %b %Y}"
    placement = place(made, regions, language=config.publication.language)
    image = made.image
    return base | {
        "title": made.title,
        "author": made.author,
        "published": made.published_at,
        "kind": made.kind,
        "topics": list(made.topics),
        "regions": list(placement.regions),
        "region": placement.region,
        "reason": placement.reason,
        "excerpt": made.excerpt,
        "image": {"url": image.url, "alt": image.alt, "width": image.width, "height": image.height} if image else None,
        "eligible": not why_not,
        "why_not": why_not,
    }


def print_trial(out: Console, trial: dict[str, Any]) -> None:
    """The same for a person."""
    feed, articles = trial["feed"], trial["articles"]
    count, eligible = len(articles), sum(article["eligible"] for article in articles)
    entries = f"{count} entr{'y' if count == 1 else 'ies'}, {eligible} eligible"
    print_hanging(out, "", f"{feed['title'] or feed['url']} ({feed['version']}): {entries}", style="bold")
    for warning in feed["warnings"]:
        print_hanging(out, "! ", warning, style="yellow")
    for article in articles:
        print_hanging(out, "", "")
        print_hanging(out, "", article["title"] or "(no title)", style="bold")
        date = f"{article['published']:%d %b %Y}" if article["published"] else "undated"
        facts = [date, article["author"], article["kind"], ", ".join(article["topics"][:6])]
        lines = [" · ".join(fact for fact in facts if fact)]
        if article["reason"]:
            lines.append(f"{article['region']}: {article['reason']}")
        lines += [article["excerpt"]] if article["excerpt"] else []
        lines += [f"photo {article['image']['url']}"] if article["image"] else []
        lines += [f"not eligible: {article['why_not']}"] if not article["eligible"] else []
        for line in lines:
            print_hanging(out, "  ", line, style="" if line == article["excerpt"] else "dim")
