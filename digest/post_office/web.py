"""All that is reached over the web, joined: the readers' pages and whatever else has an address of ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.applications import Starlette

from digest.app import App
from digest.post_office.api import api_services
from digest.post_office.hooks import hooks as hook_services
from digest.post_office.reader_pages import web_services
from digest.post_office.signup_pages import sign_ups
from digest.web import api, confirm, hooks, signup
from digest.web.app import create_app


def web_app(current: Callable[[], App], ring: Callable[[], None] = lambda: None) -> Starlette:
    """The web application over whatever `current` says is the application: a changed configuration shows at once.

    `ring` is called when somebody has signed up, or confirmed: mail waits. A subject with services of its own joins in
    one line."""
    services = sign_ups(current, ring)
    return create_app(
        web_services(current, ring),
        partial(signup.routes, services=services),
        partial(confirm.routes, services=services),
        partial(api.routes, services=api_services(current, ring)),
        partial(hooks.routes, services=hook_services(current)),
    )
