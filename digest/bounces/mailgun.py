"""Mailgun: the signature covers a time and a token, not what is said; so a token counts once."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from digest.bounces.calls import Call, Event, ForgedError, bracketed, check_fresh, failure, loaded
from digest.bounces.model import Kind, Report
from digest.bounces.values import table, text

_READER = "Mailgun"


def read(call: Call, *, key: str) -> Event:
    """`key` is the HTTP webhook signing key. Raises ForgedError."""
    said = table(loaded(call.body))
    signature = table(said.get("signature"))
    moment, token = text(signature.get("timestamp")), text(signature.get("token"))
    wanted = hmac.new(key.encode(), f"{moment}{token}".encode("utf-8", "replace"), sha256).hexdigest()
    given = text(signature.get("signature"))
    if not key or not token or not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        raise ForgedError("the signature is not Mailgun's")
    if not moment.isascii() or not moment.isdigit() or len(moment) > 11:
        raise ForgedError("the call has no time")
    check_fresh(datetime.fromtimestamp(int(moment), UTC), call.at)
    data = table(said.get("event-data"))
    return Event(token, _report(data), text(data.get("recipient")))


def _report(data: Mapping[str, Any]) -> Report:
    message = table(table(data.get("message")).get("headers"))
    envelope = table(data.get("envelope"))
    about: dict[str, Any] = {
        "original_id": bracketed(text(message.get("message-id"))),
        "addresses": tuple(one for one in (text(envelope.get("sender")),) if one),
        "reader": _READER,
    }
    what = text(data.get("event"))
    if what == "complained":
        return Report(Kind.COMPLAINT, **about)
    if what == "unsubscribed":
        return Report(Kind.LEAVE, **about)
    if what != "failed":
        return Report(Kind.DELAYED, **about)
    if text(data.get("severity")) != "permanent":
        return Report(Kind.DELAYED, **about)
    reason = text(data.get("reason"))
    if reason == "suppress-complaint":
        return Report(Kind.COMPLAINT, **about)
    if reason == "suppress-unsubscribe":
        return Report(Kind.LEAVE, **about)
    if reason == "suppress-bounce":
        return Report(Kind.BOUNCE, (failure("", otherwise="account disabled: it bounced there before"),), **about)
    status = table(data.get("delivery-status"))
    code = text(status.get("code"))
    words = text(status.get("message")) or text(status.get("description"))
    said = words if words.startswith(code) else f"{code} {words}"
    found = failure(said, status=text(status.get("enhanced-code")))
    return Report(Kind.BOUNCE, (found,), **about)
