"""Settings of signatures and of returned mail that must agree with the address that mails come from."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr

from digest.config.tables import Tables
from digest.delivery.headers import MessageError, wire_address
from digest.delivery.verp import LONGEST_LOCAL

Place = tuple[str | int, ...]


def ascii_domain(domain: str) -> str:
    """The domain as DNS knows it, in lower case and A-labels; "" where it is none."""
    try:
        return wire_address(f"x@{domain}").rpartition("@")[2]
    except MessageError:
        return ""


def from_domain(tables: Tables) -> str:
    return ascii_domain(parseaddr(tables.publication.sender)[1].rpartition("@")[2])


def signing_domain(tables: Tables) -> str:
    """d= of our signatures: as configured, else the domain of `from`."""
    return ascii_domain(tables.dkim.domain) if tables.dkim.domain else from_domain(tables)


def disagreements(tables: Tables) -> Iterator[tuple[Place, str, str]]:
    """Where, what is wrong, and how to mend it."""
    sender, domain = from_domain(tables), signing_domain(tables)
    if not domain or "." not in domain or not f".{sender}".endswith(f".{domain}"):
        mend = f'write "{sender}" or its parent, or leave it out'
        yield ("dkim", "domain"), f"{tables.dkim.domain!r} is not the domain of `from`, nor its parent", mend
    seen: set[str] = set()
    for index, key in enumerate(tables.dkim.keys):
        if key.selector.lower() in seen:
            yield ("dkim", "keys", index, "selector"), f"there are two keys {key.selector!r}", "rename or remove one"
        seen.add(key.selector.lower())
    local = tables.bounces.address.rpartition("@")[0]
    if not local.isascii() or "+" in local or len(local) > LONGEST_LOCAL:
        yield (
            ("bounces", "address"),
            f"{local!r} cannot take a token after a +",
            f"write at most {LONGEST_LOCAL} letters, digits or hyphens before the @",
        )
