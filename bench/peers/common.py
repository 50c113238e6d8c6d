"""What the Python peers share: their task from the command line, the personalised mail, and how they are measured.

The task is JSON: host, port, count, connections, subject, sender, html, text and the personal places of each reader,
as `{name}` in both texts."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Task:
    """What is to be sent, and over how many connections."""

    port: int
    count: int
    connections: int
    subject: str
    sender: str
    html: str
    text: str
    places: dict[str, str]

    def recipient(self, number: int) -> str:
        return f"reader{number:07d}@example.org"

    def texts(self, number: int) -> tuple[str, str]:
        """Text and HTML of one reader."""
        text, html = self.text, self.html
        for place, value in self.places.items():
            personal = f"{value}{number:07d}"
            text, html = text.replace(place, personal), html.replace(place, personal)
        return text, html

    def message(self, number: int) -> EmailMessage:
        """The whole mail as the standard library makes it."""
        text, html = self.texts(number)
        made = EmailMessage()
        made["From"], made["To"], made["Subject"] = self.sender, self.recipient(number), self.subject
        made["Date"], made["Message-ID"] = formatdate(), make_msgid(domain="news.example.org")
        unsubscribe = f"https://roundup.example.org/u/{number:07d}"
        made["List-Unsubscribe"] = f"<{unsubscribe}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        made.set_content(text)
        made.add_alternative(html, subtype="html")
        return made


def task() -> Task:
    values: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    return Task(**values)


class Stopwatch:
    """Time and CPU from now on; start-up and imports are not counted."""

    def __init__(self) -> None:
        self._time, self._cpu = time.perf_counter(), time.process_time()

    def report(self) -> None:
        print(json.dumps({"seconds": time.perf_counter() - self._time, "cpu": time.process_time() - self._cpu}))
