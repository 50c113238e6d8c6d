"""Signing up in tests: the form as a browser sends it, the mail as its reader opens it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import httpx2

from digest.app import App
from digest.post_office import sending, signups
from digest.post_office.web import web_app
from digest.web.serve import start
from tests.support.house import House
from tests.support.stories import Read, mails

FILLED = timedelta(seconds=20)
"""How long a person takes to fill the form."""


@contextmanager
def pages(app: App) -> Iterator[httpx2.Client]:
    """The whole web application over real HTTP."""
    server = start(web_app(lambda: app), "127.0.0.1", 0)
    try:
        with httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as client:
            yield client
    finally:
        server.stop()


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return dict(found)


def sign_up(
    h: House, http: httpx2.Client, address: str, regions: Sequence[str] = (), *, path: str = "/", lang: str = ""
) -> httpx2.Response:
    """Open the page, fill the form, wait as a person does, press the button."""
    page = http.get(path + (f"?lang={lang}" if lang else "")).text
    h.clock.now += FILLED
    data = {**fields(page), "email": address, "message": "", "region": list(regions)}
    return http.post(re.search(r'<form method="post" action="([^"]+)"', page)[1], data=data)  # type: ignore[index]


def deliver(h: House) -> signups.Answered:
    """Answer the wishes, and deliver what is due."""
    answered = signups.answer_waiting(h.app)
    sending.deliver(h.app)
    return answered


def mails_to(h: House, address: str) -> list[Read]:
    return [mail for mail in mails(h) if mail.recipient == address]


def confirm_path(mail: Read) -> str:
    """The path of the page that a confirmation leads to."""
    found = re.search(r"https://[^/\s]+(/confirm/[\w-]+)", mail.text)
    assert found is not None, mail.text
    return found[1]
