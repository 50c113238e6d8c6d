"""The fixed phrases of mails in the publication's language, and its dates, lists and direction.

English is the source. The other languages are `locale/<language>.po`, read and compiled in memory at run
time."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """The Babel locale of a BCP 47 tag (`en`, `fr-CA`); of the bare language where the tag is not known,
    else English."""
    for tag in (language, language.split("-")[0]):
        try:
            return Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale.parse("en")


def catalogue_bytes(language: str) -> bytes:
    """The bytes of the catalogue that serves this language, b"" for English and for a language without
    one."""
    file = resources.files("digest.rendering") / "locale" / f"{locale_of(language).language}.po"
    return file.read_bytes() if file.is_file() else b""


@lru_cache(maxsize=64)
def translations(language: str) -> NullTranslations:
    """The phrases of a language. One without a catalogue speaks English; its dates and lists are still its
    own."""
    source = catalogue_bytes(language)
    if not source:
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source), locale=locale_of(language).language))
    compiled.seek(0)
    return Translations(compiled)


def direction(language: str) -> Literal["ltr", "rtl"]:
    """The direction in which the language is written."""
    return "rtl" if locale_of(language).text_direction == "rtl" else "ltr"


def format_day(day: date, language: str) -> str:
    """`Friday, November 29, 2013`: the day in full."""
    return str(format_date(day, "full", locale=locale_of(language)))


def format_weekday(day: date, language: str) -> str:
    """`Friday`."""
    return str(format_date(day, "EEEE", locale=locale_of(language)))


def format_short(day: date, language: str, *, near: date | None = None) -> str:
    """`Nov 22`; with the year where it is not that of `near`."""
    skeleton = "MMMd" if near is not None and near.year == day.year else "yMMMd"
    return str(format_skeleton(skeleton, day, locale=locale_of(language))).replace(" ", "\u00a0")


def join(words: Iterable[str], language: str) -> str:
    """`Africa, Americas, and Asia`, as the language joins a list; "" for none."""
    return str(format_list(list(words), locale=locale_of(language)))


@lru_cache(maxsize=4096)
def since(day: date | None, language: str) -> str:
    """What fills the personal place SINCE: ` on March 3, 2013` with its leading space, or "" where it is
    not known."""
    if day is None:
        return ""
    phrase = translations(language).gettext("on %(day)s") % {
        "day": format_date(day, "long", locale=locale_of(language))
    }
    return f" {phrase}"


def correction_label(language: str) -> str:
    """`Correction:`, which stands before the subject of a correction and before what was wrong."""
    return translations(language).gettext("Correction:")


def reading_time(minutes: int, language: str) -> str:
    """`6 min`, as it stands beside an article; "" where it is not known."""
    if not minutes:
        return ""
    phrase = translations(language).ngettext("%(num)d min", "%(num)d min", minutes) % {"num": minutes}
    return str(phrase).replace(" ", "\u00a0")


def headings(language: str, day: date) -> dict[str, str]:
    """The headings of the sections that compose makes: focus, global, pinned, events, reading."""
    catalogue = translations(language)
    return {
        "focus": catalogue.gettext("This Month’s Focus"),
        "global": catalogue.gettext("Global"),
        "pinned": catalogue.gettext("What to Watch"),
        "events": events_heading(language, [day]),
        "reading": catalogue.gettext("Further Reading"),
    }


def events_heading(language: str, days: Iterable[date]) -> str:
    """`Key Global Events in November and December`: the months of these days, in their order."""
    months = {day.replace(day=1): format_date(day, "LLLL", locale=locale_of(language)) for day in sorted(days)}
    phrase = translations(language).gettext("Key Global Events in %(month)s")
    return str(phrase % {"month": join(months.values(), language)})
