"""What every page is made with: the services, the templates, the reader of a token, where a form came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from digest.web import languages
from digest.web.guard import from_elsewhere
from digest.web.pages import Pages
from digest.web.sentences import SENTENCES
from digest.web.services import Purpose, ReaderView, WebServices


class Site:
    """The pages of one application; it keeps nothing between requests but compiled templates."""

    def __init__(self, services: WebServices) -> None:
        self.services = services
        self.pages = Pages(services)

    @property
    def base(self) -> str:
        """The path below which readers reach us: "" or `/roundup`."""
        return self.pages.base

    def language(self, request: Request, reader: str = "") -> str:
        """What this page speaks: the reader's choice, `?lang=`, the browser's wish, the publication's."""
        return languages.choose(
            self.services.publication.language,
            reader=reader,
            asked=request.query_params.get("lang", ""),
            accepted=request.headers.get("accept-language", ""),
        )

    def page(self, request: Request, name: str, status: int = 200, *, language: str = "", **context: Any) -> Response:
        """The page `web/<name>.html`, in the language of this request, or of a reader who has chosen one."""
        spoken = self.language(request, language)
        asked = languages.match(request.query_params.get("lang", ""), self.services.publication.language)
        kept = {"tongue": f"?lang={asked}" if asked else "", **context}
        return self.pages.html(name, status, language=spoken, **kept)

    def reader_page(self, request: Request, name: str, view: ReaderView, status: int = 200, **context: Any) -> Response:
        """A page about one reader, who is `reader` in the template; their region choice is `regions`."""
        return self.pages.reader(name, view, status, language=self.language(request, view.language), **context)

    def message(self, request: Request, status: int, title: str = "", text: str = "") -> Response:
        """A page that only says something; both sentences are message ids, by default those of the status."""
        usual = SENTENCES.get(status, SENTENCES[400])
        return self.pages.message(status, title or usual[0], text or usual[1], language=self.language(request))

    def reader(self, request: Request, purpose: Purpose) -> ReaderView:
        """The reader of `{token}` in the path. One 404 for a forged token, a malformed one, one of another purpose, and
        a reader who was erased."""
        view = self.services.reader(request.path_params["token"], purpose)
        if view is None:
            raise HTTPException(404)
        return view

    def refuse_elsewhere(self, request: Request) -> None:
        """Raises HTTPException 403 where a browser says that another site posted this."""
        headers = request.headers
        if from_elsewhere(headers.get("origin"), headers.get("sec-fetch-site"), self.services.publication.public_url):
            raise HTTPException(403)


Part = Callable[[Site], Sequence[BaseRoute]]
"""A subject of the pages: it is handed the site and returns its routes."""
