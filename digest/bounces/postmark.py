"""Postmark: JSON over https, with a user and a password in the webhook's URL (it signs nothing)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from digest.bounces.calls import Call, Event, ForgedError, bracketed, failure, loaded
from digest.bounces.model import Kind, Report
from digest.bounces.values import table, text

METADATA = "message-id"
"""What our mails say as `X-PM-Metadata-message-id`, and Postmark repeats: the MessageID of its calls is its own."""
_READER = "Postmark"
_OTHERWISE = {
    "HardBounce": "user unknown",
    "BadEmailAddress": "invalid address",
    "SoftBounce": "temporarily not delivered",
    "DnsError": "host not found",
    "Blocked": "blocked",
    "SpamNotification": "blocked as spam",
    "VirusNotification": "blocked: virus",
    "DMARCPolicy": "blocked: DMARC policy",
    "ManuallyDeactivated": "account disabled",
}
_DELAYED = ("Transient", "Subscribe", "AddressChange", "OpenRelayTest", "Unknown", "ChallengeVerification")


class UnauthorizedError(ForgedError):
    """The user or the password is missing, or is another one."""


def read(call: Call, *, login: str) -> Event:
    """`login` is `user:password`. Raises ForgedError."""
    _check_login(call, login)
    said = table(loaded(call.body))
    what = text(said.get("RecordType"))
    if what not in ("Bounce", "SpamComplaint", "SubscriptionChange", "Delivery"):
        raise ForgedError("the call is no record of Postmark's that we take")
    email = text(said.get("Email") or said.get("Recipient"))
    moment = text(said.get("ChangedAt") or said.get("DeliveredAt"))
    number = text(said.get("ID")) or " ".join(one for one in (text(said.get("MessageID")), moment, email) if one)
    if not number:
        raise ForgedError("the call names no record")
    return Event(f"{what} {number}", _report(what, text(said.get("Type")), said), email)


def _report(what: str, kind: str, said: Mapping[str, Any]) -> Report:
    ours = bracketed(text(table(said.get("Metadata")).get(METADATA)))
    about: dict[str, Any] = {"original_id": ours, "reader": _READER}
    if what == "SpamComplaint" or kind == "SpamComplaint":
        return Report(Kind.COMPLAINT, **about)
    if what == "SubscriptionChange":
        if said.get("SuppressSending") is not True:
            return Report(Kind.UNKNOWN, why="somebody may be mailed again at the provider", **about)
        reason = text(said.get("SuppressionReason"))
        if reason == "SpamComplaint":
            return Report(Kind.COMPLAINT, **about)
        if reason == "HardBounce":
            return Report(Kind.BOUNCE, (failure("", otherwise="account disabled: suppressed there"),), **about)
        return Report(Kind.LEAVE, **about)
    if kind == "AutoResponder":
        return Report(Kind.AUTO_REPLY, **about)
    if kind == "Unsubscribe":
        return Report(Kind.LEAVE, **about)
    if what == "Delivery" or kind in _DELAYED:
        return Report(Kind.DELAYED, **about)
    found = failure(text(said.get("Details")).removeprefix("smtp;"), otherwise=_OTHERWISE.get(kind, ""))
    return Report(Kind.BOUNCE, (found,), **about)


def _check_login(call: Call, login: str) -> None:
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(value.strip(), validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        given = b""
    # Hashed first, so that not even the length can be measured.
    if not login or not hmac.compare_digest(sha256(given).digest(), sha256(login.encode()).digest()):
        raise UnauthorizedError("the login is not that of [bounces.webhooks] postmark_file")
