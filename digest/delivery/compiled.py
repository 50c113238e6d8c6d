"""A compiled message, and how it is filled for each recipient in microseconds.

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

from digest.delivery import content_hash, headers, quoted, signing
from digest.delivery.headers import MessageError
from digest.delivery.model import Ready

_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.+_-]+@[A-Za-z0-9.-]+>")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A whole message with its personal places still open.

    `pieces` are fixed octets, b"" where a hole is; `holes` are (kind, name), each once; `at` says which piece is which
    hole. `inner` is the hash of all that is fixed. `bounce` makes the envelope sender of a delivery's number, where it
    is not `sender`; `leave` the address to leave by, of a reader's."""

    pieces: tuple[bytes, ...]
    holes: tuple[tuple[str, str], ...]
    at: tuple[tuple[int, int], ...]
    inner: bytes
    sender: str
    bounce: Callable[[int], str] | None = None
    leave: Callable[[int], str] | None = None
    plan: signing.Plan | None = None

    @property
    def parts(self) -> list[bytes | int]:
        """Pieces, and the number of the hole where one is."""
        parts: list[bytes | int] = list(self.pieces)
        for index, number in self.at:
            parts[index] = number
        return parts


@dataclass(slots=True)  # not frozen: that would cost a tenth of the filling
class Filled:
    """The message for one recipient, in `pieces` to be sent one after the other, without signatures.

    `content_hash` is for the ledger; `sender` and `recipient` are the envelope's; `size` counts the octets that will go
    out, signatures included, or a few more."""

    pieces: list[bytes]
    content_hash: str
    sender: str
    recipient: str
    size: int
    plan: signing.Plan | None
    values: list[bytes]

    def signed(self, moment: datetime) -> list[bytes]:
        """The pieces to send, signed now with every key that there is."""
        if self.plan is None:
            return self.pieces
        return [*signing.sign(self.plan, self.values, int(moment.timestamp())), *self.pieces]


def fill(compiled: Compiled, ready: Ready) -> Filled:
    """Raises MessageError where a value has a line break or a control character, or is missing."""
    recipient = headers.wire_address(ready.address, field="To")
    values = [_FILLERS[kind](compiled, ready, name, recipient) for kind, name in compiled.holes]
    pieces = list(compiled.pieces)
    for index, number in compiled.at:
        pieces[index] = values[number]
    bounce, plan = compiled.bounce, compiled.plan
    sender = compiled.sender if bounce is None else bounce(ready.delivery.id)
    size = sum(map(len, pieces)) + (plan.size if plan else 0)
    return Filled(pieces, content_hash.of(compiled.inner, values), sender, recipient, size, plan, values)


def verify(message: bytes, compiled: Compiled) -> str | None:
    """The content hash of a message as it was received; None where it was not made from this."""
    kinds = [kind for kind, _ in compiled.holes]
    return content_hash.of_received(message, compiled.parts, kinds, compiled.inner)


def _fill_date(_compiled: Compiled, ready: Ready, name: str, _recipient: str) -> bytes:
    moment = ready.delivery.first_attempt_at
    if moment is None:
        raise MessageError(name, f"delivery {ready.delivery.id} has not been claimed and has no date yet")
    return _date(moment)


@lru_cache(maxsize=64)
def _date(moment: datetime) -> bytes:
    return f"Date: {format_datetime(moment.astimezone(UTC).replace(microsecond=0))}\r\n".encode()


def _fill_to(_compiled: Compiled, _ready: Ready, _name: str, recipient: str) -> bytes:
    return (f"To: {recipient}\r\n" if len(recipient) < 72 else f"To:\r\n {recipient}\r\n").encode()


def _fill_message_id(_compiled: Compiled, ready: Ready, name: str, _recipient: str) -> bytes:
    value = ready.delivery.message_id
    if not _MESSAGE_ID.fullmatch(value):
        raise MessageError(name, f"{value!r} is not a message identifier (RFC 5322 section 3.6.4)")
    return headers.fold_one(name, value)


def _fill_unsubscribe(compiled: Compiled, ready: Ready, name: str, _recipient: str) -> bytes:
    """The https address first; the mailto only where its mail is read, and the reader known."""
    value = headers.uri("List-Unsubscribe", ready.places.get(name, ""))
    if not value.startswith(("https://", "http://")):
        raise MessageError("List-Unsubscribe", f"{value[:80]!r} is not a web address (RFC 8058 section 3.1)")
    leave, subscriber = compiled.leave, ready.delivery.subscriber
    if leave is None or subscriber is None:
        return headers.fold_one("List-Unsubscribe", f"<{value}>")
    # Folded between the two only: a URI is never broken or encoded (RFC 2369).
    mailto = f"\r\n <mailto:{leave(subscriber)}?subject=unsubscribe>\r\n"
    return headers.fold_one("List-Unsubscribe", f"<{value}>,")[:-2] + mailto.encode()


def _place(ready: Ready, name: str) -> str:
    try:
        return ready.places[name]
    except KeyError:
        raise MessageError(name, f"delivery {ready.delivery.id} has no value for this place") from None


def _fill_plain(_compiled: Compiled, ready: Ready, name: str, _recipient: str) -> bytes:
    value = _place(ready, name)
    short = quoted.as_it_is(value)
    return quoted.encode_value(headers.clean(name, value)) if short is None else short


def _fill_html(_compiled: Compiled, ready: Ready, name: str, _recipient: str) -> bytes:
    value = _place(ready, name)
    short = quoted.as_it_is(value)
    return quoted.encode_value(html.escape(headers.clean(name, value))) if short is None else short


_FILLERS: dict[str, Callable[[Compiled, Ready, str, str], bytes]] = {
    "date": _fill_date,
    "to": _fill_to,
    "message-id": _fill_message_id,
    "unsubscribe": _fill_unsubscribe,
    "plain": _fill_plain,
    "html": _fill_html,
}
