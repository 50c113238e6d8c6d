"""A feed's address to its bytes: conditional, capped, bounded in time, and never into our own network."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit, urlunsplit

import httpcore2
import httpx2

from digest.feeds.errors import FetchError
from digest.feeds.guard import GuardedBackend
from digest.feeds.model import Feed, Fetched, NotModified

MAX_BYTES = 10 << 20
MAX_REDIRECTS = 10
ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.5"
)

_STATUS = {
    401: ("the server asks for a password", "make the feed public, or use an address that needs none"),
    403: ("the server refuses us", "ask the publisher to let this program read the feed"),
    404: ("there is nothing at this address", "look on the site for the feed's new address"),
    410: ("the feed is gone for good", "remove it from the configuration, or find its new address"),
    429: ("the server says that we ask too often", "pull less often"),
}


def fetch(
    feed: Feed,
    *,
    allow_private: bool = False,
    timeout: float = 20,
    deadline: float = 60,
    max_bytes: int = MAX_BYTES,
    contact: str = "",
    ssl_context: ssl.SSLContext | None = None,
) -> Fetched | NotModified:
    """GET the feed, with what its server told us last time; every redirect passes the address guard too.

    `timeout` bounds each step and `deadline` the whole, in seconds; `max_bytes` counts decoded bytes;
    `contact` goes into the User-Agent, so that a publisher can reach us.

    Raises FetchError, whose `state` names the failure."""
    headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip, deflate"}
    if feed.etag:
        headers["If-None-Match"] = feed.etag
    if feed.last_modified:
        headers["If-Modified-Since"] = feed.last_modified
    client = guarded_client(
        headers,
        allow_private=allow_private,
        timeout=timeout,
        deadline=deadline,
        contact=contact,
        ssl_context=ssl_context,
    )
    try:
        with client:
            return _follow(client, feed, max_bytes)
    except FetchError as error:
        raise FetchError(_shown(feed.url), error.state, error.detail, mend=error.mend) from error
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
        raise _explained(_shown(feed.url), error, deadline) from error


def guarded_client(
    headers: Mapping[str, str],
    *,
    allow_private: bool,
    timeout: float,
    deadline: float,
    contact: str = "",
    ssl_context: ssl.SSLContext | None = None,
) -> httpx2.Client:
    """A client that asks public addresses only, follows no redirect by itself, and is done `deadline` seconds from now.

    It may be used by several threads."""
    transport = _GuardedTransport(GuardedBackend(allow_private=allow_private, deadline=deadline), ssl_context)
    return httpx2.Client(
        transport=transport,
        trust_env=False,
        timeout=timeout,
        headers={**headers, "User-Agent": _user_agent(contact)},
    )


class _GuardedTransport(httpx2.HTTPTransport):
    """The client's own transport, our network backend in its pool (a private attribute: hence the pin <3)."""

    def __init__(self, backend: httpcore2.NetworkBackend, ssl_context: ssl.SSLContext | None) -> None:
        verify = ssl_context or httpx2.create_ssl_context(trust_env=False)
        super().__init__(verify=verify, trust_env=False)
        self._pool = httpcore2.ConnectionPool(ssl_context=verify, max_keepalive_connections=0, network_backend=backend)


def _follow(client: httpx2.Client, feed: Feed, max_bytes: int) -> Fetched | NotModified:
    url, seen, permanent = feed.url, {feed.url}, True
    while True:
        check_scheme(url)
        with client.stream("GET", url) as response:
            if not response.has_redirect_location:
                moved_to = url if permanent and len(seen) > 1 else None
                return _received(response, feed, url, moved_to, max_bytes)
            permanent = permanent and response.status_code in (301, 308)
            target = str(response.url.join(response.headers["location"].strip()).copy_with(fragment=None))
        if target in seen:
            raise FetchError(
                url, "redirect-loop", f"redirects in a circle, to {_shown(target)}", mend="tell the publisher"
            )
        if len(seen) > MAX_REDIRECTS:
            raise FetchError(
                url,
                "redirect-loop",
                f"redirects more than {MAX_REDIRECTS} times",
                mend="use the last address",
            )
        seen.add(target)
        url = target


def _received(
    response: httpx2.Response, feed: Feed, url: str, moved_to: str | None, max_bytes: int
) -> Fetched | NotModified:
    status = response.status_code
    if status == 304 and (feed.etag or feed.last_modified):
        return NotModified(url, moved_to)
    if status not in (200, 203):
        what, mend = _STATUS.get(status, ("", ""))
        if not what and status >= 500:
            what, mend = "the server has a fault", "it may pass by itself; if it lasts, tell the publisher"
        what = what or "not an answer that a feed gives"
        raise FetchError(url, f"http-{status}", f"{what} (HTTP {status})", mend=mend or "open the address in a browser")
    body = bytearray()
    for chunk in _decoded(response.iter_raw(), response.headers.get("content-encoding", ""), max_bytes):
        body += chunk
        if len(body) > max_bytes:
            raise FetchError(
                url,
                "too-large",
                f"is larger than {max_bytes / (1 << 20):.3g} MiB",
                mend="ask the publisher for a feed of the newest articles only",
            )
    return Fetched(
        url=url,
        body=bytes(body),
        headers={name.lower(): value for name, value in response.headers.items()},
        etag=response.headers.get("etag"),
        last_modified=response.headers.get("last-modified"),
        moved_to=moved_to,
    )


def _decoded(chunks: Iterable[bytes], encoding: str, limit: int) -> Iterator[bytes]:
    """The chunks without their Content-Encoding, at most `limit` + 1 bytes at once (a bomb stays packed)."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        yield from chunks
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise FetchError("", "bad-encoding", f"comes in the encoding {encoding!r:.40}, which we did not ask for")
    unpacker = None
    try:
        for chunk in chunks:
            if unpacker is None:
                unpacker = zlib.decompressobj(_window(encoding, chunk))
            pending = chunk
            while pending and not unpacker.eof:
                yield unpacker.decompress(pending, limit + 1)
                pending = unpacker.unconsumed_tail
        if unpacker is not None and not unpacker.eof:
            raise FetchError("", "cut-off", "ended before its compressed data was whole", mend="it may pass by itself")
    except zlib.error as error:
        raise FetchError(
            "", "bad-encoding", f"says {encoding} and is not ({error})", mend="tell the publisher"
        ) from error


def _window(encoding: str, start: bytes) -> int:
    """zlib's `wbits`. "deflate" is zlib by RFC 9110, 8.4.1.2; some servers send it raw."""
    if encoding != "deflate":
        return 16 + zlib.MAX_WBITS
    wrapped = len(start) > 1 and start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS


def check_scheme(url: str) -> None:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        fine = False
    if not fine:
        raise FetchError(url, "bad-url", f"{_shown(url)!r} is not an http or https address", mend="correct the address")


def _explained(url: str, error: Exception, deadline: float) -> FetchError:
    """Our sentence for a failure of the HTTP client's."""
    causes = _causes(error)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        detail = next(c.verify_message for c in causes if isinstance(c, ssl.SSLCertVerificationError))
        return FetchError(
            url, "tls", f"its certificate cannot be trusted ({detail})", mend="tell the publisher to renew it"
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return FetchError(url, "tls", "no secure connection could be made", mend="is it perhaps an http address?")
    if isinstance(error, httpx2.TimeoutException):
        return FetchError(
            url, "timeout", f"did not answer in time ({deadline:g} s in all)", mend="it may pass by itself"
        )
    if isinstance(error, httpx2.ConnectError):
        return FetchError(url, "unreachable", f"no connection could be made ({error})", mend="is the server up?")
    if isinstance(error, httpx2.NetworkError):
        return FetchError(url, "cut-off", "the connection was cut off", mend="it may pass by itself")
    if isinstance(error, httpx2.RemoteProtocolError):
        cut = "closed" in str(error) or "disconnected" in str(error)
        if cut:
            return FetchError(url, "cut-off", "the answer ended too early", mend="it may pass by itself")
        return FetchError(url, "bad-http", f"does not answer as HTTP says ({error})", mend="tell the publisher")
    return FetchError(url, "bad-url", f"cannot be asked for ({error})", mend="correct the address")


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain


def _shown(url: str) -> str:
    """The address without a password that may stand in it."""
    try:
        parts = urlsplit(url)
        if parts.password is None and parts.username is None:
            return url
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    except ValueError:
        return url


def _user_agent(contact: str) -> str:
    try:
        release = version("newsletter-digest-builder")
    except PackageNotFoundError:
        release = "0"
    safe = "".join(c for c in contact if " " <= c <= "~")
    return f"newsletter-digest-builder/{release}" + (f" (+{safe})" if safe else "")
