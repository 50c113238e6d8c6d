"""Whose it is: by what only we can have made, and by nothing else that a message says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from digest.bounces.mime import MOST
from digest.bounces.model import Report
from digest.bounces.values import storable
from digest.delivery import verp
from digest.delivery.verp import ReturnPath

_ANY_ADDRESS = re.compile(r"<[^<>\s]{1,400}>|[^\s<>(\[\"']{1,200}@[^\s<>)\]\"']{1,200}")


@dataclass(frozen=True, slots=True)
class Whose:
    """`delivery`: the number of the delivery it is about; `leaver`: the subscriber who leaves by it; `forged`: it has
    an address in the shape of ours which we did not make."""

    delivery: int | None = None
    leaver: int | None = None
    forged: bool = False


def whose(report: Report, path: ReturnPath | None) -> Whose:
    """Looks at every address that machines wrote; the first genuine one counts."""
    if path is None:
        return Whose()
    for address in report.recipients:
        leaver = verp.read(path, "leave", address)
        if leaver is not None:
            return Whose(leaver=leaver)
    for address in report.addresses:
        delivery = verp.read(path, "bounce", address)
        if delivery is not None:
            return Whose(delivery=delivery)
    local, _, domain = path.address.lower().rpartition("@")
    ours = [
        address
        for address in (*report.recipients, *report.addresses)
        if address.lower().startswith(f"{local}+") and address.lower().endswith(f"@{domain}")
    ]
    # The address for leaving stands in every mail that is returned: that it comes back is no forgery.
    return Whose(forged=any(verp.read(path, "leave", address) is None for address in ours))


def event_of(report: Report, raw: bytes, about: Whose) -> str:
    """A hash by which the same report is known again, whichever way it comes: its identifier, else its bytes; and what
    it is about, lest a program that gives every message the same identifier hides one behind another."""
    of = report.message_id.encode() or sha256(raw[:MOST]).digest()
    said = f"{report.kind}\0{about.delivery}\0{about.leaver}\0".encode()
    return sha256(b"mail\0" + said + of).hexdigest()


def without_addresses(text: str) -> str:
    """A diagnostic for the books: the domains stay, whose mailbox it was does not."""
    return _ANY_ADDRESS.sub(_domain_of, storable(text))


def _domain_of(found: re.Match[str]) -> str:
    _, at, domain = found[0].rpartition("@")
    if not at:
        return found[0]
    return f"<…@{domain}" if found[0].startswith("<") else f"…@{domain}"
