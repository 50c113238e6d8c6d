"""Putting an edition right by hand, after it has gone out: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from digest.articles.model import Article
from digest.editions.model import Edition, Placed, Section
from digest.errors import NotFoundError, RefusedError, UsageError


@dataclass(frozen=True, slots=True)
class Amendments:
    """What is to be another. Articles are named by id, link, or words of the title as it stands."""

    drop: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    excerpts: Mapping[str, str] = field(default_factory=dict)
    introduction: str | None = None

    @property
    def empty(self) -> bool:
        return not (self.drop or self.titles or self.links or self.excerpts) and self.introduction is None


def amended(edition: Edition, changes: Amendments) -> Edition:
    """The edition with the changes. Raises NotFoundError or RefusedError for an article that cannot be told, UsageError
    for a link or a title that cannot stand."""
    standing = [placed.article for section in edition.sections for placed in section.articles]
    dropped = {_named(standing, name).id for name in changes.drop}
    titles = {_named(standing, name).id: text for name, text in changes.titles.items()}
    links = {_named(standing, name).id: link for name, link in changes.links.items()}
    excerpts = {_named(standing, name).id: text for name, text in changes.excerpts.items()}
    for link in links.values():
        if not link.startswith(("https://", "http://")):
            raise UsageError(f"{link!r} is not a web address", mend="write --link ARTICLE=https://…")
    if not all(titles.values()):
        raise UsageError("--title has no text", mend="write --title ARTICLE=TEXT, or --drop ARTICLE")

    def other(placed: Placed) -> Placed:
        article = placed.article
        return replace(
            placed,
            article=replace(
                article,
                title=titles.get(article.id, article.title),
                link=links.get(article.id, article.link),
                excerpt=excerpts.get(article.id, article.excerpt),
            ),
        )

    def without(section: Section) -> Section:
        return replace(section, articles=tuple(other(p) for p in section.articles if p.article.id not in dropped))

    sections = [(section, without(section)) for section in edition.sections]
    return replace(
        edition,
        sections=tuple(after for before, after in sections if after.articles or not before.articles),
        introduction=edition.introduction if changes.introduction is None else changes.introduction,
    )


def _named(standing: list[Article], name: str) -> Article:
    words = name.casefold()
    exact = [a for a in standing if name in (a.id, a.link)]
    found = exact or [a for a in standing if words and words in a.title.casefold()]
    if not found:
        raise NotFoundError(
            f"no article of this edition has the id, the link or the words {name!r}", mend="look at `digest show`"
        )
    if len({a.id for a in found}) > 1:
        raise RefusedError(
            f"{name!r} may be {len(found)} articles", mend=f"name one by its id: {', '.join(a.id for a in found[:5])}"
        )
    return found[0]
