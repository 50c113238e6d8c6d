"""Sites whose feeds have pages: WordPress with `?paged=`, and RFC 5005 links, over the tests' HTTP server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from tests.support.feed_server import FeedServer, rss, send


@dataclass
class PagedSite:
    """A feed of `size` items a page, the newest first, at `path`. `asked` are the pages that were asked for.

    `fails` maps a page's number to the status that it is answered with."""

    server: FeedServer
    path: str = "/feed/"
    style: Literal["wordpress", "next", "prev-archive"] = "wordpress"
    size: int = 10
    posts: list[str] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    fails: dict[int, int] = field(default_factory=dict)
    link: Callable[[int], str] | None = None

    def __post_init__(self) -> None:
        self.server.handlers[self.path] = self._answer

    def publish(self, *posts: str) -> None:
        """New posts, the first of them on top."""
        self.posts[:0] = posts

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        number = int(parse_qs(urlsplit(request.path).query).get("paged", ["1"])[0])
        self.asked.append(number)
        posts = self.posts[(number - 1) * self.size : number * self.size]
        if number in self.fails:
            send(request, self.fails[number], b"", {})
        elif not posts and number > 1:
            send(request, 404, b"<html><title>Page not found</title></html>", {"Content-Type": "text/html"})
        else:
            body = rss(*posts, title="The Observatory", extra=self._channel(number)).encode()
            send(request, 200, body, {"Content-Type": "application/rss+xml; charset=utf-8"})

    def _channel(self, number: int) -> str:
        if self.style == "wordpress":
            return "<generator>https://wordpress.org/?v=6.8.1</generator>"
        if number * self.size >= len(self.posts) and self.link is None:
            return ""
        address = self.link(number) if self.link else f"{self.path}?paged={number + 1}"
        return f'<atom:link rel="{self.style}" href="{address}"/>'
