"""A correction goes to those who have the faulty mail, and to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from digest.editions.amend import Amendments
from digest.errors import RefusedError, UsageError
from digest.newsroom import editing
from digest.post_office import correcting, pausing, sending, settling
from digest.post_office.books import status_of
from digest.post_office.web import web_app
from subscribers import store as subscribers
from subscribers import tokens
from tests.support.house import House, house
from tests.support.smtp import DROP, Fault
from tests.support.stories import EDITION, MINUTE, books, mails, row, words_to_staff

KEY = f"{EDITION}#correction-1"


def _sent(h: House) -> str:
    """An edition that has gone to readers of Africa, of Asia and of everything; the id of its article on Asia."""
    h.subscribe(
        ("all@example.org", ()),
        ("africa@example.org", ("africa",)),
        ("asia@example.org", ("asia",)),
        ("left@example.org", ("asia",)),
        ("gone@example.org", ("asia",)),
        ("doubt@example.org", ("asia",)),
    )
    h.sink.faults = {
        "gone@example.org": Fault("rcpt", "550 5.1.1 no such user"),
        "doubt@example.org": Fault("lost", DROP, times=1),
    }
    h.publish(*(h.article(n) for n in range(3)), *(h.article(n, region="asia") for n in range(3, 6)))
    h.ready()
    h.send()
    (asia,) = [s for s in row(h).edition.sections if s.slug == "asia"]
    return asia.articles[0].article.id


def _leave(h: House, address: str) -> None:
    with h.app.database.read() as connection:
        found = subscribers.find(connection, address)
    assert found is not None
    token = tokens.make(h.app.keys, "unsubscribe", found.id)
    assert _pages(h).post(f"/u/{token}").status_code == 200


def _pages(h: House) -> TestClient:
    return TestClient(web_app(lambda: h.app), base_url="https://roundup.example.org")


def _corrections(h: House) -> dict[str, str]:
    """Each reader's correction, by its subject; a second one for anybody is an error."""
    found: dict[str, str] = {}
    for mail in mails(h):
        if "Correction:" in mail.subject:
            assert mail.recipient not in found
            found[mail.recipient] = mail.subject
    return found


def _draft(h: House, article: str) -> None:
    changes = Amendments(titles={article: "What really happened in Asia"})
    correcting.draft(h.app, EDITION, changes, reason="The headline named the wrong country.", by="Ada")


def test_only_those_whose_mail_was_faulty_get_it(tmp_path: Path, database_url: str) -> None:
    """Whoever has, or may have, a faulty mail gets the corrected one; who has a right one, bounced or left, none."""
    with house(tmp_path, database_url=database_url) as h:
        article = _sent(h)
        before = books(h)
        _draft(h, article)
        _, whom = correcting.reach(h.app, EDITION)
        assert (whom.total, whom.unchanged, whom.empty) == (4, 1, 0)
        _leave(h, "left@example.org")
        correcting.approve(h.app, EDITION)
        report = correcting.send(h.app, EDITION)
        assert report.finished, report
        assert set(_corrections(h)) == {"all@example.org", "asia@example.org", "doubt@example.org"}
        assert books(h) == before
        status = status_of(h.app, KEY)
        assert status.as_json() == {
            "edition": KEY, "state": "sent", "candidates": 4, "sent": 3, "excluded": 1, "failed": 0, "uncertain": 0,
            "pending": 0,
        }  # fmt: skip
        assert row(h).state == "sent"
        told = next(mail for mail in mails(h) if mail.recipient == "asia@example.org" and "Correction:" in mail.subject)
        assert "Correction: The headline named the wrong country." in told.text
        assert "What really happened in Asia" in told.text


def test_again_is_harmless(tmp_path: Path) -> None:
    """A second `--send` sends nothing to anybody who has the correction."""
    with house(tmp_path) as h:
        _draft(h, _sent(h))
        correcting.approve(h.app, EDITION)
        for _ in range(3):
            correcting.send(h.app, EDITION)
        assert len(_corrections(h)) == 4


def test_it_needs_an_approval_of_exactly_this(tmp_path: Path) -> None:
    """Nothing goes without a person's word, and a change after it takes the word back."""
    with house(tmp_path) as h:
        article = _sent(h)
        _draft(h, article)
        with pytest.raises(RefusedError, match="is not approved"):
            correcting.send(h.app, EDITION)
        correcting.approve(h.app, EDITION)
        correcting.draft(h.app, EDITION, Amendments(introduction="Other words."), reason="", by="Bo")
        with pytest.raises(RefusedError, match="is not approved"):
            correcting.send(h.app, EDITION)
        assert _corrections(h) == {}


def test_what_changes_nothing_goes_to_nobody(tmp_path: Path) -> None:
    """A correction that leaves every mail as it was is refused, and can be mended."""
    with house(tmp_path) as h:
        article = _sent(h)
        title = next(p.article.title for p in row(h).edition.articles if p.article.id == article)
        correcting.draft(h.app, EDITION, Amendments(titles={article: title}), reason="Nothing.", by="Ada")
        correcting.approve(h.app, EDITION)
        with pytest.raises(RefusedError, match="changes nothing"):
            correcting.send(h.app, EDITION)
        assert row(h).state == "sent"
        with pytest.raises(UsageError, match="--drop"):
            correcting.draft(h.app, EDITION, Amendments(), reason="", by="Ada")


def test_the_archive_shows_it(tmp_path: Path) -> None:
    """The page of the edition says what was wrong and shows what is right, for a choice that nobody made as well."""
    with house(tmp_path) as h:
        _draft(h, _sent(h))
        pages = _pages(h)
        before = {path: pages.get(path).text for path in (f"/e/{EDITION}", f"/e/{EDITION}?regions=africa")}
        assert "wrong country" not in before[f"/e/{EDITION}"]
        correcting.approve(h.app, EDITION)
        correcting.send(h.app, EDITION)
        for path in (f"/e/{EDITION}", f"/e/{EDITION}?regions=asia", f"/e/{EDITION}?regions=asia,europe"):
            page = pages.get(path).text
            assert "Correction: The headline named the wrong country." in page, path
            assert "What really happened in Asia" in page
        assert pages.get(f"/e/{EDITION}?regions=africa").text == before[f"/e/{EDITION}?regions=africa"]


def test_it_is_called_one_once(tmp_path: Path) -> None:
    """Staff may begin the reason with the word themselves: readers see it once."""
    with house(tmp_path) as h:
        changes = Amendments(titles={_sent(h): "What really happened in Asia"})
        correcting.draft(h.app, EDITION, changes, reason="Correction: it was another country.", by="Ada")
        _, made = correcting.preview_of(h.app, EDITION)
        assert made.text.count("Correction: it was another country.") == made.text.count("Correction:") == 1


def test_a_second_correction_is_of_the_first(tmp_path: Path) -> None:
    """It goes to those whose mail is another by it: the first correction, or the edition where that was right."""
    with house(tmp_path) as h:
        _draft(h, _sent(h))
        correcting.approve(h.app, EDITION)
        correcting.send(h.app, EDITION)
        number = len(mails(h))
        africa = next(s for s in row(h).edition.sections if s.slug == "africa").articles[0].article.id
        correcting.draft(h.app, EDITION, Amendments(drop=(africa,)), reason="It was not true.", by="Ada")
        _, whom = correcting.reach(h.app, EDITION)
        assert whom.total == 2
        correcting.approve(h.app, EDITION)
        assert correcting.send(h.app, EDITION).slug == f"{EDITION}#correction-2"
        again = [mail for mail in mails(h)[number:] if "Correction:" in mail.subject]
        assert {mail.recipient for mail in again} == {"all@example.org", "africa@example.org"}
        whole = next(mail for mail in again if mail.recipient == "all@example.org")
        assert "What really happened in Asia" in whole.text


def test_it_can_be_paused_and_goes_on(tmp_path: Path) -> None:
    """`hold` while a correction goes out keeps the rest back, `resume` lets it go: everyone once."""
    with house(tmp_path) as h:
        _draft(h, _sent(h))
        correcting.approve(h.app, EDITION)
        h.sink.faults = {"asia@example.org": Fault("rcpt", "451 4.7.1 later", times=1)}
        report = correcting.send(h.app, EDITION)
        assert (report.state, report.deferred) == ("sending", 1)
        editing.hold(h.app, EDITION, by="Bo")
        h.clock.now += 60 * MINUTE
        sending.deliver(h.app)
        assert "asia@example.org" not in _corrections(h)
        pausing.resume(h.app, EDITION)
        assert correcting.send(h.app, EDITION).finished
        assert "asia@example.org" in _corrections(h)
        assert row(h).state == "sent"


def test_a_send_of_the_edition_ends_a_correction_that_was_cut_short(tmp_path: Path) -> None:
    """After the process that sent a correction died, `send` pauses the edition where the relay refuses, or ends it."""
    with house(tmp_path) as h:
        _draft(h, _sent(h))
        correcting.start(h.app, row(h), correcting.approve(h.app, EDITION))
        h.sink.faults = {"*": Fault("mail", "550 5.7.1 not from you")}
        assert sending.send(h.app, EDITION).state == "paused"
        assert row(h).state == "paused"
        h.sink.faults = {}
        pausing.resume(h.app, EDITION)
        assert sending.send(h.app, EDITION).state == "sent"
        assert row(h).state == "sent"
        assert len(_corrections(h)) == 4


def test_what_stays_in_doubt_is_named_as_reconcile_takes_it(tmp_path: Path) -> None:
    """The command that the report of a correction names is one that can be typed."""
    with house(tmp_path) as h:
        _draft(h, _sent(h))
        correcting.approve(h.app, EDITION)
        h.sink.faults = {"asia@example.org": Fault("lost", DROP, times=1)}
        said = correcting.send(h.app, EDITION).sentence(h.app.zone)
        assert f"(see `digest reconcile {EDITION}`)" in said


def test_staff_are_told_when_its_last_mail_is_settled(tmp_path: Path, database_url: str) -> None:
    """A correction whose last mail was deferred is told to staff when that has gone, once, with its own books."""
    with house(tmp_path, database_url=database_url) as h:
        _draft(h, _sent(h))
        correcting.approve(h.app, EDITION)
        h.sink.faults = {"asia@example.org": Fault("rcpt", "451 4.7.1 later", times=1)}
        assert correcting.send(h.app, EDITION).deferred == 1
        assert not [said for said in words_to_staff(h) if "correction" in said]
        h.clock.now += 60 * MINUTE
        settling.settle_all(h.app, sending.deliver(h.app))
        assert len([said for said in words_to_staff(h) if said == f"{KEY} has gone out"]) == 1
        assert row(h).state == "sent"
        text = next(mail.text for mail in mails(h) if mail.subject == f"{KEY} has gone out")
        assert "The headline named the wrong country." in text
        assert "Of 4 readers it was sent to 4;" in " ".join(text.split())
        settling.settle_all(h.app, sending.deliver(h.app))
        assert len([said for said in words_to_staff(h) if KEY in said]) == 1
