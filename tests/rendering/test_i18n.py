"""The mail speaks the publication's language: every fixed phrase, plural, date and list."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from babel.support import Translations

from digest.rendering import i18n
from digest.rendering.environment import Templates
from digest.rendering.model import Design
from digest.rendering.render import render
from tests.support.renditions import DAY, edition, publication

ROOT = Path(i18n.__file__).parents[2]
LANGUAGES = ("de", "fr", "es", "ar")


def used() -> set[str | tuple[str, ...]]:
    """Every phrase that templates and code ask for."""
    jinja = [("**.html", "jinja2.ext:babel_extract"), ("**.txt", "jinja2.ext:babel_extract")]
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2)}
    return {
        message
        for folder, method in (
            (ROOT / "templates" / "email", jinja),
            (ROOT / "digest" / "rendering", [("**.py", "python")]),
        )
        for _, _, message, _, _ in extract_from_dir(folder, method, keywords=keywords)
    }


def messages(language: str) -> dict[str | tuple[str, ...], Message]:
    catalogue = read_po(io.BytesIO(i18n.catalogue_bytes(language)), locale=language)
    return {tuple(m.id) if isinstance(m.id, list | tuple) else m.id: m for m in catalogue if m.id}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_is_translated_and_none_is_stale(language: str) -> None:
    """The catalogue has exactly the phrases that are used, each translated in every plural form."""
    catalogue = messages(language)
    assert set(catalogue) == used()
    forms = {"de": 2, "fr": 2, "es": 2, "ar": 6}[language]
    for phrase, message in catalogue.items():
        texts = message.string if isinstance(message.string, list | tuple) else (message.string,)
        assert len(texts) == (forms if isinstance(phrase, tuple) else 1), phrase
        assert all(texts), phrase
        assert not message.fuzzy


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_placeholders(language: str) -> None:
    """A translation names no placeholder that the phrase does not have, and leaves out none but the
    number."""
    for phrase, message in messages(language).items():
        source = phrase[-1] if isinstance(phrase, tuple) else phrase
        texts = message.string if isinstance(message.string, list | tuple) else (message.string,)
        wanted = set(re.findall(r"%\((\w+)\)[sd]", source))
        for text in texts:
            named = set(re.findall(r"%\((\w+)\)[sd]", text or ""))
            assert named <= wanted, text
            assert wanted - named <= ({"num"} if isinstance(phrase, tuple) else set()), text


@pytest.mark.parametrize(
    ("language", "count", "phrase"),
    [
        ("en", 1, "1 article"),
        ("en", 2, "2 articles"),
        ("fr", 0, "0 article"),
        ("fr", 2, "2 articles"),
        ("es", 1, "1 artículo"),
        ("ar", 2, "مقالان"),
        ("ar", 5, "5 مقالات"),
        ("ar", 14, "14 مقالًا"),
        ("ar", 100, "100 مقال"),
        ("de", 2, "2 Artikel"),
        ("nl", 2, "2 articles"),
    ],
)
def test_plurals(language: str, count: int, phrase: str) -> None:
    """Each language counts in its own way; one without a catalogue speaks English."""
    catalogue = i18n.translations(language)
    assert catalogue.ngettext("%(num)d article", "%(num)d articles", count) % {"num": count} == phrase


def test_compiled_once() -> None:
    """A catalogue is read once and kept."""
    assert isinstance(i18n.translations("fr"), Translations)
    assert i18n.translations("fr") is i18n.translations("fr")


@pytest.mark.parametrize(
    ("language", "way"),
    [("en", "ltr"), ("fr-CA", "ltr"), ("ar", "rtl"), ("he", "rtl"), ("fa-IR", "rtl"), ("xx", "ltr")],
)
def test_direction(language: str, way: str) -> None:
    """Arabic, Hebrew and Persian run from right to left; an unknown tag runs from left to right."""
    assert i18n.direction(language) == way


def test_dates_and_lists() -> None:
    """Days and lists are said as the language says them."""
    assert i18n.format_day(DAY, "en-GB") == "Friday, 29 November 2013"
    assert i18n.format_day(DAY, "fr") == "vendredi 29 novembre 2013"
    assert i18n.join(["Africa", "Americas", "Asia"], "en-GB") == "Africa, Americas and Asia"
    assert i18n.join([], "en") == ""
    assert i18n.format_short(DAY, "en", near=date(2013, 1, 1)) == "Nov\u00a029"
    assert "2013" in i18n.format_short(DAY, "en", near=date(2014, 1, 1))


def test_since_is_a_phrase_or_nothing() -> None:
    """What fills SINCE brings its own space, so that the sentence stands without it."""
    assert i18n.since(date(2013, 3, 3), "en-GB") == " on 3 March 2013"
    assert i18n.since(date(2013, 3, 3), "fr") == " le 3 mars 2013"
    assert i18n.since(None, "en") == ""


def test_headings_for_compose() -> None:
    """Compose gets its section titles in the publication's language, the month among them."""
    assert i18n.headings("en", DAY)["events"] == "Key Global Events in November"
    assert i18n.headings("en", DAY)["focus"] == "This Month’s Focus"
    assert i18n.headings("es", DAY)["events"] == "Citas mundiales clave: noviembre"
    assert set(i18n.headings("ar", DAY)) == {"focus", "global", "pinned", "events", "reading"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_has_no_english_left(language: str) -> None:
    """No fixed English phrase stands in the mail of another language."""
    rendition = render(edition(), publication=publication(language), design=Design(), templates=Templates())
    english = [p for p in used() if isinstance(p, str) and "%" not in p and len(p) > 7]
    # the titles of sections come from the edition
    edition_says = {"Further Reading", "What to Watch", "Key Global Events in November"}
    assert not [p for p in english if p not in edition_says and p in rendition.text + rendition.html]
