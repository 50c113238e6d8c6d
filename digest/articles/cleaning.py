"""From an entry as a feed gave it to an article of ours: plain text, whole sentences, nothing scriptable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from unicodedata import east_asian_width
from urllib.parse import urlsplit

from digest.articles.boilerplate import without_boilerplate
from digest.articles.identity import normalised_title, published, without_tracking
from digest.articles.model import Article
from digest.articles.plain import label, one_line, paragraphs
from digest.articles.sentences import excerpt, sentences, shortened
from digest.feeds.model import Entry, Image, Role

LONGEST_TEXT = 20_000
"""Characters of a body that are kept: enough to know what it is about."""
WORDS_A_MINUTE = 200

_PROTECTED_TITLE = re.compile(
    r"(?:protected|protégé|geschützt|protegido|protetto|beveiligd|защищено|محمي|korumalı)\s*:", re.IGNORECASE
)
_PROTECTED_BODY = re.compile(
    r"""there\ is\ no\ excerpt\ because\ this\ is\ a\ protected\ post|name=["']?post_password["'\s>]
    |this\ content\ is\ password[ -]protected""",
    re.IGNORECASE | re.VERBOSE,
)
_CUT_OFF = re.compile(r"(?:…|\.{3}|\[\s*(?:…|\.{3})\s*\])\s*$")
_MAIL = re.compile(r"\b(?:mailto:)?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_NOBODY = frozenset(
    {"admin", "administrator", "webmaster", "root", "wordpress", "wpadmin", "noreply", "no-reply", "nobody"}
    | {
        "unknown",
        "unknown author",
        "anonymous",
        "author",
        "no author",
        "none",
        "null",
        "user",
        "default",
        "rss",
    }
)
_NO_TOPIC = frozenset(
    {
        "uncategorized",
        "uncategorised",
        "non classé",
        "unkategorisiert",
        "allgemein",
        "sin categoría",
        "sem categoria",
    }
    | {
        "senza categoria",
        "geen categorie",
        "без рубрики",
        "без категории",
        "غير مصنف",
        "未分类",
        "未分類",
    }
    | {
        "latest posts",
        "latest",
        "latest news",
        "recent posts",
        "all posts",
        "featured",
        "feature",
        "home",
        "homepage",
    }
    | {
        "home page",
        "front page",
        "frontpage",
        "slider",
        "carousel",
        "headlines",
        "top story",
        "top stories",
        "blog",
    }
    | {
        "post",
        "posts",
        "article",
        "articles",
        "news",
        "misc",
        "miscellaneous",
        "other",
        "general",
        "default",
        "sticky",
    }
    | {
        "english",
        "français",
        "deutsch",
        "español",
        "português",
        "italiano",
        "русский",
        "العربية",
        "中文",
        "日本語",
    }
    | {
        "en",
        "fr",
        "de",
        "es",
        "pt",
        "ru",
        "zh",
        "en-us",
        "en-gb",
        "en_us",
        "en_gb",
        "fr-fr",
        "es-es",
        "pt-br",
    }
)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry that cannot become an article, and why, in words for staff."""

    reason: str
    title: str = ""
    link: str = ""


def article_from(
    entry: Entry, *, feed: str, source: str, role: Role, kinds: Mapping[str, str], now: datetime
) -> Article | LeftOut:
    """The article that an entry makes, as yet without an id; or why it makes none.

    `feed` is the feed's URL, `source` its title; `kinds` maps a lower-case category to the kind's label. The
    excerpt comes from the summary, or from the body where the summary is missing, cut off or the headline."""
    title = label(entry.title)
    link = without_tracking(usable_link(entry.link))
    if _is_protected(entry, title):
        return LeftOut("it is protected by a password", title, link)
    summary = without_boilerplate(paragraphs(entry.summary_html))
    body = without_boilerplate(paragraphs(entry.content_html))
    text = " ".join(body or summary)
    if not title:
        title = shortened(next(iter(sentences(text)), ""), 100)
    if not title:
        return LeftOut("it has neither a headline nor a text", "", link)
    if not link:
        return LeftOut("it has no link that a reader could follow", title, "")
    topics, kind = _topics_and_kind(entry.categories, kinds)
    return Article(
        id="",
        link=link,
        title=title,
        author=author(entry.author),
        excerpt=_excerpt(summary, body, title),
        text=text[:LONGEST_TEXT],
        topics=topics,
        kind=kind,
        published_at=published(entry),
        first_seen=now,
        image=_image(entry.image),
        reading_minutes=_minutes(" ".join(body)) if body else 0,
        comments=entry.comments,
        feed=feed,
        source=label(source),
        role=role,
        position=entry.position,
    )


def usable_link(url: str) -> str:
    """The address if a reader can be sent there (http or https, a host, no space or control), or ""."""
    if any(c.isspace() or not c.isprintable() or c in '<>"\\`' for c in url.strip()):
        return ""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    bare = parts.username is None and parts.password is None  # a login in a link is nobody's to pass on
    return url.strip() if parts.scheme in ("http", "https") and parts.hostname and bare else ""


def author(name: str) -> str:
    """The author as a byline shows it: without "by", addresses and what systems call nobody."""
    bare = re.sub(r"\(\s*\)|<\s*>|\[\s*\]", " ", _MAIL.sub(" ", label(name, 400)))
    bare = re.sub(r"^\W*(?:by|par|por|von)\b[\s:]+", "", bare.strip(), flags=re.IGNORECASE)
    if (inner := re.fullmatch(r"\W*\(([^()]+)\)\W*", bare)) is not None:  # "name@example.org (A Name)"
        bare = inner[1]
    bare = one_line(bare).strip(' ,;:|/-–—<>"“”')  # around what was taken out a tag may have closed
    if bare.lower() in _NOBODY or re.match(r"https?://|www\.", bare) or not re.search(r"[^\W\d_]", bare):
        return ""
    return shortened(bare, 160)


def topic(category: str) -> str:
    """A category as a topic: opened up, lower-case, or "" where it says nothing about the subject."""
    bare = label(category, 120).lower().strip(" ,;:|")
    if bare in _NO_TOPIC or bare.startswith(("*", "lang:", "language:")):
        return ""
    return bare if re.search(r"\w", bare) else ""


def _topics_and_kind(categories: Iterable[str], kinds: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """A category that names a kind is shown as the label, not once more among the topics."""
    found, kind = [], ""
    for category in categories:
        bare = label(category, 120).lower()
        if bare in kinds:
            kind = kind or kinds[bare]
        elif name := topic(category):
            found.append(name)
    return tuple(dict.fromkeys(found)), kind


def _is_protected(entry: Entry, title: str) -> bool:
    if any(_PROTECTED_BODY.search(markup[:50_000]) for markup in (entry.summary_html, entry.content_html)):
        return True
    # "Protected: how a reef survived" is a headline where a real text follows it
    seen = " ".join(paragraphs(entry.content_html or entry.summary_html)).split()
    return _PROTECTED_TITLE.match(title) is not None and len(seen) < 40


def _excerpt(summary: list[str], body: list[str], title: str) -> str:
    summary, body = _without_title(summary, title), _without_title(body, title)
    if not summary or (body and _CUT_OFF.search(summary[-1])):
        return excerpt(body or summary)
    return excerpt(summary)


def _without_title(lines: list[str], title: str) -> list[str]:
    """The lines without the headline, which many feeds repeat as the summary or its first line."""
    same = normalised_title(title)
    return [line for line in lines if normalised_title(line) != same]


def _minutes(body: str) -> int:
    """Reading time in whole minutes, at least 1; two wide characters count as a word."""
    wide = sum(east_asian_width(c) in "WF" for c in body) if not body.isascii() else 0
    return max(1, round((len(body.split()) + wide / 2) / WORDS_A_MINUTE))


def _image(image: Image | None) -> Image | None:
    if image is None or not usable_link(image.url):
        return None
    return replace(image, alt=label(image.alt), credit=label(image.credit, 160))
