"""The sentences that somebody agrees to: what a page shows beside its button, and what the consent record keeps."""

from __future__ import annotations

from starlette.requests import Request

from digest.web.limits import client
from digest.web.phrases import phrases
from digest.web.sentences import SIGNUP
from digest.web.signup_services import SignUpServices
from digest.web.site import Site


def asking(site: Site, language: str) -> tuple[str, str]:
    """The sentence above the button of the form, and the words on the button."""
    return _said(site, language, "asking")


def confirming(site: Site, language: str) -> tuple[str, str]:
    """The same on the page that the mail leads to."""
    return _said(site, language, "confirming")


def _said(site: Site, language: str, what: str) -> tuple[str, str]:
    say = phrases(language).gettext
    sentence, button = SIGNUP[what]
    return say(sentence) % {"publication": site.services.publication.name}, say(button)


def evidence(request: Request, services: SignUpServices, wording: tuple[str, str]) -> dict[str, str]:
    """Who pressed the button, and what it said."""
    sentence, button = wording
    return {
        "ip": str(client(request, services.proxies) or ""),
        "user_agent": request.headers.get("user-agent", "")[:400],
        "wording": f"{sentence} [{button}]",
    }
