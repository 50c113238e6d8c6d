"""The demo's web site: the feeds, the calendar and the photos over real HTTP, as they were at any moment."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from urllib.parse import parse_qs, urlsplit

from digest.demo.content import partners
from digest.demo.feeds import MAIN, atom, calendar, rss

_PHOTOS = resources.files("digest.demo") / "photos"


class Server:
    """A running server. `now` is the anchor of all dates; `set_now` turns the feeds' clock back or forth."""

    def __init__(self, now: datetime, port: int) -> None:
        self.anchor = now
        self.at = now
        self.url = f"http://127.0.0.1:{port}"

    def set_now(self, moment: datetime) -> None:
        """From now on the feeds are as they were at that moment."""
        self.at = moment

    def feeds(self) -> list[dict[str, str]]:
        """The `[[feeds]]` tables for a configuration: the publication's two, and the partners'."""
        own = [
            {"url": f"{self.url}/feed/", "role": "articles"},
            {"url": f"{self.url}/feed/interviews/", "role": "articles"},
        ]
        return own + [
            {"url": f"{self.url}/reading/{p.name}.xml", "role": "reading", "title": p.title}
            for p in partners(self.anchor)
        ]

    @property
    def calendar_url(self) -> str:
        return f"{self.url}/events.ics"

    def document(self, path: str, at: datetime | None = None) -> tuple[str, bytes] | None:
        """The content type and the bytes at that path, or None where there is nothing."""
        at = at or self.at
        if path == "/feed/":
            return "application/rss+xml; charset=UTF-8", rss(MAIN, self.anchor, at=at)
        if path == "/feed/interviews/":
            return "application/rss+xml; charset=UTF-8", rss("interviews", self.anchor, at=at)
        if path == "/events.ics":
            return "text/calendar; charset=UTF-8", calendar(self.anchor)
        folder, _, name = path.removeprefix("/").partition("/")
        if folder == "reading" and name.removesuffix(".xml") in {p.name for p in partners(self.anchor)}:
            return "application/atom+xml; charset=UTF-8", atom(name.removesuffix(".xml"), self.anchor, at=at)
        if folder == "photos" and (body := photo(name)):
            return "image/jpeg", body
        return None


def photo(name: str) -> bytes | None:
    """The bytes of a bundled photo, by its file name; None where there is none."""
    file = _PHOTOS / name
    if "/" in name or not name.endswith(".jpg") or not file.is_file():
        return None
    return file.read_bytes()


@contextmanager
def serve(now: datetime) -> Iterator[Server]:
    """Serve on a free port of the loopback until the block ends. `now` is aware, in UTC.

    Every answer has an ETag, and a request that names it gets 304. `?at=2026-11-20T09:00:00Z` asks for
    another moment."""
    listener = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    listener.daemon_threads = True
    site = Server(now, listener.server_address[1])
    listener.site = site  # type: ignore[attr-defined]
    thread = threading.Thread(
        target=listener.serve_forever, kwargs={"poll_interval": 0.05}, name="demo-site", daemon=True
    )
    thread.start()
    try:
        yield site
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_version = "DemoSite"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        site: Server = self.server.site  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        asked = parse_qs(parts.query).get("at")
        try:
            at = datetime.fromisoformat(asked[0]) if asked else None
            found = site.document(parts.path, at)
        except (ValueError, TypeError):  # no date, or one without its zone
            found = None
        if found is None:
            self._send(HTTPStatus.NOT_FOUND, "text/plain; charset=UTF-8", b"there is nothing here\n", "", with_body)
            return
        kind, body = found
        etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        if self.headers.get("If-None-Match") == etag:
            self._send(HTTPStatus.NOT_MODIFIED, kind, b"", etag, with_body)
            return
        self._send(HTTPStatus.OK, kind, body, etag, with_body)

    def _send(self, status: HTTPStatus, kind: str, body: bytes, etag: str, with_body: bool) -> None:
        self.send_response(status)
        if etag:
            self.send_header("ETag", etag)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Nothing: the demo speaks for itself."""
