"""The mails of a sign-up keep the promises of every mail, in each language that we speak."""

from __future__ import annotations

import pytest

from tests.mail import test_content as content
from tests.mail import test_message as message
from tests.support.demo_mail import Mail, Received
from tests.support.house import house
from tests.support.signups import deliver, pages, sign_up

LANGUAGES = ("en", "fr", "es", "ar")


@pytest.fixture(scope="module")
def of_sign_ups(tmp_path_factory: pytest.TempPathFactory) -> Received:
    """A confirmation and a word that one is subscribed already, in every language."""
    changes = {"publication": {"public_url": "https://roundup.example.org"}}
    with house(tmp_path_factory.mktemp("house"), changes=changes) as h, pages(h.app) as http:
        h.subscribe(*((f"known-{language}@example.org", ()) for language in LANGUAGES))
        for language in LANGUAGES:
            sign_up(h, http, f"new-{language}@example.org", lang=language)
            sign_up(h, http, f"known-{language}@example.org", lang=language)
        deliver(h)
        assert len(h.sink.received) == 8
        return Received((), tuple(Mail(one.recipient, one.data) for one in h.sink.received))


@pytest.mark.parametrize(
    "promise",
    [
        content.test_it_is_not_clipped, content.test_style_sheets_are_small, content.test_subject_and_preheader,
        content.test_the_text_has_it_all, content.test_the_text_is_laid_out, message.test_each_header_once,
        message.test_lines_are_short_and_seven_bit,
        message.test_nothing_unseen_in_from_and_subject, message.test_text_then_html,
    ],
    ids=lambda promise: promise.__name__,
)  # fmt: skip
def test_they_keep_the_promises_of_every_mail(of_sign_ups: Received, promise: object) -> None:
    """What holds for a digest and a word to staff, as bytes and as text, holds for these."""
    assert callable(promise)
    promise(of_sign_ups)


@pytest.mark.parametrize("language", LANGUAGES)
def test_they_speak_the_language_of_the_page(of_sign_ups: Received, language: str) -> None:
    """Header, document and words are in the language in which the form was sent."""
    for kind in ("new", "known"):
        (mail,) = [one for one in of_sign_ups.staff if one.name == f"{kind}-{language}@example.org"]
        assert mail.message["Content-Language"] == language
        assert f'<html lang="{language}"' in mail.html
        assert ("Somebody, most likely you" in mail.text) == (language == "en")
