"""Complaints: feedback reports (RFC 5965), and those of a provider that sends only the mail itself."""

from __future__ import annotations

import re

from digest.bounces.mime import Part, headers_of

_ABUSE = frozenset({"abuse", "fraud", "virus", "complaint", "opt-out", "opt-out-list"})
_PROVIDER = re.compile(r"staff@(?:hotmail|outlook|live)\.com", re.IGNORECASE)
_PROVIDER_SUBJECT = re.compile(r"^\s*complaint about message from", re.IGNORECASE)


def feedback(message: Part) -> Part | None:
    """The part that holds the fields, if it is a feedback report."""
    return next((part for part in message.walk() if part.type == "message/feedback-report"), None)


def feedback_type(part: Part) -> str:
    """What the reader's provider reports: "abuse", "not-spam", "auth-failure", …"""
    return headers_of(part.decoded().lstrip()).get("feedback-type").strip().lower()


def is_complaint(feedback_type: str) -> bool:
    """Whether it speaks for a reader who does not want this mail; "auth-failure" or "not-spam" does not."""
    return feedback_type in _ABUSE


def bare_complaint(message: Part) -> bool:
    """A provider's own form: the mail that was complained of, with nothing but a subject to say so."""
    return bool(_PROVIDER.search(message.get("from")) and _PROVIDER_SUBJECT.match(message.get("subject")))
