"""The address guard: a feed's address may not lead into our own network, at no redirect and by no DNS answer.

The guard is a network backend of the HTTP client: it resolves the name itself, looks at every address, and
connects to one that it has looked at, so that a second DNS answer cannot differ from the first. It also holds
the one deadline of a fetch, by which every read, write, handshake and look-up is bounded."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore2

from digest.feeds.errors import FetchError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

DENIED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "64:ff9b::/96",  # NAT64 (RFC 6052): an IPv4 address in disguise
        "64:ff9b:1::/48",  # local NAT64 (RFC 8215)
        "2001::/32",  # Teredo (RFC 4380)
        "2002::/16",  # 6to4 (RFC 3056)
        "fec0::/10",  # site-local, deprecated (RFC 3879)
        "::/96",  # IPv4-compatible, deprecated (RFC 4291, 2.5.5.1)
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.88.99.0/24",  # 6to4 relays, deprecated (RFC 7526)
        "224.0.0.0/4",
        "ff00::/8",
    )
)
"""Addresses that `is_global` lets through (on some Python or other) and that lead inside, or nowhere."""


def is_public(text: str) -> bool:
    """Whether this address, as `getaddrinfo` gives it, is one of the public internet."""
    address: Address = ipaddress.ip_address(text.split("%", 1)[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address.version == network.version and address in network for network in DENIED)


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects to checked addresses only, and to none after `deadline` seconds from now."""

    def __init__(self, *, allow_private: bool, deadline: float) -> None:
        self._allow_private = allow_private
        self._until = time.monotonic() + deadline

    def remaining(self, timeout: float | None = None) -> float:
        """Seconds that an operation may still take. Raises httpcore2.ReadTimeout when there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("the deadline has passed")
        return left if timeout is None else min(timeout, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - the interface's
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - the interface's
    ) -> httpcore2.NetworkStream:
        failure: OSError | None = None
        for family, address in self._resolve(host, port, self.remaining(timeout)):
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(self.remaining(timeout))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                connection.close()
                failure = error
            else:
                return _BoundStream(connection, self)
        if isinstance(failure, TimeoutError):
            raise httpcore2.ConnectTimeout(str(failure))
        raise httpcore2.ConnectError(str(failure)) from failure

    def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002 - the interface's
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        raise httpcore2.ConnectError("feeds are not fetched from local sockets")

    def _resolve(self, host: str, port: int, timeout: float) -> list[tuple[int, Any]]:
        found = _look_up(host, port, timeout)
        if not self._allow_private:
            for _family, address in found:
                if not is_public(address[0]):
                    raise FetchError(
                        host,
                        "private-address",
                        f"leads to {address[0]}, which is not an address of the public internet",
                        mend="correct the address, or set [fetching] allow_private_addresses = true",
                    )
        return found


class _BoundStream(httpcore2.NetworkStream):
    """A TCP or TLS connection whose every step is bounded by the backend's deadline."""

    def __init__(self, connection: socket.socket, backend: GuardedBackend) -> None:
        self._connection = connection
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._connection.settimeout(self._backend.remaining(timeout))
        try:
            return self._connection.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._connection.settimeout(self._backend.remaining(timeout))
        try:
            self._connection.sendall(buffer)
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from error

    def close(self) -> None:
        self._connection.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        self._connection.settimeout(self._backend.remaining(timeout))
        try:
            secured = ssl_context.wrap_socket(self._connection, server_hostname=server_hostname)
        except TimeoutError as error:
            self.close()
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:  # ssl.SSLError is one
            self.close()
            raise httpcore2.ConnectError(str(error)) from error
        return _BoundStream(secured, self._backend)

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._connection if isinstance(self._connection, ssl.SSLSocket) else None
        if info == "is_readable":
            return False  # one connection a fetch: it is never taken from a pool again
        return None


def _look_up(host: str, port: int, timeout: float) -> list[tuple[int, Any]]:
    """Every address of the name, as resolved. The system's resolver knows no timeout: a thread waits."""
    answer: list[tuple[int, Any]] = []
    failure: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            answer.extend((row[0], row[4]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failure.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(timeout)
    if asking.is_alive():
        raise httpcore2.ConnectTimeout(f"no answer from DNS for {host}")
    if failure or not answer:
        detail = getattr(failure[0], "strerror", None) or str(failure[0]) if failure else "no addresses"
        raise FetchError(
            host, "dns", f"the name {host} is not known ({detail})", mend="correct the address, or try later"
        )
    return answer
