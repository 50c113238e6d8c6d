"""Whether pages still stand where they were: HEAD, and GET where that is refused; nothing of them is read."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx2

from digest.feeds.errors import FetchError
from digest.feeds.fetch import MAX_REDIRECTS, check_scheme, guarded_client

GONE = (404, 410)
_NO_HEAD = (405, 501)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a page: `gone` is 404 or 410; `moved_to` where it is for good, on the same site. Neither: as it
    was, or nobody can tell."""

    gone: int | None = None
    moved_to: str = ""

    @property
    def news(self) -> bool:
        return self.gone is not None or self.moved_to != ""


AS_IT_WAS = Found()


class Probe:
    """Looks at pages side by side until `deadline` seconds after it was made; what is not known by then is as it was.

    `timeout` bounds each step, in seconds; a host that cannot be reached is left in peace. News is believed when a
    second look, by GET and `pause` seconds later, says the same: a site that is being changed is not a site without
    articles."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        contact: str = "",
        timeout: float = 5,
        deadline: float = 20,
        pause: float = 2,
        workers: int = 6,
    ) -> None:
        self._client = guarded_client(
            {"Accept": "*/*"}, allow_private=allow_private, timeout=timeout, deadline=deadline, contact=contact
        )
        self._silent: set[str] = set()
        self._workers = workers
        self._pause = pause

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def look(self, urls: Iterable[str]) -> dict[str, Found]:
        """What became of each page, where there is news of it."""
        first = self._each("HEAD", dict.fromkeys(urls))
        if not first:
            return {}
        time.sleep(self._pause)
        second = self._each("GET", first)
        return {url: found for url, found in first.items() if second.get(url) == found}

    def _each(self, method: str, urls: Iterable[str]) -> dict[str, Found]:
        with ThreadPoolExecutor(max_workers=self._workers, thread_name_prefix="probe") as pool:
            asked = [(url, pool.submit(self._one, method, url)) for url in urls]
        return {url: future.result() for url, future in asked if future.result().news}

    def _one(self, method: str, url: str) -> Found:
        if _host(url) in self._silent:
            return AS_IT_WAS
        try:
            return self._follow(method, url)
        except (httpx2.ConnectError, httpx2.TimeoutException):
            self._silent.add(_host(url))
        except (FetchError, httpx2.HTTPError, httpx2.InvalidURL, UnicodeError):
            pass  # no answer says nothing about the page
        return AS_IT_WAS

    def _follow(self, method: str, url: str) -> Found:
        at, seen = url, {url}
        while True:
            check_scheme(at)
            with self._client.stream(method, at) as response:
                status = response.status_code
                if not response.has_redirect_location:
                    break
                to = str(response.url.join(response.headers["location"].strip()).copy_with(fragment=None))
            if status not in (301, 308) or to in seen or len(seen) > MAX_REDIRECTS or not same_site(url, to):
                return AS_IT_WAS
            seen.add(to)
            at = to
        if status in _NO_HEAD and method == "HEAD":
            return self._follow("GET", url)
        if status in GONE:
            return Found(gone=status)
        return Found(moved_to=at) if at != url and 200 <= status < 300 else AS_IT_WAS


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # a port or an IPv6 address that is none
        return ""


def same_site(one: str, other: str) -> bool:
    """Whether two addresses are of one host, "www." and the port aside."""
    return _host(one) == _host(other) != ""
