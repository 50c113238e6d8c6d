"""Addresses as feeds write them, to absolute http(s) ones."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit

_UNSAFE = re.compile(r"[\x00-\x20\x7f<>\"\\`]")


def absolute(link: str, base: str = "") -> str:
    """`link` joined to `base`, or "" where that is no http(s) address. Stray spaces are encoded."""
    link = re.sub("[\t\r\n\x00\ud800-\udfff]", "", link).strip()  # as browsers do (url.spec.whatwg.org, 4.4)
    if not link or len(link) > 4000:
        return ""
    try:
        joined = urljoin(base, link) if base else link
        parts = urlsplit(joined)
        parts.port  # noqa: B018 - an impossible port raises here
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or " " in parts.netloc:
        return ""
    return _UNSAFE.sub(lambda match: quote(match[0]), joined)
