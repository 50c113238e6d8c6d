"""Small texts of a feed: titles and names to plain text, plain text to markup."""

from __future__ import annotations

import html
import re

import nh3

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LONGEST = 2_000
_TAG = re.compile(
    r"</?(a|abbr|b|big|br|cite|code|div|em|font|h[1-6]|i|iframe|img|li|mark|p|s|script|small|span|strong|style|su[bp]|svg"
    r"|u|ul)(\s[^<>]*)?/?>",
    re.IGNORECASE,
)


def storable(text: str) -> str:
    """Without what no database and no encoder takes: NUL, and halves of surrogate pairs."""
    return _UNSTORABLE.sub("", text)


def line(value: object) -> str:
    """One line of text: no controls, single spaces."""
    return " ".join(_CONTROLS.sub(" ", str(value or "")).split())


def title_text(value: object, kind: str, *, declared: bool) -> str:
    """A title as plain text. `kind` is its media type: markup is stripped, text left as is.

    Where the format has no types (RSS), `declared` is false and `kind` a guess: tags of HTML are then markup too."""
    text = str(value or "")[:_LONGEST]
    if kind not in ("text/plain", "text") or (not declared and _TAG.search(text)):
        text = html.unescape(nh3.clean(text, tags=set(), clean_content_tags={"script", "style"}))
    return line(text)


def paragraphs(text: str) -> str:
    """Plain text as markup; blank lines part paragraphs."""
    parts = (part.strip() for part in re.split(r"\n\s*\n", text))
    return "".join(f"<p>{html.escape(part, quote=False)}</p>" for part in parts if part)


def feedable(markup: str) -> str:
    """Markup that the standard library's HTML parser does not stumble over: it raises on an odd `<![`."""
    return markup.replace("<![", "&lt;![")


def distinct(values: list[str]) -> tuple[str, ...]:
    """Without empty ones and repetitions (of whatever case), in their order."""
    seen: dict[str, str] = {}
    for value in values:
        if value:
            seen.setdefault(value.casefold(), value)
    return tuple(seen.values())
