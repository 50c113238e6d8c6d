"""The HTTP API over a house of its own, on a real server, with a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
from starlette.applications import Starlette

from digest.post_office import api_keys
from digest.post_office.api import api_services
from digest.post_office.reader_pages import web_services
from digest.web import api
from digest.web.app import create_app
from digest.web.serve import start
from tests.support.house import House, house


@dataclass
class ApiHouse:
    """A house whose API answers at `http`, with a key already in its headers."""

    house: House
    http: httpx2.Client
    web: Starlette
    key_id: str
    secret: str

    def post(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        return self.http.post(f"/api/v1/subscribers{path}", json=body, headers=headers)


@contextmanager
def api_house(folder: Path, *, often: str = "100000/minute", database_url: str | None = None) -> Iterator[ApiHouse]:
    with house(folder, database_url=database_url) as home:
        app = home.app
        key, secret = api_keys.add(app, "the tests")
        web = create_app(
            web_services(lambda: app), partial(api.routes, services=api_services(lambda: app), often=often)
        )
        server = start(web, "127.0.0.1", 0)
        try:
            headers = {"Authorization": f"Bearer {secret}"}
            with httpx2.Client(base_url=server.url, trust_env=False, timeout=20, headers=headers) as http:
                yield ApiHouse(home, http, web, key.id, secret)
        finally:
            server.stop()
