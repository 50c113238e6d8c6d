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
from markupsafe import Markup

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
    catalogue = phrases(language)

    @jinja2.pass_context
    def gettext(context: jinja2.runtime.Context, message: str, /, **values: object) -> str:
        said = catalogue.gettext(message)
        return (Markup(said) if context.eval_ctx.autoescape else said) % values  # noqa: S704 (ours; values are escaped)

    # an overlay shares its globals, and the installing methods, with the mails' environment: only these are its own
    env.globals = {**env.globals, "gettext": gettext}
    return env
