"""The words to staff: one page each, complete in both parts, in every language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from digest.rendering.environment import TemplateError, Templates
from digest.rendering.model import Design, Rendition
from digest.rendering.render import render_mail
from tests.support.renditions import DAY, publication

MOMENT = datetime(2013, 11, 29, 14, tzinfo=UTC)
SECTIONS = [{"title": "Africa", "articles": [{"title": "After the Ceasefire", "link": "https://review.example.org/1"}]}]
BOOKS = {"candidates": 120, "sent": 111, "excluded": 4, "failed": 2, "uncertain": 3, "pending": 0}
MAILS: dict[str, dict[str, Any]] = {
    "staff-draft": {
        "day": DAY, "edition_subject": "A Friend at the Table", "needs_approval": True, "waiting": 2,
        "send_at": MOMENT, "command": "digest approve 2013-11-29", "sections": SECTIONS,
        "link": "http://127.0.0.1:8000/newsroom",
    },
    "staff-held": {"day": DAY, "reasons": ["Two articles; three are needed."], "command": "digest show 2013-11-29"},
    "staff-feed": {
        "feeds": [
            {"title": "Sahel Notes", "url": "https://sahel.example.org/feed", "reason": "answers 500", "since": MOMENT},
            {"title": "", "url": "https://asia.example.org/feed", "reason": "no feed but a web page", "since": None},
        ]
    },
    "staff-sent": {"day": DAY, "edition_subject": "A Friend at the Table", "books": BOOKS, "sections": SECTIONS},
    "staff-missed": {"day": DAY, "due": MOMENT, "reason": "Nobody approved it.", "command": "digest send --now"},
    "staff-notice": {"title": "The relay refuses us", "paragraphs": ["550 blocked.", "Nothing is lost."]},
}  # fmt: skip


def made(name: str, language: str = "en") -> Rendition:
    return render_mail(name, MAILS[name], publication=publication(language), design=Design(), templates=Templates())


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar"])
@pytest.mark.parametrize("name", list(MAILS))
def test_every_mail_in_every_language(name: str, language: str) -> None:
    """Each mail has a subject, a preheader and both parts, and says whom it is for."""
    mail = made(name, language)
    assert 5 < len(mail.subject) <= 70
    assert 40 <= len(mail.preheader) <= 140
    assert publication().name in " ".join(mail.text.split())
    assert f'lang="{language}"' in mail.html
    assert len(mail.html) < 20_000


def test_the_draft_says_how_to_approve() -> None:
    """The link, the command, the moment in the publication's zone, and what is in it."""
    mail = made("staff-draft")
    for part in (mail.html, mail.text):
        for words in ("http://127.0.0.1:8000/newsroom", "digest approve 2013-11-29", "9:00", "After the Ceasefire"):
            assert words in part


def test_sent_has_the_books() -> None:
    """Each number of the books stands beside its word."""
    mail = made("staff-sent")
    for label, number in (("Readers counted", 120), ("Sent", 111), ("Excluded", 4), ("Failed", 2), ("Uncertain", 3)):
        assert f"{label}: {number}\n" in mail.text
        assert f">{number}</td>" in mail.html


def test_a_broken_feed_is_named() -> None:
    """Every broken feed is there with its reason and its address; one without a title by its address."""
    mail = made("staff-feed")
    assert "2 feeds are broken" in mail.subject
    for part in (mail.html, mail.text):
        for words in ("Sahel Notes", "answers 500", "https://asia.example.org/feed", "no feed but a web page"):
            assert words in part


def test_an_unknown_mail_is_a_clear_error() -> None:
    """A mail without templates names what is missing."""
    with pytest.raises(TemplateError, match=r"email/none/subject\.txt"):
        render_mail("none", {}, publication=publication(), design=Design(), templates=Templates())
