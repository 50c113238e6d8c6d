"""Whether the pages of an edition's articles still stand: what is gone leaves it, what moved is linked where it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.engine import Connection

from digest.app import App
from digest.articles import store as articles
from digest.articles.identity import canonical_link, without_tracking
from digest.articles.model import Article
from digest.editions.model import Change
from digest.feeds.probe import Probe

NOT_FOUND = 404
ROUNDS = 10
"""How often those are looked at that came up for what is gone; the probe's own time is over by then."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: the HTTP status of the pages that are gone, and the new links of those that moved, by id.

    `doubts`: sentences for staff about what was found and not believed."""

    gone: Mapping[str, int] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.gone or self.moved)

    def relinked(self, article: Article) -> Article:
        return replace(article, link=self.moved.get(article.id, article.link))

    def changes(self, looked_at: Iterable[Article], at: datetime) -> tuple[Change, ...]:
        """As an edition keeps them."""
        found = []
        for article in looked_at:
            if article.id in self.gone:
                why = f"its page is gone (HTTP {self.gone[article.id]})"
                found.append(Change(article, "withdrawn", article.link, why, at))
            elif article.id in self.moved:
                found.append(Change(article, "link", article.link, self.moved[article.id], at))
        return tuple(found)


NOTHING = Checked()


def check(app: App, standing: Callable[[Collection[str]], Iterable[Article]]) -> Checked:
    """Look at the pages of the articles that stand when these ids are left out, and of those that come up for them.

    About 20 seconds in all at most; without a network, or with `[fetching] check_links` off, nothing is found."""
    if not app.config.fetching.check_links:
        return NOTHING
    gone: dict[str, int] = {}
    links: dict[str, str] = {}
    known: dict[str, str] = {}
    doubts: tuple[str, ...] = ()
    with Probe(allow_private=app.config.fetching.allow_private_addresses, contact=app.publication.url) as probe:
        for _ in range(ROUNDS):
            new = {a.id: a.link for a in standing(gone.keys()) if a.id not in known}
            known |= new
            found = probe.look(new.values())
            links |= {i: without_tracking(found[link].moved_to) for i, link in new.items() if link in found}
            lost = {i: status for i, link in new.items() if link in found and (status := found[link].gone)}
            if _site_is_broken(lost, len(new)):
                doubts = (f"{len(lost)} of {len(new)} articles' pages are not found (HTTP 404): is the site in order?",)
                lost = {i: status for i, status in lost.items() if status != NOT_FOUND}
            gone |= lost
            if not lost:
                break
    moved = {i: to for i, to in links.items() if to and _another_page(known[i], to, links.values())}
    return Checked(gone, moved, doubts)


def _site_is_broken(lost: Mapping[str, int], looked_at: int) -> bool:
    """Whether so many pages are missing that it says nothing about the articles. 410 always does: somebody said so."""
    missing = sum(status == NOT_FOUND for status in lost.values())
    return missing > 1 and missing * 2 > looked_at


def _another_page(old: str, new: str, every: Iterable[str]) -> bool:
    """Whether it is a page of its own: not another spelling, nor the front page, nor one to which several are sent."""
    shared = Counter(map(canonical_link, every))[canonical_link(new)] > 1
    front = urlsplit(new).path in ("", "/")
    return not shared and not front and canonical_link(old) != canonical_link(new)


def relink(connection: Connection, checked: Checked, now: datetime) -> Checked:
    """Keep the new links with the articles; returns what was found without the moves that cannot be followed, since
    they lead to another article's page."""
    followed = {i: to for i, to in checked.moved.items() if articles.relink(connection, i, to, now)}
    return replace(checked, moved=followed)
