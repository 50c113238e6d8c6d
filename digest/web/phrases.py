"""The phrases of the pages: a catalogue of their own over that of the mails.

Theirs is apart because an approval covers the phrases of a mail, and a better word on a page must not void it."""

from __future__ import annotations

import io
from functools import lru_cache
from importlib import resources

import jinja2
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from digest.rendering.environment import Templates, environment
from digest.rendering.i18n import locale_of, translations


@lru_cache(maxsize=64)
def phrases(language: str) -> NullTranslations:
    """The phrases of pages, and of mails where both say the same; English where there is no catalogue."""
    mails = translations(language)
    code = locale_of(language).language
    file = resources.files("digest.web") / "locale" / f"{code}.po"
    if not file.is_file():
        return mails
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(file.read_bytes()), locale=code))
    compiled.seek(0)
    own = Translations(compiled)
    own.add_fallback(mails)
    return own


@lru_cache(maxsize=32)
def page_environment(templates: Templates, language: str, timezone: str) -> jinja2.Environment:
    """The mails' sandbox and filters, speaking the phrases of pages."""
    env = environment(templates, language, timezone).overlay()
    env.globals = dict(env.globals)  # an overlay shares them with the mails'
    env.install_gettext_translations(phrases(language), newstyle=True)  # type: ignore[attr-defined]
    return env
