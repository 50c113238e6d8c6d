"""Plain text and addresses made safe for a mail: cleaned, shortened, percent-encoded."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit, urlunsplit

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
_UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff]")
_SENTENCE = re.compile(r"[.!?…؟。]['\"”’»)]*(?=\s)")


def clean(text: str) -> str:
    """One line of text without control characters (C0, C1) and directional overrides, its white space
    single."""
    return " ".join(_CONTROLS.sub("", text.replace("\n", " ").replace("\r", " ").replace("\t", " ")).split())


def clean_paragraphs(text: str) -> str:
    """As `clean`, paragraph by paragraph, one empty line between two."""
    parts = re.split(r"\n\s*\n", text.replace("\r\n", "\n"))
    return "\n\n".join(part for part in map(clean, parts) if part)


def clean_subject(text: str) -> str:
    """As `clean`, and without any character that cannot be seen: none may stand in a header (spoofing)."""
    return unicodedata.normalize("NFC", clean(_UNSEEN.sub("", text)))


def shorten(text: str, limit: int) -> str:
    """The text in at most `limit` characters: whole sentences where they fill half of it, else whole words
    and `…`."""
    if len(text) <= limit:
        return text
    ends = [match.end() for match in _SENTENCE.finditer(text, 0, limit + 1) if match.end() <= limit]
    if ends and ends[-1] >= limit / 2:
        return text[: ends[-1]]
    cut = text[: limit - 1]
    if " " in cut and not text[limit - 1].isspace():
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,;:–—-") + "…"


def safe_url(url: str) -> str:
    """The address in ASCII, parentheses and quotes escaped; "" for anything but http, https and mailto.

    A host outside ASCII becomes its A-label, the rest percent-encoded UTF-8 (RFC 3986, section 2)."""
    url = str(url).strip()
    if re.search(r"[\x00-\x20\x7f]", url):
        url = quote(url, safe="%/:?#[]@!$&*+,;=~") if not re.search(r"[\x00-\x1f\x7f]", url) else ""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return ""
    if parts.scheme == "mailto" and "@" in parts.path:
        return "mailto:" + quote(url[len("mailto:") :], safe="%@?&=+,.!~*;/:-_")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        return ""
    host = parts.hostname
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return ""
    if ":" in host:
        host = f"[{host}]"
    kept = "%/:@!$&*+,;=~-._"
    return urlunsplit(
        (
            parts.scheme,
            host + port,
            quote(parts.path, safe=kept),
            quote(parts.query, safe=kept + "?"),
            quote(parts.fragment, safe=kept + "?"),
        )
    )
