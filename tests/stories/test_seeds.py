"""Staff first: the seed list has the very edition some time before everyone, and one command stops it."""

from __future__ import annotations

import email
from datetime import timedelta
from pathlib import Path
from typing import Any

from digest.newsroom import editing
from digest.post_office import sending
from tests.support.house import House, house
from tests.support.stories import EDITION, MINUTE, SEND, another_app, books, ring, row

SEEDS = ("desk@example.com", "chief@example.net")
READERS = ("one@example.org", "two@example.org")
LEAD: dict[str, Any] = {"staff": {"seeds": list(SEEDS), "seed_lead": "15m"}}


def _ready(h: House) -> None:
    h.subscribe(("one@example.org", ()), ("two@example.org", ("africa",)))
    h.publish(*(h.article(n) for n in range(3)))
    h.ready()


def _got(h: House) -> list[str]:
    return [
        who for who in h.sink.recipients() if who in SEEDS or (who.endswith("@example.org") and "editors" not in who)
    ]


def test_the_scheduler_seeds_before_the_moment_and_sends_at_it(tmp_path: Path, database_url: str) -> None:
    """Approved in time, the seed list has it a quarter of an hour before everyone, once, however often it rings."""
    with house(tmp_path, database_url=database_url, changes=LEAD) as h:
        _ready(h)
        ring(h, SEND - 16 * MINUTE)
        assert _got(h) == []
        for _ in range(3):
            ring(h, SEND - 15 * MINUTE)
        assert sorted(_got(h)) == sorted(SEEDS)
        found = books(h)
        assert (found.candidates, found.pending, row(h).state) == (2, 2, "approved")
        ring(h, SEND - MINUTE)
        assert len(_got(h)) == 2
        ring(h, SEND)
        assert sorted(_got(h)) == sorted([*SEEDS, "one@example.org", "two@example.org"])
        assert (books(h).candidates, books(h).sent) == (2, 2)


def test_the_seeds_are_the_very_edition(tmp_path: Path) -> None:
    """A seed is the mail of a reader of everything, but for the personal places, the date and the number."""
    with house(tmp_path, changes=LEAD) as h:
        _ready(h)
        ring(h, SEND - 15 * MINUTE)
        ring(h, SEND)
        by_reader = {one.recipient: email.message_from_bytes(one.data) for one in h.sink.received}
        seed, reader = by_reader[SEEDS[0]], by_reader["one@example.org"]
        personal = {"To", "Date", "Message-ID", "List-Unsubscribe", "DKIM-Signature"}
        assert list(seed.keys()) == list(reader.keys())
        assert {n: v for n, v in seed.items() if n not in personal} == {
            n: v for n, v in reader.items() if n not in personal
        }


def test_approved_late_everyone_waits_for_the_seeds(tmp_path: Path) -> None:
    """Approved after its moment, the edition goes to the seed list at once and to everyone the lead later."""
    with house(tmp_path, changes=LEAD) as h:
        _ready(h)
        late = SEND + 60 * MINUTE
        ring(h, late)
        assert sorted(_got(h)) == sorted(SEEDS)
        ring(h, late + 14 * MINUTE)
        assert len(_got(h)) == 2
        ring(h, late + 15 * MINUTE)
        assert len(_got(h)) == 4


def test_hold_stops_it_and_what_is_changed_is_seeded_again(tmp_path: Path) -> None:
    """After `hold` nobody else gets it; approved again as another, the seed list sees that before everyone does."""
    with house(tmp_path, changes=LEAD) as h:
        _ready(h)
        ring(h, SEND - 15 * MINUTE)
        editing.hold(h.app, EDITION, by="Bo", reason="a wrong name")
        ring(h, SEND)
        assert len(_got(h)) == 2
        article = row(h).edition.articles[0].article.id
        editing.edit(h.app, EDITION, editing.Changes(titles={article: "The right name"}), by="Bo")
        editing.approve(h.app, EDITION, by="Bo", reason="mended")
        ring(h, SEND + MINUTE)
        assert sorted(_got(h)) == sorted([*SEEDS, *SEEDS])
        ring(h, SEND + 16 * MINUTE)
        assert len(_got(h)) == 6


def test_a_restart_seeds_nobody_twice(tmp_path: Path) -> None:
    """Another process on the same database knows that the seed list has it, and when the rest may go."""
    with house(tmp_path, changes=LEAD) as h:
        _ready(h)
        ring(h, SEND - 15 * MINUTE)
        again = another_app(h, LEAD)
        ring(h, SEND - 5 * MINUTE, again)
        assert sorted(_got(h)) == sorted(SEEDS)
        ring(h, SEND, again)
        assert len(_got(h)) == 4


def test_send_by_hand(tmp_path: Path) -> None:
    """`send` gives it to the seed list and says when the rest goes; again then, or with --now, it goes to everyone."""
    with house(tmp_path, changes=LEAD, now=SEND) as h:
        _ready(h)
        report = sending.send(h.app, EDITION)
        assert not report.finished
        assert report.next_due == SEND + timedelta(minutes=15)
        assert "The seed list has it" in report.sentence(h.app.zone)
        assert sorted(_got(h)) == sorted(SEEDS)
        assert sending.send(h.app, EDITION).next_due == report.next_due
        assert len(_got(h)) == 2
        assert sending.send(h.app, EDITION, now=True).finished
        assert len(_got(h)) == 4
