"""What `digest init` has to leave open, and how to tell that it is open still."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from digest.config.model import Config

POSTAL_ADDRESS = "Your organisation, street, city, country"
DOMAIN = "example.org"

_RESERVED = ("example.org", "example.com", "example.net", "example", "invalid", "test")
"""Domains that are nobody's (RFC 2606)."""


def is_reserved(domain: str) -> bool:
    """Whether no mail and no page can ever be there."""
    name = domain.lower().rstrip(".")
    return any(name == reserved or name.endswith("." + reserved) for reserved in _RESERVED)


def still_open(config: Config) -> list[str]:
    """A sentence for each setting that still is as `digest init` wrote it, or that belongs to nobody."""
    about = config.publication
    found = []
    if about.postal_address == POSTAL_ADDRESS:
        found.append("[publication] postal_address is still the placeholder; the law wants yours in every mail")
    sender = parseaddr(about.sender)[1].rpartition("@")[2]
    if is_reserved(sender):
        found.append(f"[publication] from is at {sender}, which is nobody's; write an address of yours")
    host = urlsplit(about.public_url).hostname or ""
    if is_reserved(host):
        found.append(f"[publication] public_url is at {host}, which is nobody's; write where readers reach these pages")
    return found
