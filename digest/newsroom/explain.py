"""Why an article stands where it stands, in a sentence a person would say."""

from __future__ import annotations

from typing import Any

from digest.app import App
from digest.articles import store as articles
from digest.articles.model import Article
from digest.articles.places import place
from digest.editions import store as editions
from digest.editions.store import EditionRow
from digest.errors import NotFoundError


def explain(app: App, text: str) -> list[dict[str, Any]]:
    """One answer for each article that `text` (an id, a link, words of a title) finds: at most ten.

    Raises NotFoundError where nothing is found."""
    with app.database.read() as connection:
        found = articles.find(connection, text)[:10]
        rows = {a.id: editions.where_is(connection, a.id) for a in found}
        latest = editions.latest(connection)
        editions_by_slug = {slug: editions.load(connection, slug) for slug in {s for s in rows.values() if s}}
        why_not = {a.id: _why_not(articles.standing(connection, a.id)) for a in found}
    if not found:
        raise NotFoundError(f"no article has the id, the link or the words {text!r}", mend="look at `digest show`")
    return [_answer(app, a, editions_by_slug.get(rows[a.id] or ""), latest, why_not[a.id]) for a in found]


def _answer(
    app: App, article: Article, row: EditionRow | None, latest: EditionRow | None, why_not: str
) -> dict[str, Any]:
    base = {"id": article.id, "title": article.title, "link": article.link}
    for edition in filter(None, (row, latest)):
        for section in edition.edition.sections:
            for placed in section.articles:
                if placed.article.id == article.id:
                    sentence = f"It stands under {section.title} in {edition.slug} ({edition.state}): {placed.reason}."
                    return base | {
                        "edition": edition.slug,
                        "section": section.slug,
                        "sentence": sentence,
                        "reason": placed.reason,
                    }
        for waiting in edition.edition.waiting:
            if waiting.article.id == article.id:
                sentence = f"It waits, and is not in {edition.slug}: {waiting.reason}."
                return base | {
                    "edition": None,
                    "section": None,
                    "sentence": sentence,
                    "reason": waiting.reason,
                }
    if why_not:
        sentence = f"It is in no edition: {why_not}."
        return base | {"edition": None, "section": None, "sentence": sentence, "reason": why_not}
    placement = place(article, app.config.region_list(), language=app.config.publication.language)
    sentence = f"It is in no edition yet; by its subject it belongs under {placement.region}: {placement.reason}."
    return base | {
        "edition": None,
        "section": placement.region,
        "sentence": sentence,
        "reason": placement.reason,
    }


def _why_not(standing: articles.Standing) -> str:
    if standing.dropped_by:
        return f"{standing.dropped_by} dropped it for good"
    return standing.why_not
