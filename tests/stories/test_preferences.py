"""What readers decide on their own pages, and what then comes to them: real mail, both databases."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from digest import audience
from digest.delivery import store as outbox
from digest.delivery.model import Status as Fate
from digest.post_office import sending, starting
from digest.post_office.dry_run import dry_run
from subscribers import store as subscribers
from subscribers import suppression
from subscribers.model import Status, Subscriber
from tests.support.browser import chromium
from tests.support.house import House, house
from tests.support.stories import EDITION, Read, books, digests, mails, row
from tests.web.test_reader_pages import link, pages

ANN, BO, NEW = "ann@example.org", "bo@example.org", "new@example.net"


def own(h: House, address: str = ANN) -> str:
    return link(h, address, "PREFERENCES")


def reader(h: House, address: str) -> Subscriber | None:
    with h.app.database.read() as connection:
        return subscribers.find(connection, address)


def button(mail: Read) -> str:
    """The path of the page that the mail's only button leads to."""
    found = re.search(r"https://roundup\.example\.org(/[as]/[\w-]+)", mail.text)
    assert found is not None
    return found[1]


def to(h: House, address: str) -> list[Read]:
    return [mail for mail in mails(h) if mail.recipient == address]


def published(h: House, *, regions: tuple[str, ...] = ("africa", "asia")) -> None:
    h.publish(*(h.article(n, region=regions[n % len(regions)]) for n in range(4)))


def test_a_paused_reader_gets_nothing_and_the_books_say_so(tmp_path: Path, database_url: str) -> None:
    """Who paused before the edition is a candidate, excluded with the day; who paused while it waited, too."""
    with house(tmp_path, database_url=database_url) as h, pages(h.app) as http:
        h.subscribe((ANN, ()), (BO, ("asia",)), ("cy@example.org", ()))
        http.post(f"{own(h)}/pause", data={"weeks": "4"})
        published(h)
        h.ready()
        plan = dry_run(h.app, EDITION)
        assert (sum(plan.readers.values()), plan.excluded) == (2, {"paused until 2026-12-24": 1})
        starting.start(h.app, row(h))
        http.post(f"{own(h, BO)}/pause", data={"weeks": "resume"})
        h.send(EDITION)
        assert set(digests(h)) == {"cy@example.org"}
        found = books(h)
        assert (found.candidates, found.sent, found.excluded) == (3, 1, 2)
        with h.app.database.read() as connection:
            assert outbox.reasons(connection, EDITION) == {
                (Fate.EXCLUDED, "paused until 2026-12-24"): 1, (Fate.EXCLUDED, "paused until they resume"): 1,
            }  # fmt: skip


def test_a_pause_that_is_over_needs_nobody(tmp_path: Path) -> None:
    """The first edition after a pause comes by itself; who resumes while the edition waits gets that one."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ()), (BO, ()))
        http.post(f"{own(h)}/pause", data={"weeks": "2"})
        published(h)
        h.ready()
        starting.start(h.app, row(h))
        http.post(f"{own(h, BO)}/pause", data={"weeks": "2"})
        http.post(f"{own(h, BO)}/resume")
        h.send(EDITION)
        assert set(digests(h)) == {BO}
        h.clock.now += timedelta(weeks=2)
        h.publish(*(h.article(n) for n in range(10, 14)))
        second = h.ready()
        h.send(second)
        assert sorted(mail.recipient for mail in mails(h) if "List-ID" in mail.message) == [ANN, BO, BO]


def test_both_links_are_one_press_away_in_every_digest(tmp_path: Path) -> None:
    """HTML and text of a digest lead to the choice of regions and to the pause, by links of the reader alone."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ()))
        published(h)
        h.ready()
        h.send()
        mail = digests(h)[ANN]
        for part in (mail.html, mail.text):
            for path in (own(h), f"{own(h)}/pause"):
                assert re.search(rf"https://roundup\.example\.org{path}(?![\w/-])", part)
                assert http.get(path).status_code == 200


def moved(h: House, http: httpx2.Client, new: str = NEW) -> tuple[Read, Read]:
    """Ask to move; the mail to the new address, and the notice to the old one."""
    answer = http.post(f"{own(h)}/address", data={"address": new})
    assert answer.headers["location"].endswith("/address?asked")
    sending.deliver(h.app)
    return to(h, new)[-1], to(h, ANN)[-1]


def test_moving_to_another_address(tmp_path: Path, database_url: str) -> None:
    """The new address gets a mail with a button, the old one a notice; only the button moves, and once."""
    with house(tmp_path, database_url=database_url) as h, pages(h.app) as http:
        h.subscribe((ANN, ("asia",)))
        change, notice = moved(h, http)
        assert "n…@example.net" in http.get(own(h) + "/address").text
        for mail in (change, notice):
            assert not re.search(r"(ann|new)@", mail.text.replace(mail.recipient, ""))
            assert "List-Unsubscribe-Post" not in mail.message
        assert http.get(button(change)).status_code == 200
        assert reader(h, NEW) is None, "a GET changes nothing"
        assert "comes here now" in http.post(button(change)).text
        found = reader(h, NEW)
        assert found is not None
        assert (found.status, found.regions, reader(h, ANN)) == (Status.ACTIVE, ("asia",), None)
        assert http.post(button(change)).status_code == 404
        published(h)
        h.ready()
        h.send()
        assert set(digests(h)) == {NEW}


@pytest.mark.parametrize("confirmed", [False, True])
def test_the_old_address_stops_it(tmp_path: Path, confirmed: bool) -> None:
    """The notice's button voids a change that waits, and takes one back that was made."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ()))
        change, notice = moved(h, http)
        if confirmed:
            http.post(button(change))
            assert reader(h, ANN) is None
        assert http.get(button(notice)).status_code == 200
        assert "stays" in http.post(button(notice)).text
        assert http.post(button(change)).status_code == 404
        assert reader(h, NEW) is None
        found = reader(h, ANN)
        assert found is not None
        assert found.status is Status.ACTIVE


@pytest.mark.browser
def test_the_buttons_pages_are_accessible(tmp_path: Path) -> None:
    """Axe finds nothing on the pages that move an address and stop a move, before the press and after it."""
    from axe_playwright_python.sync_playwright import Axe

    with house(tmp_path) as h, pages(h.app) as http, chromium() as browser:
        h.subscribe((ANN, ()))
        for scheme, width in (("light", 1200), ("dark", 375)):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
            for mail in moved(h, http):
                page.goto(f"{http.base_url}{button(mail)}")
                for _ in range(2):
                    assert (page.url, Axe().run(page).response["violations"]) == (page.url, [])
                    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                    if page.locator("button").count():
                        page.locator("button").first.click()
                        page.wait_for_load_state()
            page.close()
            h.clock.now += timedelta(days=2)


def test_a_second_move_does_not_outrun_the_notice(tmp_path: Path) -> None:
    """Who got hold of a reader's links and moves their mail twice does not keep it: the first notice takes it back,
    and voids what waits."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ()))
        path = own(h)
        change, notice = moved(h, http)
        http.post(button(change))
        for new in ("second@example.net", "third@example.net"):
            http.post(f"{path}/address", data={"address": new})
        sending.deliver(h.app)
        http.post(button(to(h, "third@example.net")[-1]))
        http.post(f"{path}/address", data={"address": "fourth@example.net"})
        assert reader(h, ANN) is None
        assert "stays" in http.post(button(notice)).text
        found = reader(h, ANN)
        assert found is not None
        assert found.status is Status.ACTIVE


def test_stopping_a_move_subscribes_nobody(tmp_path: Path) -> None:
    """Who has left stays so, whichever button of an earlier mail is pressed."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ()))
        change, notice = moved(h, http)
        http.post(link(h, ANN, "UNSUBSCRIBE"))
        assert http.post(button(notice)).status_code == http.post(button(change)).status_code == 404
        found = reader(h, ANN)
        assert found is not None
        assert found.status is Status.LEFT


def test_thinking_better_of_it(tmp_path: Path) -> None:
    """A change that was withdrawn, or replaced by another, or waited for more than three days moves nobody."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ()))
        first, _ = moved(h, http)
        http.post(f"{own(h)}/stay")
        second, _ = moved(h, http, "second@example.net")
        third, _ = moved(h, http, "third@example.net")
        assert http.post(button(first)).status_code == http.post(button(second)).status_code == 404
        h.clock.now += timedelta(hours=73)
        assert http.get(button(third)).status_code == 404
        assert reader(h, ANN) is not None


def test_too_many_moves(tmp_path: Path) -> None:
    """The fourth change of a day is not taken, nor is what is no address; no mail goes for either."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ()))
        for wrong in ("", "nobody", "a@b", "x@example.org\r\nBcc: y@example.org", "two@example.org, three@example.org"):
            assert http.post(f"{own(h)}/address", data={"address": wrong, "a": "b"}).status_code == 422
        for n in range(3):
            moved(h, http, f"n{n}@example.net")
        assert http.post(f"{own(h)}/address", data={"address": "n4@example.net"}).status_code == 429
        sending.deliver(h.app)
        assert len(mails(h)) == 6


def test_moving_tells_nothing_of_the_other_address(tmp_path: Path, database_url: str) -> None:
    """A new address, a reader's, a suppressed one, a function's: the same page, the same notice, the same rows, and no
    mail to those who must have none."""
    with house(tmp_path, database_url=database_url) as h, pages(h.app) as http:
        readers = [f"r{n}@example.org" for n in range(4)]
        h.subscribe(*((one, ()) for one in (*readers, BO)))
        audience.suppress(h.app, "gone@example.org", "complaint")
        answers = []
        for one, new in zip(readers, (NEW, BO, "gone@example.org", "postmaster@example.org"), strict=True):
            path = own(h, one)
            answer = http.post(f"{path}/address", data={"address": new})
            page = http.get(answer.headers["location"].replace(path, own(h, one))).text
            page = page.replace(path.rsplit("/", 1)[1], "TOKEN")
            answers.append((answer.status_code, re.sub(r"\w…@[\w.]+", "ADDRESS", page)))
        assert len(set(answers)) == 1
        sending.deliver(h.app)
        assert [len(to(h, one)) for one in readers] == [1, 1, 1, 1]
        assert (len(to(h, NEW)), len(to(h, BO))) == (1, 1)
        assert not to(h, "gone@example.org")
        assert not to(h, "postmaster@example.org")


def test_ones_own_data_tell_nothing_of_the_other_address(tmp_path: Path) -> None:
    """What became of a mail to an address that is not the reader's is not in their download, whatever became of it."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ()), (BO, ()))
        audience.suppress(h.app, "gone@example.org", "complaint")
        told = []
        for who, new in ((ANN, "hers@example.org"), (BO, "gone@example.org")):
            http.post(f"{own(h, who)}/address", data={"address": new})
            sending.deliver(h.app)
            deliveries = http.post(f"{own(h, who)}/data").json()["deliveries"]
            told.append([(one["mail"], one["status"], one["reason"], one["attempts"]) for one in deliveries])
        assert told[0] == told[1] == [("confirmation", None, None, None), ("confirmation", "sent", "", 1)]


def test_two_who_are_one(tmp_path: Path) -> None:
    """Who moves to an address that is subscribed already has one roundup there, and the other choice is kept."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ("asia",)), (BO, ("africa",)))
        change, notice = moved(h, http, BO)
        http.post(button(change))
        published(h)
        h.ready()
        h.send()
        assert set(digests(h)) == {BO}
        assert "Article number 1 " not in digests(h)[BO].text
        http.post(button(notice))
        found = reader(h, ANN)
        assert found is not None
        assert found.status is Status.ACTIVE


def test_an_old_link_still_leaves_after_two_became_one(tmp_path: Path) -> None:
    """The link in a mail of before the move does what its page says: nothing more comes, to either address."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ()), (BO, ()))
        change, _ = moved(h, http, BO)
        http.post(button(change))
        published(h)
        h.ready()
        starting.start(h.app, row(h))
        assert http.post(link(h, ANN, "UNSUBSCRIBE")).status_code == 200
        h.send(EDITION)
        assert not digests(h)
        found = reader(h, BO)
        assert found is not None
        assert found.status is Status.LEFT


def test_suppressed_while_it_waited(tmp_path: Path) -> None:
    """A new address that was suppressed before its button was pressed gets nobody's mail."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ()))
        change, _ = moved(h, http)
        with h.app.database.begin() as connection:
            suppression.suppress(connection, h.app.keys, NEW, reason="complaint", at=h.clock.now)
        assert http.post(button(change)).status_code == 404
        assert reader(h, ANN) is not None


def test_all_that_we_hold(tmp_path: Path) -> None:
    """A reader's download has each mail that went to them, and why one did not."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe((ANN, ("asia",)), (BO, ()))
        published(h, regions=("africa",))
        h.ready()
        h.send()
        [mail] = http.post(f"{own(h)}/data").json()["deliveries"]
        assert (mail["mail"], mail["key"], mail["status"], mail["reason"]) == (
            "digest",
            EDITION,
            "excluded",
            starting.EMPTY,
        )
        [mail] = http.post(f"{own(h, BO)}/data").json()["deliveries"]
        assert (mail["status"], mail["address"]) == ("sent", BO)
