"""An edition as plain values for templates: texts cleaned, links made safe, photos chosen, excerpts cut to
a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from digest.articles.model import Article
from digest.editions.model import Edition, Section
from digest.feeds.model import Image
from digest.rendering import i18n
from digest.rendering.model import Publication, place
from digest.rendering.plain import clean, clean_paragraphs, clean_subject, safe_url, shorten

COLUMN = 600
"""The width of the mail in CSS pixels."""
THUMB = 144


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of each article is shown. `excerpt` is the most characters of one; the sets hold article
    ids."""

    excerpt: int = 10_000
    headlines: frozenset[str] = field(default=frozenset())
    online: frozenset[str] = field(default=frozenset())


def view(edition: Edition, publication: Publication, regions: tuple[str, ...], plan: Plan) -> dict[str, Any]:
    """What the templates of a digest are handed, besides `publication` and the colours."""
    sections = [_section(edition, section, publication, plan) for section in edition.sections]
    own = [placed.article for placed in edition.articles]
    titles = [clean(article.title) for article in own]
    return {
        "slug": edition.slug,
        "day": edition.day,
        "introduction": clean_paragraphs(edition.introduction),
        "sections": [section for section in sections if section["shown"]],
        "article_count": len(own),
        # A sum in which some are missing would say too little.
        "minutes": sum(a.reading_minutes for a in own) if all(a.reading_minutes for a in own) else 0,
        "headlines": titles,
        "lead_title": next((title for title in titles[:1] if not _misleading(title)), ""),
        "lead_excerpt": clean(own[0].excerpt) if own else "",
        "browser_link": browser_link(edition.slug, publication, regions),
        "regions": [clean(publication.region_names.get(slug, slug)) for slug in regions],
        "unsubscribe": place("UNSUBSCRIBE"),
        "preferences": place("PREFERENCES"),
        "since": place("SINCE"),
    }


def _misleading(title: str) -> bool:
    """A headline that may not be a subject: all capitals, the look of a reply, or nothing that can be seen."""
    return (
        not clean_subject(title)
        or title.isupper()
        or re.match(r"(re|fwd?|aw|wg|sv|tr)\s*:", title, re.IGNORECASE) is not None
    )


def browser_link(slug: str, publication: Publication, regions: tuple[str, ...]) -> str:
    """Where this choice of regions can be read in a browser."""
    query = f"?regions={','.join(regions)}" if regions else ""
    return safe_url(f"{publication.public_url.rstrip('/')}/e/{slug}{query}")


def _section(edition: Edition, section: Section, publication: Publication, plan: Plan) -> dict[str, Any]:
    focus = edition.focus if section.kind == "focus" else None
    articles = [placed.article for placed in section.articles if placed.article.id not in plan.online]
    slugs = list(publication.region_names)
    shown = [_article(article, edition, publication, plan) for article in articles]
    lead = shown[0] if focus is not None and shown else None
    return {
        "slug": section.slug,
        "kind": section.kind,
        "title": _title(edition, section, publication.language),
        "introduction": clean_paragraphs(section.introduction or (focus.introduction if focus else "")),
        "link": safe_url(section.link or (focus.link if focus else "")),
        "colour": slugs.index(section.slug) if section.slug in slugs else None,
        "hero": _hero(articles[0].image, shown[0]["title"], publication.language) if lead else None,
        "articles": shown,
        "events": [{"day": e.day, "title": clean(e.title), "link": safe_url(e.link)} for e in section.events],
        "pins": [{"title": clean(pin.title), "link": safe_url(pin.link)} for pin in section.pins],
        "online": len(section.articles) - len(articles),
        "online_link": safe_url(section.link) or safe_url(publication.url),
        "shown": bool(section.articles or section.events or section.pins or focus),
    }


def _title(edition: Edition, section: Section, language: str) -> str:
    """The section's title; where compose gave that of the events, it names every month that they fall in."""
    if section.kind == "focus" and edition.focus is not None:
        return clean(edition.focus.title)
    if section.events and section.title == i18n.headings(language, edition.day)["events"]:
        return clean(i18n.events_heading(language, [event.day for event in section.events]))
    return clean(section.title)


def _article(article: Article, edition: Edition, publication: Publication, plan: Plan) -> dict[str, Any]:
    moment = article.published_at
    day = moment.astimezone(ZoneInfo(publication.timezone)).date() if moment is not None else None
    headline_only = article.id in plan.headlines
    title = clean(article.title) or safe_url(article.link)
    return {
        "title": title,
        "link": safe_url(article.link),
        "author": clean(article.author),
        "kind": clean(article.kind),
        "source": clean(article.source),
        "day": i18n.format_short(day, publication.language, near=edition.day) if day is not None else "",
        "minutes": article.reading_minutes,
        "excerpt": "" if headline_only else shorten(clean(article.excerpt), plan.excerpt),
        "photo": None if headline_only else _thumb(article.image, title, publication.language),
    }


def _thumb(image: Image | None, title: str, language: str) -> dict[str, Any] | None:
    """A photo beside an article: not a spacer or an icon, not a banner or a ribbon."""
    if not _good(image, least=120):
        return None
    ratio = _ratio(image)
    return _photo(image, THUMB, ratio, title, language) if 0.6 <= ratio <= 3 else None


def _hero(image: Image | None, title: str, language: str) -> dict[str, Any] | None:
    """A photo across the whole column: wide enough not to blur, and a landscape."""
    if not _good(image, least=480):
        return None
    ratio = _ratio(image)
    return _photo(image, COLUMN, ratio, title, language) if 1.2 <= ratio <= 3.2 else None


def _good(image: Image | None, *, least: int) -> bool:
    if image is None or not safe_url(image.url).startswith("https://"):
        return False
    return image.width is None or image.width >= least


def _ratio(image: Image | None) -> float:
    if image is None or not image.width or not image.height:
        return 1.5  # the feed does not tell; most photographs are 3:2, and `height: auto` mends the rest
    return image.width / image.height


def _photo(image: Image | None, width: int, ratio: float, title: str, language: str) -> dict[str, Any]:
    assert image is not None
    return {
        "url": safe_url(image.url),
        "alt": clean(image.alt),
        "title": title,
        "credit": _credit(clean(image.credit), language),
        "width": width,
        "height": round(width / ratio),
    }


def _credit(credit: str, language: str) -> str:
    """`Photo: Ana Ruiz/Harbour`; a credit that says itself what it is stays as it was given."""
    if not credit or re.match(r"[^\W\d]+( by)?\s?[:：/] ?|©|\(c\)|(photo|picture|image)s?\b", credit, re.IGNORECASE):
        return credit
    return str(i18n.translations(language).gettext("Photo: %(credit)s") % {"credit": credit})


def publication_view(publication: Publication) -> Mapping[str, Any]:
    """The publication as plain values, its links safe."""
    return {
        "name": clean(publication.name),
        "url": safe_url(publication.url),
        "public_url": safe_url(publication.public_url),
        "language": publication.language,
        "reply_to": clean(publication.reply_to),
        "postal_address": clean(publication.postal_address),
        "links": [(clean(label), safe_url(url)) for label, url in publication.links.items() if safe_url(url)],
    }
