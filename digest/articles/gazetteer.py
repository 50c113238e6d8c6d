"""The words for places, read from CLDR and gazetteer.tsv: which part of the world each one names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from babel import Locale, UnknownLocaleError

AREAS = ("africa", "americas", "asia", "europe", "middle-east", "oceania")
NOWHERE = "none"
"""The area of words that hold a place's name and are about no place ("Paris Agreement")."""

_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"  # Thai, Japanese, Chinese: each letter is taken for a word
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_DOTTED = re.compile(r"\b(?:[A-Z]\.){2,}")
_MARKS = {"~": "person", "?": "namesake", "=": "abbreviation", "-": "venue"}


@dataclass(frozen=True, slots=True)
class Name:
    """One way to name a place. `rule`: country, name, people, city or area; `care`: why it proves little, or ""."""

    words: tuple[str, ...]
    place: str
    area: str
    rule: str
    care: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A word as compared (`folded`) and as written (`raw`), with its place in the text."""

    folded: str
    raw: str
    start: int
    end: int


def fold(word: str) -> str:
    """Case and accents aside."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f"))


def tokens(text: str) -> list[Token]:
    """The words of a text; "U.S." is one, and a possessive or a hyphen ends one."""
    plain = _DOTTED.sub(lambda m: m[0].replace(".", "").ljust(len(m[0])), text)
    return [Token(fold(m[0]), m[0], m.start(), m.end()) for m in _WORD.finditer(plain)]


def phrase(text: str) -> tuple[str, ...]:
    """The words of a name, as compared."""
    return tuple(token.folded for token in tokens(text))


@cache
def names(language: str) -> tuple[Name, ...]:
    """Every name of every place that we know, in English and in this language (a BCP 47 tag)."""
    found: dict[tuple[str, ...], Name] = {}
    locales = [locale for locale in (_locale("en"), _locale(language)) if locale is not None]
    for area, codes, columns in _rows():
        for rule, column in zip(("name", "people", "city"), columns, strict=False):
            for text in filter(None, column.split(";")):
                care = _MARKS.get(text[0], "")
                words = phrase(text[1:] if care else text)
                of_area = codes == ["-"] and rule == "name"
                place = codes[0] if codes != ["-"] else f"{area}:{words[0]}"
                found.setdefault(words, Name(words, place, area, "area" if of_area else rule, care))
        for code in codes:
            for locale in locales:
                for text in _spellings(str(locale.territories.get(code, ""))):
                    words = phrase(text)
                    if words and (words not in found or not found[words].care):
                        found[words] = Name(words, code, area, "country")
    return tuple(found.values())


def _rows() -> Iterator[tuple[str, list[str], list[str]]]:
    text = files("digest.articles").joinpath("gazetteer.tsv").read_text("utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            area, codes, *columns = line.split("\t")
            yield area, codes.split(";"), columns


def _spellings(name: str) -> Iterator[str]:
    """CLDR's "Myanmar (Burma)", "St. Lucia", "Bosnia & Herzegovina" as people write them."""
    if not name or " - " in name:  # "Congo - Kinshasa" is written by nobody
        return
    for part in re.split(r"\s*[()（）]\s*", name):
        yield part
        if "&" in part:
            yield part.replace("&", "and")
        if part.startswith("St. "):
            yield "Saint " + part[4:]


def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return None
