"""A compiled message, and how it is filled for each recipient in microseconds.

Message-ID and Date belong to the delivery, not to the attempt: the identifier is made when the delivery is
enqueued, the date is that of its first claim. So every retry sends the same bytes, and a receiver can tell
that it is the same mail."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from digest.delivery import content_hash, headers, quoted, signing
from digest.delivery.headers import MessageError
from digest.delivery.layout import Layout, Pick, layout, picker
from digest.delivery.model import Delivery, Ready

_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.+_-]+@[A-Za-z0-9.-]+>")
_HEADER = ("date", "to", "message-id", "unsubscribe")
"""The holes of the header, in their order; a mail that nobody can leave by has not the last."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A whole message with its personal places still open.

    `parts` are fixed octets and, as numbers, holes; `holes` are (kind, name), each once: first those of the header.
    `inner` is the hash of all that is fixed. `bounce` makes the envelope sender of a delivery's number, where it is not
    `sender`; `leave` the address to leave by, of a reader's; `for_relay` the fields that only the relay reads, of a
    Message-ID."""

    parts: tuple[bytes | int, ...]
    holes: tuple[tuple[str, str], ...]
    inner: bytes
    sender: str
    bounce: Callable[[int], str] | None = None
    leave: Callable[[int], str] | None = None
    plan: signing.Plan | None = None
    for_relay: Callable[[str], bytes] | None = None
    way: _Way = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "way", _way(self.parts, self.holes))


class _Way(NamedTuple):
    """How a message is filled, made ready once.

    `leavable`: with a List-Unsubscribe. `names` are the places of the body, `body` its holes as (kind, number of the
    name). `texts` takes what fills the places out of all a reader's; `pick` a value for each hole out of one a name."""

    leavable: bool
    names: tuple[str, ...]
    texts: Callable[[Mapping[str, str]], Sequence[str]]
    body: tuple[tuple[str, int], ...]
    pick: Pick
    layout: Layout


class Filled(NamedTuple):
    """The message for one recipient, in `pieces` to be sent one after the other, without signatures.

    `content_hash` is for the ledger; `sender` and `recipient` are the envelope's; `size` counts the octets that will go
    out, signatures included, or a few more. `values` fill the holes, for the `plan` of the signatures."""

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
    delivery, address, places = ready
    bounce, plan, way = compiled.bounce, compiled.plan, compiled.way
    recipient = headers.wire_address(address, field="To")
    to = f"To: {recipient}\r\n" if len(recipient) < 72 else f"To:\r\n {recipient}\r\n"
    values = [_date(delivery), to.encode(), _message_id(delivery.message_id)]
    if way.leavable:
        values.append(_unsubscribe(places.get("UNSUBSCRIBE", ""), compiled.leave, delivery.subscriber))
    values += _body(way, ready)
    pieces = way.layout.pieces(values)
    if compiled.for_relay is not None:
        pieces.insert(0, compiled.for_relay(delivery.message_id))
    sender = compiled.sender if bounce is None else bounce(delivery.id)
    size = sum(map(len, pieces)) + (plan.size if plan else 0)
    said = content_hash.of(compiled.inner, values)
    return Filled(pieces, said, sender, recipient, size, plan, values if plan else [])


def verify(message: bytes, compiled: Compiled) -> str | None:
    """The content hash of a message as it was received; None where it was not made from this."""
    kinds = [kind for kind, _ in compiled.holes]
    return content_hash.of_received(message, compiled.parts, kinds, compiled.inner)


def _way(parts: Sequence[bytes | int], holes: Sequence[tuple[str, str]]) -> _Way:
    leavable = ("unsubscribe", "UNSUBSCRIBE") in holes
    length = len(_HEADER) if leavable else len(_HEADER) - 1
    head, body = [kind for kind, _ in holes[:length]], holes[length:]
    if (*head,) != _HEADER[:length]:
        raise ValueError(f"the header has the holes {head}: they are filled in another order")
    names = tuple(dict.fromkeys(name for _, name in body))
    numbered = tuple((kind, names.index(name)) for kind, name in body)
    pick = picker([number for _, number in numbered])
    return _Way(leavable, names, picker(names), numbered, pick, layout(parts, len(holes)))


def _date(delivery: Delivery) -> bytes:
    if delivery.first_attempt_at is None:
        raise MessageError("Date", f"delivery {delivery.id} has not been claimed and has no date yet")
    return _date_of(delivery.first_attempt_at)


@lru_cache(maxsize=64)
def _date_of(moment: datetime) -> bytes:
    return f"Date: {format_datetime(moment.astimezone(UTC).replace(microsecond=0))}\r\n".encode()


def _message_id(value: str) -> bytes:
    if not _MESSAGE_ID.fullmatch(value):
        raise MessageError("Message-ID", f"{value!r} is not a message identifier (RFC 5322 section 3.6.4)")
    return headers.fold_one("Message-ID", value)


def _unsubscribe(link: str, leave: Callable[[int], str] | None, subscriber: int | None) -> bytes:
    """The https address first; the mailto only where its mail is read, and the reader known."""
    link = headers.uri("List-Unsubscribe", link)
    if not link.startswith(("https://", "http://")):
        raise MessageError("List-Unsubscribe", f"{link[:80]!r} is not a web address (RFC 8058 section 3.1)")
    if leave is None or subscriber is None:
        return headers.fold_one("List-Unsubscribe", f"<{link}>")
    # Folded between the two only: a URI is never broken or encoded (RFC 2369).
    mailto = f"\r\n <mailto:{leave(subscriber)}?subject=unsubscribe>\r\n"
    return headers.fold_one("List-Unsubscribe", f"<{link}>,")[:-2] + mailto.encode()


def _body(way: _Way, ready: Ready) -> Sequence[bytes]:
    """Each place is looked at once, though it stands in the text and in HTML; mostly nothing in any is to be
    encoded."""
    try:
        texts = way.texts(ready.places)
    except KeyError as error:
        name = str(error.args[0])
        raise MessageError(name, f"delivery {ready.delivery.id} has no value for this place") from None
    usual = quoted.as_they_are(texts)
    if usual is not None:
        return way.pick(usual)
    written = [_written(name, text) for name, text in zip(way.names, texts, strict=True)]
    return [written[number][kind] for kind, number in way.body]


def _written(name: str, text: str) -> dict[str, bytes]:
    """Of a place in the text and in HTML."""
    plain = quoted.encode_value(headers.clean(name, text))
    escaped = html.escape(text)
    return {"plain": plain, "html": plain if escaped == text else quoted.encode_value(escaped)}
