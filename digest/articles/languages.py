"""Which languages a text may be in, by its script and smallest words: enough to know whose names to look for."""

from __future__ import annotations

import re

READ = ("fr", "es", "pt", "de", "ru", "ar", "zh")
"""The languages, besides English, whose words for places we have."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SMALL = {
    "en": _words("the of and to in for is on with as at by from its his her after over says how why what"),
    "fr": _words(
        """le la les des du une et est dans sur pour au aux qui que avec par ses son sa leur ce cette l d un en à
        selon"""
    ),
    "es": _words("""el los las del una y para por con se su sus al más es está entre tras la de en un que no sobre"""),
    "pt": _words("o os as do da dos das uma e para por com não na no nas nos em ao à é mais sobre após um que"),
    "de": _words("""der die das und nicht mit von für im den dem des auf ist ein eine zu nach bei über will um in"""),
}
# Words that English headlines have too, or that are parts of names
_ALSO_ENGLISH = _words("in on as no do a is will la de los las el du")
_SCRIPTS = (
    ("ru", re.compile("[а-яА-ЯёЁіїєґ]")),
    ("ar", re.compile("[\u0620-\u064a]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
)
_WORD = re.compile(r"[^\W\d_]+")
_FEWEST = 2


def languages_of(text: str, publication: str) -> tuple[str, ...]:
    """The languages to read a text in, besides English: the publication's, and what the text shows. Sorted."""
    found = {language for language in (publication.split("-")[0].lower(),) if language != "en"}
    if not text.isascii():
        found.update(language for language, letters in _SCRIPTS if letters.search(text))
    words = [word.lower() for word in _WORD.findall(text)]
    scores = {language: len([w for w in words if w in small]) for language, small in _SMALL.items()}
    english = scores.pop("en")
    best = max(scores.values())
    if best >= _FEWEST and best > english:
        telling = {language for language, score in scores.items() if score == best}
        found |= {x for x in telling if any(w in _SMALL[x] and w not in _ALSO_ENGLISH for w in words)}
    return tuple(sorted(found))
