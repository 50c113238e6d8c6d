"""Whose request it is, and how often they may ask: by address, a network of /64 for IPv6 (one customer has as much)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import structlog
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.requests import Request

log = structlog.get_logger("digest.web")

Address = IPv4Address | IPv6Address
MOST_HOPS = 20


class Limits:
    """How often one address may do a thing, as `5/minute;60/hour`. Counted in the memory of this process."""

    def __init__(self, often: str) -> None:
        self._often: Sequence[RateLimitItem] = parse_many(often)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def allow(self, who: Address | None) -> bool:
        """Count one more of them, and tell whether it may be. None is somebody we cannot tell from others: always."""
        if who is None:
            return True
        name = network_of(who)
        counted = [self._limiter.hit(one, name) for one in self._often]
        return all(counted)


def network_of(address: Address) -> str:
    """The address, or for IPv6 the /64 around it."""
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def client(request: Request, proxies: Iterable[str]) -> Address | None:
    """Who asks: the peer, or whoever a proxy of ours says that it asks for (the last one that is no proxy itself)."""
    ours = [ip_network(one, strict=False) for one in proxies]
    peer = _address(request.client.host if request.client else "")
    if peer is None or not any(peer in one for one in ours):
        return peer
    said = ",".join(request.headers.getlist("x-forwarded-for")).split(",")[-MOST_HOPS:]
    found = peer
    for text in reversed(said):
        hop = _address(text)
        if hop is None:
            break
        found = hop
        if not any(hop in one for one in ours):
            break
    return found


def limited(request: Request, proxies: Iterable[str]) -> Address | None:
    """Who is to be counted. None for this machine itself: behind a proxy that `[web] proxies` does not name, everybody
    comes from there, and one reader's haste must not shut the door on all."""
    found = client(request, proxies)
    if found is not None and found.is_loopback:
        if "x-forwarded-for" in request.headers:
            log.warning("proxy", reason=f"[web] proxies does not name {found}: its readers cannot be told apart")
        return None
    return found


def _address(text: str) -> Address | None:
    """As written by proxies: with a port, in brackets, or an IPv4 address in IPv6's dress."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if found.version == 6 else found
