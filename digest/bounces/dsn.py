"""Delivery status notifications (RFC 3464), also those that only look like one."""

from __future__ import annotations

import re

from digest.bounces.mime import Part, headers_of, in_charset, words
from digest.bounces.model import Failure, Kind

_NAMES = frozenset({"final-recipient", "original-recipient", "action", "status", "diagnostic-code"})
_LOOSE = re.compile(
    r"^[> \t]{0,8}(?:final-recipient|original-recipient|diagnostic-code|action|status)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b\s*(.*)", re.DOTALL)
_ADDRESS_TYPE = re.compile(r"^\s*[a-z0-9-]+\s*;\s*", re.IGNORECASE)
_MOST = 20
_BLANK = re.compile(rb"\n[ \t]*\n")

NOT_THE_END = frozenset({"delayed", "relayed", "expanded", "delivered", "deliverable"})
"""Actions after which nothing has failed."""


def failures(part: Part) -> list[Failure]:
    """The recipients of a part of type message/delivery-status."""
    return groups(part.decoded())


def loose(text: str) -> list[Failure]:
    """The same from fields that stand in the middle of a text, quoted even."""
    found = _LOOSE.search(text)
    if found is None:
        return []
    start = max(text.rfind("\n\n", 0, found.start()), 0)
    clean = re.sub(r"^[> \t]{0,20}> ?|^[ \t]{1,20}(?=[A-Za-z-]{4,25}:)", "", text[start:], flags=re.MULTILINE)
    made = groups(clean.encode("utf-8", "replace"))
    return [one for one in made if one.action or (one.recipient and (one.status or one.diagnostic))]


def groups(raw: bytes) -> list[Failure]:
    """Each group of fields that speaks of a recipient; what stands before them speaks of the message."""
    made: list[Failure] = []
    for paragraph in _BLANK.split(raw[:100_000])[: 4 * _MOST]:
        head = headers_of(paragraph)
        if len(_NAMES & {name for name, _ in head.headers}) >= 1 and len(made) < _MOST:
            made.append(_failure(head))
    return [one for one in made if one.action or one.status or one.diagnostic]


def _failure(head: Part) -> Failure:
    status = _STATUS.search(head.get("status"))
    recipient = head.get("final-recipient") or head.get("original-recipient")
    diagnostic = _ADDRESS_TYPE.sub("", words(head.get("diagnostic-code")))
    said = (status[2].strip(" ()") if status else "", diagnostic)
    return Failure(
        recipient=_ADDRESS_TYPE.sub("", recipient).strip(" <>")[:320],
        action=head.get("action").split(" ")[0].strip().lower()[:20],
        status=status[1] if status else "",
        diagnostic=" ".join(" ".join(text for text in said if text).split())[:2_000],
    )


def kind_of(found: list[Failure]) -> Kind:
    """A bounce, if anything has failed; one that names no action is taken by the class of its status."""
    for one in found:
        if one.action in NOT_THE_END:
            continue
        if one.action or one.status.startswith("5") or not one.status:
            return Kind.BOUNCE
    return Kind.DELAYED


def is_status(part: Part) -> bool:
    return part.type in ("message/delivery-status", "message/global-delivery-status")


def text_of(part: Part) -> str:
    """What a part of fields says, as text: for the addresses in it."""
    return in_charset(part.decoded()[:20_000])
