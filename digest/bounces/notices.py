"""The notices of Amazon SES: JSON, in a webhook's call or in a mail of SNS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from digest.bounces.model import Failure, Kind, Report
from digest.bounces.values import rows, table, text

_READER = "Amazon SES"


def read(said: str) -> Report | None:
    """The report in a notice, plain or wrapped by SNS; None where it is none."""
    notice = loads(said)
    if notice is not None and isinstance(notice.get("Message"), str):
        notice = loads(notice["Message"])
    if notice is None or not isinstance(notice.get("mail"), dict):
        return None
    return of_notice(notice)


def loads(said: str) -> dict[str, Any] | None:
    """A JSON object at the beginning of a text, or None."""
    try:
        made, _ = json.JSONDecoder(strict=False).raw_decode(said.strip()[:300_000])
    except (ValueError, RecursionError):
        return None
    return made if isinstance(made, dict) else None


def of_notice(notice: Mapping[str, Any]) -> Report:
    """By `notificationType` (notifications) or `eventType` (event publishing), which are alike else."""
    mail = table(notice.get("mail"))
    what = text(notice.get("notificationType") or notice.get("eventType") or "").lower()
    common = table(mail.get("commonHeaders"))
    headers = {text(table(h).get("name")).lower(): text(table(h).get("value")) for h in rows(mail.get("headers"))}
    about: dict[str, Any] = {
        "original_id": text(common.get("messageId") or headers.get("message-id") or ""),
        "addresses": tuple(
            one for one in (text(mail.get("source")), headers.get("return-path", "").strip("<>")) if one
        ),
        "reader": _READER,
    }
    if what == "bounce":
        return _bounce(table(notice.get("bounce")), about)
    if what == "complaint":
        sub = text(table(notice.get("complaint")).get("complaintFeedbackType") or "")
        if sub == "not-spam":
            return Report(Kind.UNKNOWN, why="a reader says that it is not spam", **about)
        return Report(Kind.COMPLAINT, **about)
    if what in ("delivery", "deliverydelay", "send"):
        return Report(Kind.DELAYED, **about)
    return Report(Kind.UNKNOWN, why=f"a notice of type {what[:40]!r}", **about)


def _bounce(bounce: Mapping[str, Any], about: dict[str, Any]) -> Report:
    kind = text(bounce.get("bounceType"))
    sub = text(bounce.get("bounceSubType"))
    failures = [
        Failure(
            recipient=text(one.get("emailAddress"))[:320],
            action=text(one.get("action") or "failed").lower(),
            status=text(one.get("status")),
            diagnostic=text(one.get("diagnosticCode") or _said(kind, sub)).removeprefix("smtp;").strip()[:2_000],
            context=_said(kind, sub),
        )
        for one in map(table, rows(bounce.get("bouncedRecipients"))[:20])
    ]
    if all(one.action in ("delayed", "delivered", "relayed", "expanded") for one in failures) and failures:
        return Report(Kind.DELAYED, tuple(failures), **about)
    return Report(Kind.BOUNCE, tuple(failures) or (Failure(diagnostic=_said(kind, sub)),), **about)


def _said(kind: str, sub: str) -> str:
    """What SES's own words mean, in words that the table knows. A suppressed address was one that bounced there."""
    return {
        ("Permanent", "General"): "",
        ("Permanent", "NoEmail"): "unknown address",
        ("Permanent", "Suppressed"): "account disabled: on the provider's suppression list after earlier bounces",
        ("Permanent", "OnAccountSuppressionList"): "account disabled: on the account's suppression list",
        ("Transient", "MailboxFull"): "mailbox full",
        ("Transient", "MessageTooLarge"): "message too large",
        ("Transient", "ContentRejected"): "blocked for its content",
        ("Transient", "AttachmentRejected"): "blocked for its content",
    }.get((kind, sub), "")


def with_original(report: Report, message_id: str) -> Report:
    """The same, with the Message-ID of the mail it is about."""
    return replace(report, original_id=message_id)
