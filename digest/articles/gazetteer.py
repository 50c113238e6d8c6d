"""The words for places, read from CLDR and the gazetteer's tables: which part of the world each one names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from babel import Locale, UnknownLocaleError

AREAS = ("africa", "americas", "asia", "europe", "middle-east", "oceania")
NOWHERE = "none"
"""The area of words that hold a place's name and are about no place ("Paris Agreement")."""

_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"  # Thai, Japanese, Chinese: each letter is taken for a word
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_DOTTED = re.compile(r"\b(?:[A-Z]\.){2,}")
_MARKS = {"~": "person", "=": "abbreviation", "-": "weak"}
_RULES = ("name", "people", "city", "power")
_COMPASS = {"north": "n", "south": "s", "west": "w", "east": "e"}


@dataclass(frozen=True, slots=True)
class Name:
    """One way to name a place.

    `place` is a country's code, or "area:word". `rule`: country, name, people, city, power (who stands for the place)
    or area. `care`: why it proves little ("person", "abbreviation", "weak"), or "". Of a `stem` four letters more are
    taken, and it may be written small."""

    words: tuple[str, ...]
    place: str
    area: str
    rule: str
    care: str = ""
    stem: bool = False


@dataclass(frozen=True, slots=True)
class Namesake:
    """A name of several places; for each its code ("-" for no place at all) and the words that speak for it."""

    words: tuple[str, ...]
    choices: tuple[tuple[str, frozenset[str]], ...]


class Token(NamedTuple):
    """A word as compared (`folded`) and as written (`raw`), with its place in the text."""

    folded: str
    raw: str
    start: int
    end: int


@lru_cache(maxsize=50_000)
def fold(word: str) -> str:
    """Case and accents aside."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f"))


def tokens(text: str) -> list[Token]:
    """The words of a text; "U.S." is one, and a possessive or a hyphen ends one."""
    ends: dict[int, int] = {}
    if "." in text:
        for m in _DOTTED.finditer(text):
            ends[m.start()] = m.end()
        text = _DOTTED.sub(lambda m: m[0].replace(".", "").ljust(len(m[0])), text)
    return [Token(fold(m[0]), m[0], m.start(), ends.get(m.start(), m.end())) for m in _WORD.finditer(text)]


def phrase(text: str) -> tuple[str, ...]:
    """The words of a name, as compared."""
    return tuple(token.folded for token in tokens(text))


@cache
def names(language: str) -> tuple[Name, ...]:
    """Every name of every place that we have in this language (a BCP 47 tag), each once.

    In English with our own words; in another language the countries as CLDR has them, and its stems."""
    found: dict[tuple[str, ...], Name] = {}
    english = language == "en"
    locale = _locale(language)
    countries = locale.territories if locale is not None else {}
    for area, codes, columns in _rows():
        for rule, column in zip(_RULES, columns if english else (), strict=False):
            for text in filter(None, column.split(";")):
                care = _MARKS.get(text[0], "")
                words = phrase(text[1:] if care else text)
                of_area = codes == ["-"] and rule == "name"
                place = codes[0] if codes != ["-"] else f"{area}:{words[0]}"
                found.setdefault(words, Name(words, place, area, "area" if of_area else rule, care))
        for code in codes:
            for text in _spellings(str(countries.get(code, ""))):
                words = phrase(text)
                if not words or (words in found and found[words].care):
                    continue
                found[words] = Name(words, code, area, "country")
                if language == "ru" and len(words[-1]) > 4 and words[-1][-1] in "аяоеиыьй":  # "Сирия", "в Сирии"
                    stem = (*words[:-1], words[-1][:-1])
                    found.setdefault(stem, Name(stem, code, area, "country", stem=True))
    for name in list(found.values()) if english else ():
        if len(name.words) > 1 and name.words[0] in _COMPASS and name.area != NOWHERE:  # "S. Korea", "N-Korea"
            short = (_COMPASS[name.words[0]], *name.words[1:])
            found.setdefault(short, Name(short, name.place, name.area, name.rule))
    if not english:
        found |= {name.words: name for name in _stems(language.split("-")[0].lower())}
    for namesake in namesakes() if english else ():
        found.pop(namesake.words, None)
    return tuple(found.values())


@cache
def namesakes() -> tuple[Namesake, ...]:
    """The names that several places have, in English."""
    found = []
    for line in _lines("gazetteer.tsv"):
        kind, name, *rest = line.split("\t")
        if kind == "either":
            choices = tuple((code, frozenset(rest[n + 1].split(";"))) for n, code in enumerate(rest) if n % 2 == 0)
            found.append(Namesake(phrase(name), choices))
    return tuple(found)


@cache
def areas_by_code() -> dict[str, str]:
    """The area of each ISO 3166 code that we know."""
    return {code: area for area, codes, _ in _rows() for code in codes if code != "-"}


@cache
def areas_of(topic: str) -> frozenset[str]:
    """The areas of the places that a whole topic names; none where it names no place."""
    words = phrase(topic)
    return frozenset(name.area for name in names("en") if name.words == words and name.area != NOWHERE)


@cache
def shown(code: str) -> str:
    """What people call the place with this code, in English, or "" for an area."""
    english = _locale("en")
    name = str(english.territories.get(code, "")) if english is not None else ""
    return next(_spellings(name), name)


@cache
def _rows() -> tuple[tuple[str, list[str], list[str]], ...]:
    rows = (line.split("\t") for line in _lines("gazetteer.tsv"))
    return tuple((row[0], row[1].split(";"), row[2:]) for row in rows if row[0] != "either")


def _stems(language: str) -> Iterator[Name]:
    by_code = areas_by_code()
    for line in _lines("gazetteer.words.tsv"):
        tongue, entries = line.split("\t")
        if tongue != language:
            continue
        for entry in re.split(r" (?=[\w-]+:)", entries):
            code, _, stems = entry.partition(":")
            area = by_code.get(code, code)
            for stem in stems.split(","):
                if words := phrase(stem):
                    place = code if code in by_code else f"{code}:{words[0]}"
                    yield Name(words, place, area, "people", stem=not _is_unspaced(words[0]))


def _is_unspaced(word: str) -> bool:
    return "\u3400" <= word[0] <= "\u9fff"


def _lines(name: str) -> Iterator[str]:
    text = files("digest.articles").joinpath(name).read_text("utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def _spellings(name: str) -> Iterator[str]:
    """CLDR's "Myanmar (Burma)", "St. Lucia", "Bosnia & Herzegovina" as people write them."""
    if not name or " - " in name:  # "Congo - Kinshasa" is written by nobody
        return
    for part in re.split(r"\s*[()（）]\s*", name):
        if not part:
            continue
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
