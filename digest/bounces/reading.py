"""What came back, read: the bytes of any message to a report. Pure, and without an error whatever it is given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from digest.bounces import arf, dsn, known, notices, odd, replies
from digest.bounces.mime import Part, headers_of, parse, words
from digest.bounces.model import Failure, Kind, Report

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,250}>")
_TO = (
    "to", "cc", "delivered-to", "x-original-to", "x-delivered-to", "envelope-to", "x-envelope-to", "x-rcpt-to",
    "x-original-recipient", "apparently-to",
)  # fmt: skip
_MOST_ADDRESSES = 100
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers", "message/partial")


def read(raw: bytes, envelope: Sequence[str] = ()) -> Report:
    """`envelope`: whom it was for by the envelope, where that is known (by LMTP)."""
    message = parse(raw)
    returned = _returned(message)
    report = _understood(message)
    return replace(
        report,
        addresses=_addresses(message, returned, envelope),
        recipients=_recipients(message, envelope),
        message_id=_identifier(message.get("message-id")),
        original_id=report.original_id or _identifier(returned.get("message-id") if returned else ""),
    )


def _understood(message: Part) -> Report:
    subject = words(message.get("subject"))
    sender = " ".join([message.get("from"), message.get("return-path")])
    fields = arf.feedback(message)
    if fields is not None:
        what = arf.feedback_type(fields)
        if arf.is_complaint(what):
            return Report(Kind.COMPLAINT, reader="feedback report")
        return Report(Kind.UNKNOWN, reader="feedback report", why=f"a feedback report of type {what or 'unnamed'!r}")
    if arf.bare_complaint(message):
        return Report(Kind.COMPLAINT, reader="bare complaint")
    text, _ = odd.human(_text(message))
    found = _status(message, text) or _notice(text) or _loose(message, text)
    if found is not None:
        return found
    answers = replies.is_auto_reply(message, subject)
    if odd.looks_like_bounce(sender, subject) and (not answers or _daemon(message)):
        return _odd(message, subject, text)
    if answers:
        return Report(Kind.AUTO_REPLY, reader="automatic reply")
    if odd.says_undelivered(text):
        return _odd(message, subject, text)
    return Report(Kind.UNKNOWN, why="nothing in it says what it is")


def _daemon(message: Part) -> bool:
    return bool(message.get("x-failed-recipients")) or odd.looks_like_bounce(message.get("from"), "")


def _status(message: Part, text: str) -> Report | None:
    """Its parts of type message/delivery-status."""
    found: list[Failure] = []
    for part in message.walk():
        if dsn.is_status(part):
            found += dsn.failures(part)
    if not found:
        return None
    return Report(dsn.kind_of(found), _with_context(found, text), reader="delivery status")


def _notice(text: str) -> Report | None:
    """A provider's JSON, by mail."""
    return notices.read(text) if text.lstrip().startswith("{") else None


def _loose(message: Part, text: str) -> Report | None:
    """The same fields, but somewhere in a text."""
    whole = "\n".join(part.text() for part in message.walk() if part.type.startswith("text/") or not part.parts)
    found = dsn.loose(whole[:100_000])
    if not found:
        return None
    return Report(dsn.kind_of(found), _with_context(found, text), reader="fields in the text")


def _odd(message: Part, subject: str, text: str) -> Report:
    if odd.is_delayed(subject, text):
        return Report(Kind.DELAYED, tuple(odd.failures(text)), reader="its words")
    failed = message.get("x-failed-recipients").strip()[:320]
    found = odd.failures(f"{text}\n") or odd.failures(subject)
    found = [replace(one, recipient=failed, context=f"{one.context} {subject}"[:3_000]) for one in found]
    library = known.look(message)
    if library == "temporary" and not any(one.diagnostic for one in found):
        return Report(Kind.DELAYED, tuple(found), reader="its form")
    if found:
        return Report(Kind.BOUNCE, tuple(found), reader="its form" if library else "its words")
    return Report(Kind.UNKNOWN, reader="its words", why="a bounce without a word of why")


def _with_context(found: Iterable[Failure], text: str) -> tuple[Failure, ...]:
    """What the fields leave out is often said in the text beside them."""
    quoted = odd.failures(text)
    context = quoted[0].context if quoted else ""
    made: list[Failure] = []
    for one in found:
        if one.diagnostic or not any(reply.diagnostic for reply in quoted):
            made.append(replace(one, context=context))
        else:
            made += [replace(one, diagnostic=reply.diagnostic, context=context) for reply in quoted]
    return tuple(made[:40])


def _text(message: Part) -> str:
    """The words of a message: its first part of text, else whatever it has."""
    for part in message.walk():
        if part.type == "text/plain" and not part.parts and part.body.strip():
            return part.text()
    for part in message.walk():
        if part.type == "text/html" and part.body.strip():
            return re.sub(r"<[^<>]{1,500}>", " ", part.text())
    return message.text()


def _returned(message: Part) -> Part | None:
    """The mail that it is about, or its headers."""
    for part in message.walk():
        if part.type in _RETURNED:
            return part.parts[0] if part.parts else headers_of(part.decoded().lstrip(b"\n"))
    rest = odd.human(_text(message))[1]
    at = odd.headers_in(rest)
    return headers_of(rest[at:].encode("utf-8", "replace")) if at is not None else None


def _addresses(message: Part, returned: Part | None, envelope: Sequence[str]) -> tuple[str, ...]:
    """Every address in what machines wrote: what only we could have made is found among them."""
    texts = [
        *envelope,
        *message.all(*_TO, "return-path", "received", "x-failed-recipients", "references", "in-reply-to"),
    ]
    fields = (part for part in message.walk() if dsn.is_status(part) or part.type == "message/feedback-report")
    texts += [dsn.text_of(part) for part in fields]
    if returned is not None:
        texts += [value for _, value in returned.headers]
    texts.append(_text(message)[:20_000])
    found: dict[str, None] = {}
    for text in texts:
        for match in _ADDRESS.finditer(text[:20_000]):
            found.setdefault(match[0], None)
            if len(found) >= _MOST_ADDRESSES:
                return tuple(found)
    return tuple(found)


def _recipients(message: Part, envelope: Sequence[str]) -> tuple[str, ...]:
    """Whom it was sent to itself; those in a returned mail do not count."""
    found: dict[str, None] = {}
    for text in [*envelope, *message.all(*_TO)]:
        for match in _ADDRESS.finditer(text[:4_000]):
            if len(found) < _MOST_ADDRESSES:
                found.setdefault(match[0], None)
    return tuple(found)


def _identifier(value: str) -> str:
    found = _MESSAGE_ID.search(value)
    return found[0] if found else ""
