"""What the columns of a CSV file mean, as Mailchimp, listmonk, Keila and plain spreadsheets name them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from digest.errors import UsageError

ALIASES: Mapping[str, tuple[str, ...]] = {
    "address": ("email address", "email", "e-mail", "e-mail address", "mail", "courriel", "correo",
                "correo electrónico", "adresse e-mail", "e-mail-adresse", "address"),
    "name": ("name", "full name", "nom", "nombre"),
    "first": ("first name", "firstname", "fname", "given name", "prénom", "vorname"),
    "last": ("last name", "lastname", "lname", "surname", "family name", "nachname", "apellidos"),
    "regions": ("regions", "region", "choices", "interests", "groups", "régions", "regiones", "regionen"),
    "language": ("language", "lang", "locale"),
    "since": ("since", "confirm time", "confirmed at", "confirmation time", "double opt in at", "optin time",
              "opt in time", "optin date", "opt in date", "opted in at", "subscribed at", "consent time",
              "consent date"),
    "consent": ("consent", "optin", "opt in", "evidence of consent"),
    "status": ("status", "subscription status", "state"),
    "pause": ("paused until",),
    "gone": ("unsub time", "unsubscribed at", "clean time", "left at"),
}  # fmt: skip
"""Our column → its names, the most telling first; compared in lower case, with `_` and `-` as spaces."""

HEADER = ("email", "status", "regions", "name", "language", "since", "consent", "paused_until")
"""What our own export begins with."""

_WHERE_THEY_LIVE = frozenset({"latitude", "longitude", "region"})
"""Mailchimp guesses where somebody lives; its REGION is no choice of theirs."""
GONE = frozenset({
    "unsubscribed", "cleaned", "blocklisted", "blacklisted", "disabled", "unreachable", "bounced", "complained", "left",
    "suppressed", "archived", "deleted",
})  # fmt: skip
UNCONFIRMED = frozenset({"pending", "unconfirmed", "nonsubscribed", "non-subscribed", "transactional"})
_NO = frozenset({
    "", "-", "0", "no", "n", "non", "nein", "never", "false", "f", "off", "none", "null", "nil", "n/a", r"\n",
})  # fmt: skip
_FORMATS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y",
            "%d.%m.%Y %H:%M", "%d.%m.%Y", "%m/%d/%y %H:%M", "%m/%d/%y")  # fmt: skip


def columns(heading: Sequence[str]) -> dict[str, list[int]]:
    """Our column → where it stands, every one of its names, the most telling first.

    Raises UsageError where none is the address, or two are it alike."""
    names = [re.sub(r"[\s_-]+", " ", name.strip().strip("\ufeff").casefold()) for name in heading]
    if _WHERE_THEY_LIVE.issubset(names):
        names = ["" if name == "region" else name for name in names]
    found: dict[str, list[int]] = {}
    for column, aliases in ALIASES.items():
        places = [place for alias in aliases for place, name in enumerate(names) if name == alias.replace("-", " ")]
        if places:
            found[column] = places
    if "address" not in found:
        seen = ", ".join(name.strip()[:40] for name in heading[:6]) or "it is empty"
        raise UsageError(f"the first line names no column of addresses: {seen}", mend="name one `email`")
    if names.count(names[found["address"][0]]) > 1:
        raise UsageError(f"two columns are named {heading[found['address'][0]]!r}", mend="name the other differently")
    return found


def is_ours(heading: Sequence[str]) -> bool:
    """Whether these are the columns of an export of ours, as they are now or were before there was `paused_until`."""
    return tuple(heading) in (HEADER, HEADER[:-1])


def is_evidence(cell: str) -> bool:
    """Whether a cell of a column on consent says anything but no."""
    return cell.strip().casefold() not in _NO and not cell.startswith("0000-00-00")


def moment(cell: str) -> datetime | None:
    """A time as such files hold it, in UTC where they name no zone; of `3/4/2013` March is taken. None for no time."""
    text = cell.strip().removesuffix(" UTC")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        for pattern in _FORMATS:
            try:
                found = datetime.strptime(text, pattern).replace(tzinfo=UTC)
                break
            except ValueError:
                continue
        else:
            return None
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        return None
