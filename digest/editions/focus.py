"""The focus calendar: which topic a month has, and whether an article belongs to it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, timedelta

from digest.articles.model import Article
from digest.editions.model import Focus

NOTICE = timedelta(days=14)
"""How long before a month begins its missing focus is told."""


def focus_for(day: date, calendar: Sequence[Focus]) -> Focus | None:
    """The focus of the month that an edition's day lies in, or None where the calendar has none."""
    month = _month(day)
    return next((focus for focus in calendar if focus.month == month), None)


def missing_next(day: date, calendar: Sequence[Focus]) -> str | None:
    """The month ("2013-12") within two weeks of `day` that has no focus yet, the nearest first.

    None where nothing is missing, and for a publication that keeps no calendar at all."""
    if not calendar:
        return None
    known = {focus.month for focus in calendar}
    return next((month for month in (_month(day), _month(day + NOTICE)) if month not in known), None)


def matches(article: Article, focus: Focus) -> str | None:
    """Why this article belongs to the focus, as a sentence for staff; None where it does not.

    Its topics decide first, then whole phrases in its headline, then in its excerpt. A topic of the focus that ends in
    "*" stands for every word that begins so: "mediat*" for mediation, mediators and mediated."""
    own = {_plain(topic): topic for topic in article.topics}
    for topic in focus.topics:
        wanted, open_end = _plain(topic).removesuffix("*"), topic.endswith("*")
        for plain, shown in own.items():
            if wanted and (plain == wanted or (open_end and find_phrase(topic, plain) == plain)):
                return f"its topic “{shown}” belongs to the focus, {focus.title}"
    for text, where in ((article.title, "headline"), (article.excerpt, "excerpt")):
        for topic in focus.topics:
            found = find_phrase(topic, text)
            if found:
                return f"its {where} says “{found}”, which belongs to the focus, {focus.title}"
    return None


def find_phrase(phrase: str, text: str) -> str | None:
    """The words of `text` in which `phrase` stands as whole words, case and hyphens aside; None if nowhere.

    After a last "*" any letters may follow ("peace process*"); what is found is the whole words.
    A word ends where no letter, digit, underscore or combining mark follows. (`\\b` of `re` takes a vowel
    sign of an Indic script for the end of a word.) Chinese, Japanese, Thai put nothing between words."""
    open_end = phrase.rstrip().endswith("*")
    words = re.split(r"[\s\-‐‑]+", _plain(phrase).strip().removesuffix("*"))
    if not any(words):
        return None
    folded = _plain(text)
    pattern = r"[\s\-‐‑]+".join(map(re.escape, words)) + (r"\w*" if open_end else "")
    for found in re.finditer(pattern, folded):
        before, after = folded[: found.start()][-1:], folded[found.end() :][:1]
        first, last = found.group()[0], found.group()[-1]
        if not _joined(before, first) and not _joined(last, after):
            return found.group()
    return None


def _joined(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to one word."""
    if not left or not right:
        return False
    if unicodedata.category(right).startswith("M"):
        return True
    if not (_is_word(left) and _is_word(right)):
        return False
    return not (_is_unspaced(left) or _is_unspaced(right))


def _is_word(character: str) -> bool:
    return character == "_" or character.isalnum() or unicodedata.category(character).startswith("M")


def _is_unspaced(character: str) -> bool:
    name = unicodedata.name(character, "")
    return name.startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())


def _month(day: date) -> str:
    return day.isoformat()[:7]
