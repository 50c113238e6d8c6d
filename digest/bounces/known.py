"""What flufl.bounce, which grew up with mailing lists, makes of a message."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import compat32
from typing import Literal

from digest.bounces.mime import Part, in_charset

_MOST = 60_000
_LINES = 600


def look(message: Part) -> Literal["permanent", "temporary", ""]:
    """Whether one of its detectors knows the form, and takes the failure as final.

    It is shown a short and flat copy: its detectors search with patterns, and walk whatever they are given."""
    from flufl.bounce import all_failures

    copy = message_from_bytes(_flat(message), policy=compat32)
    temporary, permanent = all_failures(copy)
    return "permanent" if permanent else "temporary" if temporary else ""


def _flat(message: Part) -> bytes:
    """The message as one part of text, its headers cut."""
    kept = [(name, value) for name, value in message.headers[:60] if not name.startswith("content-")]
    head = "".join(f"{name}: {value[:500]}\n" for name, value in kept)
    text = next((part for part in message.walk() if part.type.startswith("text/") and not part.parts), message)
    body = "\n".join(in_charset(text.decoded()[:_MOST]).splitlines()[:_LINES])
    return f"{head}\n{body}".encode("utf-8", "replace")
