"""A rendition compiled once into the pieces of a whole message, and filled for each recipient in
microseconds.

Message-ID and Date belong to the delivery, not to the attempt: the identifier is made when the delivery is
enqueued, the date is that of its first claim. So every retry sends the same bytes, and a receiver can tell
that it is the same mail."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from digest.delivery import headers, quoted
from digest.delivery.headers import MessageError
from digest.delivery.model import Mail, Ready
from digest.rendering.model import PLACE, PLACES, Rendition

_PLACE = re.compile(f"{PLACE}([A-Z_]+?)END")
_OPEN = frozenset(PLACES)


@dataclass(frozen=True, slots=True)
class HeaderSettings:
    """What the headers of every mail say. Addresses are bare; `public_url` is where the reader's pages are.

    `sender_id` is the last field of Feedback-ID (5 to 15 letters or digits); "" makes it from the list's
    identifier."""

    from_name: str
    from_address: str
    reply_to: str = ""
    list_id: str = ""
    list_name: str = ""
    public_url: str = ""
    language: str = "en"
    organisation: str = ""
    sender_id: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A whole message with its personal places still open: `pieces`, and `holes` as (index, kind, name).

    `sender` is the envelope's."""

    pieces: tuple[bytes, ...]
    holes: tuple[tuple[int, str, str], ...]
    sender: str


def compile(rendition: Rendition, *, headers: HeaderSettings, mail: Mail, key: str) -> Compiled:  # noqa: A001
    """The message of email.md: multipart/alternative, both parts quoted-printable, every line 7-bit and at
    most 76 long.

    Raises MessageError for a header that must not go out, or a place that no sender fills."""
    body = _Pieces()
    _headers(body, rendition, headers, mail, key)
    boundary = f"=_{rendition.hash[:32]}"
    body.add(f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'.encode())
    if headers.language:
        body.add(f"Content-Language: {_token('language', headers.language)}\r\n".encode())
    body.add(b"\r\n")
    for kind, text in (("plain", rendition.text), ("html", rendition.html)):
        body.add(
            f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode()
        )
        _part(body, kind, text)
        body.add(b"\r\n")
    body.add(f"--{boundary}--\r\n".encode())
    pieces, holes = body.finish()
    return Compiled(pieces, holes, _ascii_address(headers.from_address))


def fill(compiled: Compiled, ready: Ready) -> list[bytes]:
    """The message for one recipient, in pieces to be sent one after the other.

    Raises MessageError where a value has a line break or a control character, or is missing."""
    pieces = list(compiled.pieces)
    for index, kind, name in compiled.holes:
        pieces[index] = _FILLERS[kind](ready, name)
    return pieces


class _Pieces:
    """Fixed bytes run together; every hole is a piece of its own."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._holes: list[tuple[int, str, str]] = []
        self._run: list[bytes] = []

    def add(self, data: bytes) -> None:
        self._run.append(data)

    def hole(self, kind: str, name: str) -> None:
        self._flush()
        self._holes.append((len(self._pieces), kind, name))
        self._pieces.append(b"")

    def _flush(self) -> None:
        if self._run:
            self._pieces.append(b"".join(self._run))
            self._run.clear()

    def finish(self) -> tuple[tuple[bytes, ...], tuple[tuple[int, str, str], ...]]:
        self._flush()
        return tuple(self._pieces), tuple(self._holes)


def _headers(out: _Pieces, rendition: Rendition, settings: HeaderSettings, mail: Mail, key: str) -> None:
    out.add(b"Date: ")
    out.hole("date", "Date")
    out.add(b"\r\n" + headers.mailbox("From", settings.from_name, settings.from_address))
    out.hole("to", "To")
    if settings.reply_to:
        out.add(headers.mailbox("Reply-To", "", settings.reply_to))
    subject = rendition.subject
    out.add(headers.unstructured("Subject", f"[Test] {subject}" if mail == "test" else subject))
    out.hole("message-id", "Message-ID")
    if settings.organisation:
        out.add(headers.unstructured("Organization", settings.organisation))
    if mail == "digest":
        _list_headers(out, settings, key)
    out.add(b"Auto-Submitted: auto-generated\r\n")
    if mail == "digest":
        out.add(b"Precedence: bulk\r\n")
    # Not "All": that would suppress bounces as well.
    out.add(b"X-Auto-Response-Suppress: OOF, AutoReply\r\n")


def _list_headers(out: _Pieces, settings: HeaderSettings, key: str) -> None:
    base = settings.public_url.rstrip("/")
    list_id = _token("List-ID", settings.list_id or settings.from_address.rpartition("@")[2])
    out.add(_list_id(settings.list_name, list_id))
    out.hole("unsubscribe", "UNSUBSCRIBE")
    out.add(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    if base:
        out.add(headers.uris("List-Help", f"{base}/") + headers.uris("List-Archive", f"{base}/archive"))
    owner = settings.reply_to or settings.from_address
    out.add(headers.uris("List-Owner", f"mailto:{_ascii_address(owner)}"))
    parts = (key, settings.language, list_id.partition(".")[0], sender_id(settings))
    feedback = ":".join(re.sub(r"[^A-Za-z0-9._-]", "-", part) for part in parts)
    out.add(headers.fold_one("Feedback-ID", feedback))


def _list_id(name: str, list_id: str) -> bytes:
    """RFC 2919: a phrase, and the identifier in angle brackets."""
    headers.clean("List-ID", name, visible=True)
    if not name:
        return headers.fold_one("List-ID", f"<{list_id}>")
    return headers.mailbox("List-ID", name, f"list@{list_id}").replace(b"<list@", b"<")


def sender_id(settings: HeaderSettings) -> str:
    """The last field of Feedback-ID: 5 to 15 letters or digits, always the same for one publication."""
    wanted = settings.sender_id or settings.list_id or settings.from_address.rpartition("@")[2]
    return re.sub(r"[^A-Za-z0-9]", "", wanted)[:15].ljust(5, "0")


def _part(out: _Pieces, kind: str, text: str) -> None:
    text = text.replace("\r\n", "\n")
    if "\r" in text or "\0" in text:
        raise MessageError(
            f"text/{kind}", "has a bare carriage return or a NUL", mend="render it again from clean text"
        )
    start = 0
    for match in _PLACE.finditer(text):
        if match[1] not in _OPEN:
            raise MessageError(f"text/{kind}", f"has a place named {match[1]}, which nobody fills")
        literal = text[start : match.start()]
        if literal:
            out.add(quoted.encode(literal) + quoted.SOFT_BREAK)
        out.hole(kind, match[1])
        out.add(quoted.SOFT_BREAK)
        start = match.end()
    out.add(quoted.encode(text[start:]))


def _token(field: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", value):
        raise MessageError(field, f"{value!r} may have letters, digits, dots and hyphens only")
    return value


def _ascii_address(address: str) -> str:
    wire = headers.wire_address(address, field="From")
    if not wire.isascii():
        raise MessageError("From", f"{address!r} has a local part that is not ASCII")
    return wire


def _value(ready: Ready, name: str) -> str:
    try:
        value = ready.places[name]
    except KeyError:
        raise MessageError(name, f"delivery {ready.delivery.id} has no value for this place") from None
    return value if value.isalnum() else headers.clean(name, value)


def _fill_date(ready: Ready, name: str) -> bytes:
    moment = ready.delivery.first_attempt_at
    if moment is None:
        raise MessageError(name, f"delivery {ready.delivery.id} has not been claimed and has no date yet")
    return _date(int(moment.timestamp()))


@lru_cache(maxsize=64)
def _date(seconds: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(seconds, UTC)).encode()


def _fill_to(ready: Ready, name: str) -> bytes:
    wire = headers.wire_address(ready.address, field=name)
    return f"To: {wire}\r\n".encode() if len(wire) < 72 else f"To:\r\n {wire}\r\n".encode()


def _fill_message_id(ready: Ready, name: str) -> bytes:
    value = ready.delivery.message_id
    if not re.fullmatch(r"<[A-Za-z0-9.+_-]+@[A-Za-z0-9.-]+>", value):
        raise MessageError(name, f"{value!r} is not a message identifier (RFC 5322 section 3.6.4)")
    return headers.fold_one(name, value)


def _fill_unsubscribe(ready: Ready, name: str) -> bytes:
    value = headers.uri("List-Unsubscribe", ready.places.get(name, ""))
    if not value.startswith(("https://", "http://")):
        raise MessageError("List-Unsubscribe", f"{value[:80]!r} is not a web address (RFC 8058 section 3.1)")
    return headers.fold_one("List-Unsubscribe", f"<{value}>")


def _fill_plain(ready: Ready, name: str) -> bytes:
    return quoted.encode_value(_value(ready, name))


def _fill_html(ready: Ready, name: str) -> bytes:
    return quoted.encode_value(html.escape(_value(ready, name)))


_FILLERS: dict[str, Callable[[Ready, str], bytes]] = {
    "date": _fill_date,
    "to": _fill_to,
    "message-id": _fill_message_id,
    "unsubscribe": _fill_unsubscribe,
    "plain": _fill_plain,
    "html": _fill_html,
}
