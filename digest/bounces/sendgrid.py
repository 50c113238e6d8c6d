"""Twilio SendGrid: a list of events, signed whole by ECDSA."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from digest.bounces.calls import Call, Event, ForgedError, bracketed, check_fresh, failure, loaded
from digest.bounces.model import Kind, Report
from digest.bounces.values import text
from digest.errors import DigestError

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
_READER = "SendGrid"
_MOST = 5_000


def public_key(given: str) -> ec.EllipticCurvePublicKey:
    """The verification key as the dashboard shows it (base64), or as PEM. Raises DigestError."""
    try:
        if "BEGIN" in given:
            key = load_pem_public_key(given.encode())
        else:
            key = load_der_public_key(base64.b64decode("".join(given.split()), validate=True))
    except (ValueError, binascii.Error) as error:
        raise DigestError("[bounces.webhooks] sendgrid_file holds no public key", mend="copy it anew") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise DigestError("[bounces.webhooks] sendgrid_file holds no key of ECDSA", mend="copy it anew")
    return key


def read(call: Call, *, key: ec.EllipticCurvePublicKey) -> list[Event]:
    """Raises ForgedError."""
    moment = call.headers.get(TIMESTAMP, "")
    try:
        signature = base64.b64decode(call.headers.get(SIGNATURE, ""), validate=True)
        key.verify(signature, moment.encode() + call.body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise ForgedError("the signature is not SendGrid's") from error
    if not moment.isascii() or not moment.isdigit() or len(moment) > 11:
        raise ForgedError("the call has no time")
    check_fresh(datetime.fromtimestamp(int(moment), UTC), call.at)
    rows = loaded(call.body)
    if not isinstance(rows, list):
        raise ForgedError("the call is no list of events")
    return [_event(row) for row in rows[:_MOST] if isinstance(row, dict)]


def _event(said: Mapping[str, Any]) -> Event:
    # The odd one has no identifier: it is known again by what it says, and the others of its call count.
    number = text(said.get("sg_event_id")) or sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    about: dict[str, Any] = {"original_id": bracketed(text(said.get("smtp-id"))), "reader": _READER}
    return Event(number, _report(said, about), text(said.get("email")))


def _report(said: Mapping[str, Any], about: dict[str, Any]) -> Report:
    what, reason = text(said.get("event")), text(said.get("reason"))
    if what == "spamreport":
        return Report(Kind.COMPLAINT, **about)
    if what in ("unsubscribe", "group_unsubscribe"):
        return Report(Kind.LEAVE, **about)
    if what == "bounce":
        blocked = "blocked" if text(said.get("type")) == "blocked" else ""
        return Report(Kind.BOUNCE, (failure(reason, status=text(said.get("status")), otherwise=blocked),), **about)
    if what == "dropped":
        return _dropped(reason.lower(), about)
    return Report(Kind.DELAYED, **about)


def _dropped(reason: str, about: dict[str, Any]) -> Report:
    """Never tried: the provider keeps lists of its own."""
    if "spam reporting" in reason:
        return Report(Kind.COMPLAINT, **about)
    if "unsubscribed" in reason:
        return Report(Kind.LEAVE, **about)
    if "bounced" in reason:
        return Report(Kind.BOUNCE, (failure("", otherwise="account disabled: it bounced there before"),), **about)
    if reason == "invalid":
        return Report(Kind.BOUNCE, (failure("", otherwise="invalid address"),), **about)
    return Report(Kind.UNKNOWN, why="the provider dropped it for a reason that says nothing of the address", **about)
