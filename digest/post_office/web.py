"""All that is reached over the web, joined: the readers' pages and whatever else has an address of ours."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette

from digest.app import App
from digest.post_office.reader_pages import web_services
from digest.web.app import create_app


def web_app(current: Callable[[], App]) -> Starlette:
    """The web application over whatever `current` says is the application: a changed configuration shows at once.

    A subject with services of its own joins in one line: `partial(signup.routes, services=sign_ups(current))`."""
    return create_app(web_services(current))
