"""Fitting a rendition below the size at which mail clients clip it: excerpts first, then headlines, then
"more online"."""

from __future__ import annotations

import binascii

from digest.editions.model import Edition
from digest.rendering.model import PLACE
from digest.rendering.view import Plan

HTML_LIMIT = 100_000
"""The most bytes of the HTML."""
ENCODED_LIMIT = 102_400
"""The most bytes of the HTML part as it travels, in quoted-printable: Gmail clips near there."""
EXCERPTS = (320, 220, 150, 100)
_PLACE_ROOM = 200  # what a personal link may be longer than its placeholder


def overflow(html: str) -> float:
    """How full the mail is: above 1 it does not fit. Personal places count as long as their links become."""
    room = html.count(PLACE) * _PLACE_ROOM
    return max((len(html.encode()) + room) / HTML_LIMIT, (encoded_size(html) + room) / ENCODED_LIMIT)


def encoded_size(html: str) -> int:
    """The bytes of the HTML in quoted-printable, lines ended by CRLF."""
    encoded = binascii.b2a_qp(html.encode(), istext=True)
    return len(encoded) + encoded.count(b"\n")


def plans(edition: Edition) -> list[Plan]:
    """Every plan for an edition, each smaller than the one before; the first shows everything.

    The lowest article is the last of its section, in the section that reaches furthest; further reading,
    headlines already, goes online before our own; the first article of the edition always stays."""
    ranked = sorted(
        (place, number, placed.article.id)
        for number, section in enumerate(edition.sections)
        if section.kind in ("focus", "region", "global")
        for place, placed in enumerate(section.articles)
    )
    own = [article for _, _, article in reversed(ranked)]
    reading = [p.article.id for s in edition.sections if s.kind == "reading" for p in reversed(s.articles)]
    made = [Plan()] + [Plan(excerpt) for excerpt in EXCERPTS]
    made += [Plan(EXCERPTS[-1], frozenset(own[: count + 1])) for count in range(len(own))]
    going = reading + own[:-1]
    made += [Plan(EXCERPTS[-1], frozenset(own), frozenset(going[: count + 1])) for count in range(len(going))]
    return made
