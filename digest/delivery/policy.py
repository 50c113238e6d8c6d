"""What a relay's reply means for the delivery and for the address: the table of docs/reference/replies.md,
as pure code."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Literal

from digest.delivery.model import Outcome, Verdict

Phase = Literal["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot", "lost"]
"""What had been sent when the reply came. "data": the DATA command and the body before its final dot;
"dot": after it. "lost": the connection ended after the final dot, without a reply."""

GIVE_UP_AFTER = timedelta(hours=48)
_SENT = Verdict.SENT  # a member of an enumeration takes longer to look up
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 15, 30, 60, 120, 240))
"""The wait after the first, second, … attempt; the last one repeats."""

_HARD = frozenset({"5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.7.17", "5.7.18"})
_HARD_SECOND = frozenset({"5.1.0", "5.1.2", "5.1.4", "5.2.1", "5.4.4", "5.7.13"})
_FAULT = frozenset({"5.3.4", "5.2.3", "5.1.7", "5.1.8"})  # the last two: our own sender address
_SLOW = frozenset({"4.7.28", "4.7.650", "5.7.28"})

_SLOW_WORDS = re.compile(
    r"\bTSS0[4-9]\b|\bat a rate\b|rate.?limit|throttl|sending rate|too fast"
    r"|too (?:many|much) (?:mail|messages|recipients)",
    re.IGNORECASE,
)
_UNKNOWN_WORDS = re.compile(
    r"\b(?:user|recipient|mailbox|account|address)\s+(?:is\s+)?"
    r"(?:unknown|not found|does not exist|doesn'?t exist|not known)"
    r"|\b(?:unknown|no such|non-?existent|invalid)\s+(?:local\s+)?(?:user|recipient|mailbox|account)\b"
    r"|\bno mailbox here by that name\b|\bdoes ?n[o']t have an? \S+ account\b|\bis not a valid mailbox\b",
    re.IGNORECASE,
)
_SENDER_WORDS = re.compile(
    r"\bsender\b|\bmail from\b|\breturn.?path\b|\bcallback\b|\bcallout\b|\breverse\b", re.IGNORECASE
)
_BLOCK_WORDS = re.compile(
    r"block.?list|black.?list|deny.?list|\bblocked\b|\blisted\b|\bdnsbl\b|\brbl\b|spamhaus|spamcop|barracuda"
    r"|\bspam\b|\bdmarc\b"
    r"|\bspf\b|\bdkim\b|reputation|\bpolicy\b|\bbanned\b|relay(?:ing)? (?:access )?denied"
    r"|not permitted to relay",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"<[^<>\s]{1,400}>|[^\s<>]{1,200}@[^\s<>]{1,200}")  # spam@example.org speaks of no spam
_QUOTA_WORDS = re.compile(
    r"quota|mailbox (?:is )?full|full mailbox|mailbox .{0,40}\bexceeded|out of storage|storage limit",
    re.IGNORECASE,
)
_SIZE_WORDS = re.compile(r"too (?:big|large)|message size|size limit|maximum size", re.IGNORECASE)


def classify(
    phase: Phase,
    code: int,
    status: str,
    text: str,
    *,
    attempts: int,
    first_attempt_at: datetime,
    now: datetime,
) -> Outcome:
    """The outcome of one attempt. `code` is 0 where no reply came; `status` the enhanced status (RFC 3463)
    or "".

    `attempts` counts those before this one. `retry_at` is set where the delivery comes again."""
    verdict = verdict_of(phase, code, status, text)
    again_at = _again_at(verdict, attempts, first_attempt_at, now)
    if verdict in (Verdict.RETRY, Verdict.SLOW_DOWN, Verdict.RETRY_SESSION) and again_at is None:
        verdict = _expired(verdict, phase)
    return Outcome(verdict, code, status, text, again_at)


def accepted(code: int, status: str, text: str) -> Outcome:
    """The outcome where the relay took the message."""
    return Outcome(_SENT, code, status, text)


def taken(line: bytes) -> Outcome:
    """The same of a reply of one line, enhanced status first: nearly always. Raises ValueError for any other line."""
    code, status, text = line.decode().rstrip().split(" ", 2)
    return Outcome(_SENT, int(code), status, text)


def verdict_of(phase: Phase, code: int, status: str, text: str) -> Verdict:
    """What a reply says by itself, whatever was tried before; bounces are judged by it, too."""
    if phase == "lost":
        return Verdict.UNCERTAIN
    if phase in ("connect", "ehlo", "starttls", "auth"):
        return Verdict.PAUSE if code >= 500 else Verdict.RETRY_SESSION
    if code < 400:
        return _no_refusal(phase, code)
    if status in _SLOW or _SLOW_WORDS.search(text):
        return Verdict.SLOW_DOWN
    if code == 421:
        return Verdict.RETRY_SESSION
    if code < 500:
        return Verdict.RETRY
    if 530 <= code <= 539:
        return Verdict.PAUSE
    if phase == "mail":  # who is to get it is not known yet: it is this message, or all that we send
        return Verdict.FAULT if _is_of_the_message(code, status) else Verdict.PAUSE
    return _refused(phase, code, status, text)


def _no_refusal(phase: Phase, code: int) -> Verdict:
    """No reply at all, or one that is out of step with what was asked."""
    if phase == "dot":
        return Verdict.SENT if 200 <= code < 300 else Verdict.UNCERTAIN
    return Verdict.RETRY_SESSION


def _refused(phase: Phase, code: int, status: str, text: str) -> Verdict:
    """5xx at RCPT, DATA or the final dot. Words of a block come first: a reply that has them never counts against an
    address, whatever its status. Then the enhanced status decides, then the words, then the code."""
    if not _is_fault(status) and _BLOCK_WORDS.search(_ADDRESS.sub(" ", text)):
        return Verdict.BLOCK
    if status in _HARD or (status == "5.4.1" and "recipient address rejected" in text.lower()):
        return Verdict.HARD
    if status in _HARD_SECOND:
        return Verdict.HARD_SECOND
    if status == "5.2.2":
        return Verdict.SOFT
    if _is_fault(status):
        return Verdict.FAULT
    if status.startswith("5.7."):
        return Verdict.BLOCK
    by_words = _by_words(code, text)
    if by_words is not None:
        return by_words
    if 500 <= code <= 504:
        return Verdict.FAULT
    if code == 556:  # the domain takes no mail (RFC 7504 section 4)
        return Verdict.HARD
    return Verdict.SOFT if phase == "rcpt" else Verdict.BLOCK


def _by_words(code: int, text: str) -> Verdict | None:
    if _BLOCK_WORDS.search(text):
        return Verdict.BLOCK
    if _SIZE_WORDS.search(text):
        return Verdict.FAULT
    if code == 552 or _QUOTA_WORDS.search(text):
        return Verdict.SOFT
    if _UNKNOWN_WORDS.search(text) and not _SENDER_WORDS.search(text):  # a sender callout fails in the same words
        return Verdict.HARD
    return None


def _is_of_the_message(code: int, status: str) -> bool:
    return status in ("5.3.4", "5.2.3") or status.startswith("5.6.") or (code == 552 and not status)


def _is_fault(status: str) -> bool:
    return status in _FAULT or status.startswith(("5.5.", "5.6."))


def _again_at(verdict: Verdict, attempts: int, first_attempt_at: datetime, now: datetime) -> datetime | None:
    """When to try again; None when it does not come again, or not any more."""
    if verdict is Verdict.PAUSE:
        return now
    if verdict not in (Verdict.RETRY, Verdict.SLOW_DOWN, Verdict.RETRY_SESSION):
        return None
    last = first_attempt_at + GIVE_UP_AFTER
    if now >= last:
        return None
    if verdict is Verdict.RETRY_SESSION:
        # The first time at once, over a new connection; a mail that ends every session must not do so for
        # ever.
        wait = BACKOFF[min(attempts - 1, len(BACKOFF) - 1)] if attempts else timedelta(0)
    else:
        wait = BACKOFF[min(attempts, len(BACKOFF) - 1)]
    return min(now + wait, last)


def _expired(verdict: Verdict, phase: Phase) -> Verdict:
    """What 48 hours of trying end in: only a refusal of the recipient counts against the address."""
    if verdict is Verdict.RETRY_SESSION:
        return Verdict.FAULT
    return Verdict.SOFT if verdict is Verdict.RETRY and phase == "rcpt" else Verdict.BLOCK
