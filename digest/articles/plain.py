"""Markup to plain text. Nothing that comes out of here can be a tag, a script or a control character."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter

import nh3

LONGEST_HTML = 300_000
"""Characters of markup that are looked at; a long article has a tenth of it."""

_DEEPEST = 200  # beyond it the HTML5 tree grows with the square of its input (40 KB cost 1 GB)
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr", "source", "area", "col", "embed", "param"})
_UNSEEN = {
    "audio", "button", "canvas", "figcaption", "iframe", "math", "noembed", "noframes", "noscript", "object",
    "option", "script", "select", "style", "svg", "template", "textarea", "title", "video", "xmp",
}  # fmt: skip
_BLOCK = re.compile(
    r"(?=</?(?:address|article|aside|blockquote|center|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6]|header|li|"
    r"main|nav|ol|p|pre|section|table|tbody|thead|td|th|tr|ul)\b)",
    re.IGNORECASE,
)
_OPENING = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_UNSEEN_REGION = re.compile(rf"<({'|'.join(sorted(_UNSEEN))})\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(?:/?[a-zA-Z][^<>]*|[!?][^<>]*)>|<!--|-->")
_BEGUN = re.compile(r"<[/a-zA-Z!?]")
_KNOWN_TAG = re.compile(r"</?(?:p|div|span|a|br|img|em|strong|b|i|h[1-6]|ul|li|script|iframe)\b[^<>]*>", re.IGNORECASE)
_CAPTION = re.compile(r"<p\b[^<>]*caption[^<>]*>.{0,1000}?</p>", re.IGNORECASE | re.DOTALL)
_SHORTCODE = re.compile(r"\[/?(?:caption|gallery|embed|video|audio|playlist|vc_\w+|et_pb_\w+)\b[^\[\]<>]*\]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_SPACE = re.compile(r"\s+")
# Overrides, isolates and marks of writing direction, what shows nothing, the byte order mark, soft hyphens.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_NEEDLESS_JOINER = re.compile("(?<![\u0600-\u0dff\u200d\ufe0f\u2190-\u2bff\U0001f000-\U0001faff])[\u200c\u200d]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

_TRAIL = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xC0))
# No language writes these signs right after Â, Ã or â, but for what may end a word in capitals ("AMANHÃ…").
_TWICE_ENCODED = re.compile(f"[ÂÃ](?![‘’“”–—…‹›](?!\\w))[{_TRAIL}]|â[€‚„†‡ˆ][{_TRAIL}]|ðŸ[{_TRAIL}]{{2}}")


def paragraphs(markup: str) -> list[str]:
    """The visible text of some HTML, a line for each block or line break, each tidied by `one_line`.

    Text that was escaped once too often is opened up again; captions and unseen parts are left out."""
    lines = _lines(markup[:LONGEST_HTML])
    for _ in range(2):
        if not any(_KNOWN_TAG.search(line) for line in lines):
            break
        lines = _lines("<hr>".join(lines))
    return _apart([tidied for line in lines if (tidied := one_line(line))])


def _apart(lines: list[str]) -> list[str]:
    """The lines, so that no tag begins in one and ends in another where they are put together."""
    last = max((number for number, line in enumerate(lines) if ">" in line), default=0)
    return [_closed(line) if number < last else line for number, line in enumerate(lines)]


def _closed(line: str) -> str:
    head, end, tail = line.rpartition(">")
    return _SPACE.sub(" ", head + end + tail.replace("<", " ")).strip() if _BEGUN.search(tail) else line


def _lines(markup: str) -> list[str]:
    markup = _SHORTCODE.sub(" ", _CAPTION.sub(" ", _encodable(markup)))
    if _is_too_deep(markup):
        flat = _TAG.sub(" ", _BLOCK.sub("\x00", _UNSEEN_REGION.sub(" ", markup)))
        return [html.unescape(line) for line in flat.split("\x00")]
    # <hr> is kept in place of every block, so that what is kept is never nested and the output stays linear
    marked = _BLOCK.sub("<hr>", markup)
    clean = nh3.clean(marked, tags={"br", "hr"}, attributes={}, clean_content_tags=_UNSEEN)
    return [html.unescape(line) for line in re.split(r"<[bh]r>", clean)]


def _is_too_deep(markup: str) -> bool:
    """Whether more elements are open at once than an article has; counted by name: strays close nothing."""
    still_open: Counter[str] = Counter()
    depth = 0
    for tag in _OPENING.finditer(markup):
        name = tag[2].lower()
        if name in _VOID:
            continue
        if not tag[1]:
            still_open[name] += 1
            depth += 1
            if depth > _DEEPEST:
                return True
        elif still_open[name]:
            still_open[name] -= 1
            depth -= 1
    return False


def one_line(text: str) -> str:
    """A title, a name or a paragraph as one tidy line: no tags, nothing invisible, single spaces."""
    text = _CONTROL.sub(" ", _encodable(text))
    text = _NEEDLESS_JOINER.sub("", _INVISIBLE.sub("", text))
    while (bare := _TAG.sub(" ", text)) != text:  # what is left around a removed tag can make another
        text = bare
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()


def label(text: str, longest: int = 300) -> str:
    """A text that is plain by its kind (a title, a name, a category), though it may come escaped."""
    for _ in range(2):
        if not _ENTITY.search(text):
            break
        text = html.unescape(text)
    text = one_line(text)
    if len(text) <= longest:
        return text
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,;:–—-") + "…"


def _encodable(text: str) -> str:
    """Half of a surrogate pair, which JSON can smuggle in, has no bytes: it becomes a question mark."""
    return text if text.isascii() else _TWICE_ENCODED.sub(_decoded, text.encode("utf-8", "replace").decode())


def _decoded(found: re.Match[str]) -> str:
    """What was meant before a content system took UTF-8 for Windows-1252: `CÃ´te` is `Côte`."""
    try:
        return b"".join(_byte(sign) for sign in found[0]).decode()
    except UnicodeDecodeError:
        return found[0]


def _byte(sign: str) -> bytes:
    try:
        return sign.encode("cp1252")
    except UnicodeEncodeError:  # one of the five bytes that have no character there
        return sign.encode("latin-1")
