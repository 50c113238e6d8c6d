"""The demo in the browser: the preview, and every mail with its headers, its HTML and its text side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from digest.demo.server import photo
from digest.rendering.environment import Templates, environment, fill

BOXES = {"inbox": "The inbox", "staff": "Mail to staff"}
"""The folders of mails, and what they are called."""
SHOWN = ("From", "To", "Reply-To", "Subject", "Date")
_TYPES = {".html": "text/html; charset=utf-8", ".txt": "text/plain; charset=utf-8", ".jpg": "image/jpeg"}
# The mail is shown as it is, and runs and fetches nothing but the bundled photos.
_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-src 'self'"


def with_local_photos(html: str, base: str) -> str:
    """The mail's photos live on the publication's site: the bundled ones, under `base`, take their place."""
    return re.sub(r'https://[^"\s]+/photos/([\w-]+\.jpg)', rf"{base}\1", html)


@dataclass(frozen=True, slots=True)
class Browser:
    """The pages over the folder of a demo. `answer(path)` gives content type and bytes, or None for what is not there.

    `/`: every mail; `/mail/BOX/NAME`: one; `/mail/BOX/NAME/html`: its HTML part alone; `/BOX/NAME`: its bytes;
    `/preview/…`: the preview; `/photos/…`: the bundled photos."""

    folder: Path

    def answer(self, path: str) -> tuple[str, bytes] | None:
        parts = [unquote(part) for part in urlsplit(path).path.split("/") if part]
        if any(part.startswith(".") or "/" in part or "\0" in part for part in parts):
            return None
        match parts:
            case []:
                return _page("inbox", boxes=[self._box(box) for box in BOXES])
            case ["photos", name]:
                body = photo(name)
                return ("image/jpeg", body) if body else None
            case ["preview"]:
                return self._file(Path("preview/index.html"))
            case ["preview", *_]:
                return self._file(Path(*parts))
            case [box, _] if box in BOXES:
                return self._file(Path(*parts))
            case ["mail", box, name] if box in BOXES:
                return self._mail(box, name)
            case ["mail", box, name, "html"] if box in BOXES:
                message = self._message(box, name)
                html = _part(message, "html") if message else ""
                return (_TYPES[".html"], with_local_photos(html, "/photos/").encode()) if html else None
        return None

    def _box(self, box: str) -> dict[str, Any]:
        mails = []
        for file in self._files(box):
            with file.open("rb") as source:
                headers = BytesHeaderParser(policy=default).parse(source)
            mails.append(
                {
                    "page": f"/mail/{box}/{quote(file.name)}",
                    "to": str(headers["To"]),
                    "subject": str(headers["Subject"]),
                    "size": file.stat().st_size,
                }
            )
        return {"title": BOXES[box], "mails": mails}

    def _mail(self, box: str, name: str) -> tuple[str, bytes] | None:
        message = self._message(box, name)
        if message is None:
            return None
        names = [file.name for file in self._files(box)]
        here = names.index(name)
        pages = [f"/mail/{box}/{quote(other)}" for other in names]
        headers = [(key, str(value)) for key, value in message.items()]
        return _page(
            "mail",
            subject=str(message["Subject"]),
            main=[(key, str(message[key])) for key in SHOWN if message[key]],
            rest=[(key, value) for key, value in headers if key not in SHOWN],
            source=f"/{box}/{quote(name)}",
            html=f"/mail/{box}/{quote(name)}/html",
            text=_part(message, "plain"),
            place=f"{here + 1} of {len(names)}",
            before=pages[here - 1] if here else "",
            after=pages[here + 1] if here + 1 < len(pages) else "",
        )

    def _message(self, box: str, name: str) -> EmailMessage | None:
        file = self.folder / box / name
        return BytesParser(EmailMessage, policy=default).parsebytes(file.read_bytes()) if file.is_file() else None

    def _files(self, box: str) -> Iterable[Path]:
        return sorted((self.folder / box).glob("*.eml"))

    def _file(self, path: Path) -> tuple[str, bytes] | None:
        file = self.folder / path
        return (_TYPES.get(file.suffix, "text/plain; charset=utf-8"), file.read_bytes()) if file.is_file() else None


def handler(browser: Browser) -> type[BaseHTTPRequestHandler]:
    """The handler of an HTTP server that shows these pages, and says nothing on the terminal."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = browser.answer(self.path)
            kind, body = answer or ("text/plain; charset=utf-8", b"There is nothing here.\n")
            self.send_response(200 if answer else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", _POLICY)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base names it
            """Say nothing: the terminal is for the summary."""

    return Handler


def _page(name: str, **context: Any) -> tuple[str, bytes]:
    html = fill(environment(Templates(), "en", "UTC"), f"web/{name}.html", context)
    return _TYPES[".html"], html.encode()


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
