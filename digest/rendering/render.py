"""An edition, or another mail, to a rendition: templates filled, CSS inlined, text laid out, size fitted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import jinja2

from digest.editions.model import Edition
from digest.errors import DigestError
from digest.rendering import i18n
from digest.rendering.environment import TemplateError, Templates, environment, fill, plain
from digest.rendering.fit import overflow, plans
from digest.rendering.inline import inline, style_blocks
from digest.rendering.model import Design, Publication, Rendition
from digest.rendering.palette import palette
from digest.rendering.plain import clean, clean_subject, safe_url, shorten
from digest.rendering.view import Plan, publication_view, view

SUBJECT = 70
PREHEADER = (40, 140)
_STYLE_ALL, _STYLE_BLOCK = 16_384, 8_192


class FittingError(DigestError):
    """A mail that cannot be made to fit, or lost something on the way. It is never sent."""


def render(
    edition: Edition,
    *,
    publication: Publication,
    design: Design,
    templates: Templates,
    regions: tuple[str, ...] = (),
    test: bool = False,
    correction: bool = False,
) -> Rendition:
    """The rendition of an edition that was already reduced by `Edition.for_regions(regions)`.

    `regions` are the slugs a reader chose, () for all; they stand in the footer's sentence and in the link
    to the browser. `test` puts "[Test]" before the subject, `correction` "Correction:" in the mail's language.
    Personal places stay open (see `rendering.model.place`). The same input gives the same bytes. Raises
    TemplateError, FittingError."""
    env = environment(templates, publication.language, publication.timezone)
    base = _base(publication, design)
    whole = view(edition, publication, regions, Plan())
    mark = "[Test] " if test else ""
    if correction:
        mark += i18n.correction_label(publication.language) + " "
    subject = _subject(env, "digest", base | {"edition": whole}, mark=mark)
    preheader = _preheader(env, "digest", base | {"edition": whole, "subject": subject}, _reserve(whole, publication))
    context = base | {"subject": subject, "preheader": preheader}
    html = _fit(env, edition, publication, regions, context)
    text = _text(fill(env, "email/digest/body.txt", context | {"edition": whole}))
    _check_text(text, whole)
    return Rendition(subject, html, text, preheader, regions)


def render_mail(
    name: str, context: Mapping[str, Any], *, publication: Publication, design: Design, templates: Templates
) -> Rendition:
    """Another mail, from `templates/email/<name>/{subject.txt,body.txt,body.html}`.

    `context` is handed to the templates as plain values; dataclasses become dictionaries. A `preheader.txt`
    is optional: without it the preheader is the first sentence of the text. Raises TemplateError,
    FittingError."""
    env = environment(templates, publication.language, publication.timezone)
    full = _base(publication, design) | plain(context)
    subject = _subject(env, name, full)
    text = _text(fill(env, f"email/{name}/body.txt", full | {"subject": subject}))
    below = text.partition("\n\n")[2].splitlines()  # its heading says no more than the subject
    prose = " ".join(line for line in below if line and not re.match(r"[=-]+$|https?:", line))
    reserve = [shorten(prose, PREHEADER[1]), publication.name]
    preheader = _preheader(env, name, full | {"subject": subject}, reserve)
    html = inline(_document(env, name, full | {"subject": subject, "preheader": preheader}))
    _check_styles(html)
    if overflow(html) > 1:
        raise FittingError(f"the mail {name} is larger than mail clients show", mend="shorten what goes into it")
    return Rendition(subject, html, text, preheader)


def _fit(
    env: jinja2.Environment,
    edition: Edition,
    publication: Publication,
    regions: tuple[str, ...],
    context: dict[str, Any],
) -> str:
    """The HTML after the first plan that fits. Inlining is dear, so its growth is foretold from the last
    one seen."""

    def fill_plan(plan: Plan) -> tuple[str, dict[str, Any]]:
        shown = view(edition, publication, regions, plan)
        return _document(env, "digest", context | {"edition": shown}), shown

    steps = plans(edition)
    at, growth = 0, 1.0
    raw, shown = fill_plan(steps[0])
    while True:
        html = inline(raw)
        full = overflow(html)
        if full <= 1:
            _check_whole(html, shown)
            _check_styles(html)
            return html
        if at == len(steps) - 1:
            raise FittingError(
                f"the edition {edition.slug} is larger than mail clients show, even as headlines",
                mend="shorten its introduction, or list fewer events and pinned pieces",
            )
        growth = max(growth, full / overflow(raw))
        low, high = at + 1, len(steps) - 1
        while low < high:
            middle = (low + high) // 2
            if overflow(fill_plan(steps[middle])[0]) * growth <= 1:
                high = middle
            else:
                low = middle + 1
        at = low
        raw, shown = fill_plan(steps[at])


def _check_whole(html: str, shown: Mapping[str, Any]) -> None:
    """Every article that went in came out: text nested too deep vanishes in parsing, without a word."""
    for section in shown["sections"]:
        for article in section["articles"]:
            wanted = escape(article["link"] or article["title"], quote=False)
            if wanted not in html:
                raise FittingError(
                    f"the article {article['title']!r} was lost from the mail",
                    mend="let the template of the digest show every article, and nest less deeply",
                )


def _check_text(text: str, shown: Mapping[str, Any]) -> None:
    """Every article stands in the text part too: by its link, which is never broken, or by its headline."""
    flowing = " ".join(text.split())
    for section in shown["sections"]:
        for article in section["articles"]:
            if (article["link"] or " ".join(article["title"].split())) not in flowing:
                raise FittingError(
                    f"the article {article['title']!r} was lost from the text of the mail",
                    mend="let body.txt of the digest show every article",
                )


def _check_styles(html: str) -> None:
    sizes = [len(block.encode()) for block in style_blocks(html)]
    if sum(sizes) > _STYLE_ALL or max(sizes, default=0) > _STYLE_BLOCK:
        raise FittingError(
            f"the style sheets of the mail have {sum(sizes)} bytes, the largest {max(sizes)}; "
            f"Gmail takes {_STYLE_ALL} in all and {_STYLE_BLOCK} in one",
            mend="shorten clients.css",
        )


def _base(publication: Publication, design: Design) -> dict[str, Any]:
    """What every mail is handed. Slugs of regions keep their number, so that one style sheet serves every
    choice."""
    language = publication.language
    to_left = i18n.direction(language) == "rtl"
    return {
        "publication": publication_view(publication),
        "design": {
            "logo": safe_url(design.logo),
            "logo_width": design.logo_width,
            "logo_height": design.logo_height,
            "masthead": clean(design.masthead),
            "tagline": clean(design.tagline),
        },
        "palette": plain(palette(design, tuple(publication.region_names))),
        "language": language,
        "dir": "rtl" if to_left else "ltr",
        "start": "right" if to_left else "left",
        "end": "left" if to_left else "right",
        # a line may end with the dot, never begin with it; a foreign name must not pull the next number to its side
        "dot": "\u200f\u00a0· \u200f" if to_left else "\u00a0· ",
        # joined scripts break when letters are spaced, and have neither capitals nor italics
        "spaced": not to_left,
    }


def _document(env: jinja2.Environment, name: str, context: Mapping[str, Any]) -> str:
    """The filled body.html, which must be a document with something in it: nothing else can be inlined."""
    html = fill(env, f"email/{name}/body.html", context)
    if not re.search(r"<body\b[^>]*>\s*<[a-z]", html, re.IGNORECASE):
        raise TemplateError(f"email/{name}/body.html", "it makes no HTML document with a <body>")
    return html


def _subject(env: jinja2.Environment, name: str, context: Mapping[str, Any], *, mark: str = "") -> str:
    words = clean_subject(fill(env, f"email/{name}/subject.txt", context))
    words = words or clean_subject(context["publication"]["name"])  # a headline may be nothing that can be shown
    return mark + shorten(words, SUBJECT - len(mark))


def _preheader(env: jinja2.Environment, name: str, context: Mapping[str, Any], reserve: list[str]) -> str:
    """The preheader in its limits: too short, it is filled from `reserve`; too long, it is cut."""
    least, most = PREHEADER
    try:
        words = clean(fill(env, f"email/{name}/preheader.txt", context))
    except TemplateError as error:
        if not isinstance(error.__cause__, jinja2.TemplateNotFound):
            raise
        words = ""
    for more in reserve:
        if len(words) >= least:
            break
        words = f"{words} · {clean(more)}" if words else clean(more)
    return shorten(words, most)


def _reserve(edition: Mapping[str, Any], publication: Publication) -> list[str]:
    day = i18n.format_day(edition["day"], publication.language)
    weekly = i18n.translations(publication.language).gettext("The Weekly Roundup")
    return [*edition["headlines"][1:4], publication.name, day, weekly, publication.url]


def _text(text: str) -> str:
    """Lines without trailing blanks, one empty line between blocks, two before a heading of a section."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    single = re.sub(r"\n{3,}", "\n\n", lines).strip()
    return re.sub(r"\n\n(?=([^\n=]+\n)+={72}\n)", "\n\n\n", single) + "\n"
