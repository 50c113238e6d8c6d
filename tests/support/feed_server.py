"""A real HTTP server that serves feeds, well and badly, and small builders of feeds.

    with feed_server() as server:
        url = server.feed("/feed", rss(item("A headline")))
        server.requests["/feed"]          # what was asked, headers in lower case, oldest first

Every answer can be replaced at any time by serving the same path again."""

from __future__ import annotations

import gzip
import hashlib
import socket
import ssl
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape, quoteattr

Handler = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FeedServer:
    """What is served, and what was asked. `url(path)` is absolute, on 127.0.0.1.

    HEAD is answered like GET without the body, except where `heads` has a status for the path."""

    base: str
    handlers: dict[str, Handler] = field(default_factory=dict)
    requests: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    heads: dict[str, int] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return self.base + path

    def feed(
        self,
        path: str,
        body: str | bytes,
        *,
        content_type: str = "application/rss+xml; charset=utf-8",
        last_modified: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """A well-behaved feed: ETag, optionally Last-Modified, and 304 to whoever has it already."""
        raw = body.encode() if isinstance(body, str) else body
        etag = f'"{hashlib.sha256(raw).hexdigest()[:16]}"'

        def answer(request: BaseHTTPRequestHandler) -> None:
            known = request.headers.get("If-None-Match")
            since = request.headers.get("If-Modified-Since")
            current = known == etag if known else bool(last_modified) and since == last_modified
            told = {
                "ETag": etag,
                **({"Last-Modified": last_modified} if last_modified else {}),
                **(headers or {}),
            }
            if current:
                send(request, 304, b"", told)
            else:
                send(request, 200, raw, {"Content-Type": content_type, **told})

        return self._serve(path, answer)

    def page(
        self,
        path: str,
        body: str | bytes,
        *,
        status: int = 200,
        content_type: str = "text/html; charset=utf-8",
    ) -> str:
        """A fixed answer without validators."""
        raw = body.encode() if isinstance(body, str) else body
        return self._serve(path, lambda request: send(request, status, raw, {"Content-Type": content_type}))

    def status(self, path: str, status: int, headers: Mapping[str, str] | None = None) -> str:
        """An empty answer with this status."""
        return self._serve(path, lambda request: send(request, status, b"", headers or {}))

    def redirect(self, path: str, to: str, *, status: int = 301) -> str:
        return self.status(path, status, {"Location": to})

    def gzip_bomb(self, path: str, *, megabytes: int) -> str:
        """Few bytes on the wire that unpack to this many."""
        raw = gzip.compress(b" " * (megabytes << 20), 9)
        headers = {"Content-Type": "application/rss+xml", "Content-Encoding": "gzip"}
        return self._serve(path, lambda request: send(request, 200, raw, headers))

    def drip(self, path: str, *, every: float = 0.05, headers_too: bool = False) -> str:
        """One byte every so often, for ever; with `headers_too` the headers never end either."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            start = (
                b"HTTP/1.1 200 OK\r\nX-Slow: "
                if headers_too
                else b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<rss>"
            )
            try:
                request.wfile.write(start)
                while True:
                    request.wfile.write(b" " if not headers_too else b"x")
                    request.wfile.flush()
                    time.sleep(every)
            except OSError:
                request.close_connection = True

        return self._serve(path, answer)

    def silence(self, path: str, *, seconds: float = 5) -> str:
        """Takes the request and says nothing."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            time.sleep(seconds)
            request.close_connection = True

        return self._serve(path, answer)

    def reset(self, path: str, *, after: bytes = b"") -> str:
        """Sends `after`, then resets the connection."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.wfile.write(after)
            request.wfile.flush()
            if after:
                time.sleep(0.05)  # what was sent arrives before the reset discards it
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.close_connection = True

        return self._serve(path, answer)

    def raw(self, path: str, answer: bytes) -> str:
        """These bytes as the whole answer, then the connection is closed."""

        def write(request: BaseHTTPRequestHandler) -> None:
            request.wfile.write(answer)
            request.close_connection = True

        return self._serve(path, write)

    def _serve(self, path: str, handler: Handler) -> str:
        self.handlers[path] = handler
        return self.url(path)


def send(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    """One whole answer."""
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    if status != 304:
        request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if request.command != "HEAD" and status != 304:
        request.wfile.write(body)


@contextmanager
def feed_server(context: ssl.SSLContext | None = None) -> Iterator[FeedServer]:
    """A server on a free port of 127.0.0.1 (over TLS with `context`), until the block ends."""

    class Request(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.split("?", 1)[0]
            served.requests[path].append({name.lower(): value for name, value in self.headers.items()})
            handler = served.handlers.get(path)
            if handler is None:
                send(self, 404, b"", {})
            else:
                handler(self)

        def do_HEAD(self) -> None:
            path = self.path.split("?", 1)[0]
            if path in served.heads:
                send(self, served.heads[path], b"", {})
            else:
                self.do_GET()

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: object) -> None:
            """Clients that hang up are what these tests are about."""

    server = Server(("127.0.0.1", 0), Request)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "http" if context is None else "https"
    served = FeedServer(f"{scheme}://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


def item(
    title: str,
    *,
    link: str | None = None,
    guid: str | None = None,
    published: datetime | str | None = None,
    description: str = "",
    content: str = "",
    author: str = "",
    categories: Sequence[str] = (),
    image: str = "",
    extra: str = "",
) -> str:
    """One RSS item. Texts are escaped here; `description`, `content` are markup; `extra` is XML as it stands.

    A link, and a guid equal to it, are made from the title; `link=""` and `guid=""` leave them out."""
    slug = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
    link = f"https://news.example.org/{slug}" if link is None else link
    guid = link if guid is None else guid
    date = format_datetime(published) if isinstance(published, datetime) else published
    parts = [
        f"<title>{escape(title)}</title>" if title else "",
        f"<link>{escape(link)}</link>" if link else "",
        f'<guid isPermaLink="false">{escape(guid)}</guid>' if guid else "",
        f"<pubDate>{escape(date)}</pubDate>" if date else "",
        f"<dc:creator>{escape(author)}</dc:creator>" if author else "",
        *(f"<category>{escape(category)}</category>" for category in categories),
        f"<description>{escape(description)}</description>" if description else "",
        f"<content:encoded>{escape(content)}</content:encoded>" if content else "",
        f'<media:content url={quoteattr(image)} medium="image"/>' if image else "",
        extra,
    ]
    return "<item>" + "".join(parts) + "</item>"


def rss(*items: str, title: str = "Example News", link: str = "https://news.example.org/", extra: str = "") -> str:
    """An RSS 2.0 document of such items; `extra` is more XML for the channel."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
        ' xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:atom="http://www.w3.org/2005/Atom">'
        f"<channel><title>{escape(title)}</title><link>{escape(link)}</link>"
        f"<language>en</language>{extra}{''.join(items)}</channel></rss>"
    )
