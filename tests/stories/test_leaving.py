"""Leaving is instant, and their regions only: promises 8 and 9."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest import audience
from digest.delivery import store as outbox
from digest.delivery import tables
from digest.newsroom import drafts, editing
from digest.post_office import dropped, starting
from digest.post_office.books import status_of
from digest.post_office.dry_run import dry_run
from subscribers import choosing
from subscribers import store as subscribers
from tests.support.house import House, house
from tests.support.smtp import Fault, Sink
from tests.support.stories import EDITION, MINUTE, books, digests, mails, row

LEAVER = "leaver@example.org"


def _started(h: House) -> None:
    """An edition that has begun, with nothing sent yet."""
    h.subscribe((LEAVER, ()), ("stays@example.org", ()))
    h.publish(*(h.article(n) for n in range(3)))
    h.ready()
    starting.start(h.app, row(h))
    assert books(h).pending == 2


def _leaves(h: House) -> None:
    reader = audience.find(h.app, LEAVER)
    with h.app.database.begin() as connection:
        assert choosing.leave(connection, reader.id, at=h.clock.now)


def _suppressed(h: House) -> None:
    audience.suppress(h.app, LEAVER, "complaint")


def _erased(h: House) -> None:
    audience.erase(h.app, LEAVER)


@pytest.mark.parametrize(
    ("goes", "reason"),
    [(_leaves, "left"), (_suppressed, "suppressed"), (_erased, "erased")],
    ids=["leaves", "suppressed", "erased"],
)
def test_whoever_goes_after_the_start_gets_nothing(
    tmp_path: Path, database_url: str, goes: Callable[[House], None], reason: str
) -> None:
    """A reader who is gone when their mail would leave is excluded, with the reason, and the books balance."""
    with house(tmp_path, database_url=database_url) as h:
        _started(h)
        goes(h)
        assert h.send(EDITION).finished
        assert set(digests(h)) == {"stays@example.org"}
        found = books(h)
        assert (found.candidates, found.sent, found.excluded) == (2, 1, 1)
        with h.app.database.read() as connection:
            ((_, why),) = outbox.reasons(connection, EDITION)
        assert reason in why


def test_an_erased_reader_leaves_an_anonymous_row(tmp_path: Path) -> None:
    """After erasing, the outbox knows neither the address nor the number of the reader, sent or not."""
    with house(tmp_path) as h:
        _started(h)
        h.send(EDITION)
        reader = audience.find(h.app, LEAVER)
        audience.erase(h.app, LEAVER)
        with h.app.database.read() as connection:
            rows = connection.execute(sa.select(tables.deliveries).where(tables.deliveries.c.mail == "digest")).all()
        assert len(rows) == 2
        assert not any(LEAVER in str(row) or f"s:{reader.id}" in str(row) for row in rows)
        assert books(h).sent == 2


def test_erased_while_deferred(tmp_path: Path) -> None:
    """A mail that waits for its second attempt does not go any more once its reader is erased."""
    sink = Sink(faults={LEAVER: Fault("rcpt", "451 4.7.1 come back later")})
    with house(tmp_path, sink=sink) as h:
        _started(h)
        assert h.send(EDITION).deferred == 1
        audience.erase(h.app, LEAVER)
        sink.faults.clear()
        h.clock.now += 60 * MINUTE
        assert h.send(EDITION).finished
        assert set(digests(h)) == {"stays@example.org"}
        assert (books(h).sent, books(h).excluded) == (1, 1)


def test_erased_while_a_sender_holds_it(tmp_path: Path) -> None:
    """Erased while their mail was on the wire and refused for now: the second attempt is not made."""
    sink = Sink(faults={LEAVER: Fault("dot", "451 4.3.0 come back later", times=1)})
    with house(tmp_path, sink=sink) as h:
        _started(h)

        def on_data(recipient: str) -> None:
            if recipient == LEAVER:
                audience.erase(h.app, LEAVER)

        sink.on_data = on_data
        h.send(EDITION)
        sink.on_data = None
        h.clock.now += 60 * MINUTE
        h.send(EDITION)
        assert set(digests(h)) == {"stays@example.org"}
        found = books(h)
        assert (found.sent, found.excluded, found.pending) == (1, 1, 0)


def test_who_leaves_before_the_start_is_no_candidate(tmp_path: Path) -> None:
    """The candidates are those who are active when it begins; pending ones are sent nothing."""
    with house(tmp_path) as h:
        h.subscribe((LEAVER, ()), ("stays@example.org", ()))
        with h.app.database.begin() as connection:
            subscribers.add(
                connection, h.app.keys, "pending@example.org", consent="a form", at=h.clock.now, active=False
            )
        h.publish(*(h.article(n) for n in range(3)))
        h.ready()
        _leaves(h)
        h.send()
        assert books(h).candidates == 1
        assert [m.recipient for m in mails(h) if m.recipient != "editors@example.org"] == ["stays@example.org"]


def test_an_empty_choice_is_excluded_with_the_reason(tmp_path: Path, database_url: str) -> None:
    """Whoever chose only regions that the edition has nothing about gets no mail, and the books say why."""
    with house(tmp_path, database_url=database_url) as h:
        h.subscribe(("asia@example.org", ("asia",)), ("africa@example.org", ("africa",)), ("all@example.org", ()))
        h.publish(*(h.article(n, region="africa") for n in range(3)))
        h.ready()
        h.send()
        assert set(digests(h)) == {"africa@example.org", "all@example.org"}
        found = books(h)
        assert (found.candidates, found.sent, found.excluded) == (3, 2, 1)
        with h.app.database.read() as connection:
            assert [reason for _, reason in outbox.reasons(connection, EDITION)] == [starting.EMPTY]


def test_global_is_chosen_like_a_region(tmp_path: Path) -> None:
    """Who chose `global` gets what is about no region and nothing of the regions; who chose nothing gets all."""
    with house(tmp_path) as h:
        h.subscribe(("world@example.org", ("global",)), ("asia@example.org", ("asia",)), ("all@example.org", ()))
        h.publish(
            h.article(1, title="On method in general", categories=["methods"]),
            h.article(2, title="Rain over the delta", region="asia"),
            h.article(3, title="Dust over the road", region="africa"),
        )
        h.ready()
        h.send()
        told = {a: [t for t in ("method", "delta", "road") if t in mail.text] for a, mail in digests(h).items()}
        assert told == {
            "world@example.org": ["method"],
            "asia@example.org": ["delta"],
            "all@example.org": ["method", "delta", "road"],
        }


def test_a_region_that_is_configured_no_more_harms_nobody(tmp_path: Path) -> None:
    """A reader whose only region was taken out of the configuration still gets a digest, of everything; staff can
    see it."""
    with house(tmp_path) as h:
        h.subscribe(("old@example.org", ("atlantis",)))
        h.publish(*(h.article(n) for n in range(3)))
        h.ready()
        assert "1 chose only atlantis" in dropped.sentence(h.app)
        assert any("atlantis" in label for label in dry_run(h.app, EDITION).readers)
        h.send()
        assert set(digests(h)) == {"old@example.org"}


def test_each_choice_is_rendered_once(tmp_path: Path) -> None:
    """Forty readers of three choices: three renditions, and the mails of one choice differ in personal places only."""
    with house(tmp_path) as h:
        choices: list[tuple[str, ...]] = [(), ("africa",), ("africa", "asia")]
        h.subscribe(*((f"reader{n}@example.org", choices[n % 3]) for n in range(40)))
        h.publish(*(h.article(n, region=("africa", "asia")[n % 2]) for n in range(4)))
        slug = h.ready()
        assert set(starting.render_choices(h.app, row(h, slug))) == set(choices)
        h.send()
        with h.app.database.read() as connection:
            hashes = connection.execute(
                sa.select(tables.deliveries.c.rendition).where(tables.deliveries.c.mail == "digest").distinct()
            ).all()
        assert len(hashes) == 3
        assert len(digests(h)) == 40


def test_before_the_start_the_books_show_who_would_be_asked(tmp_path: Path) -> None:
    """A draft's books are the active readers, pending; a dry run counts who would get it and who would not."""
    with house(tmp_path) as h:
        h.subscribe(("asia@example.org", ("asia",)), ("africa@example.org", ("africa",)))
        h.publish(*(h.article(n, region="africa") for n in range(3)))
        h.pull()
        drafts.compose_draft(h.app)
        assert status_of(h.app, EDITION).books.pending == 2
        plan = dry_run(h.app, EDITION)
        assert plan.readers == {"Africa": 1}
        assert plan.excluded == {starting.EMPTY: 1}
        editing.approve(h.app, EDITION, by="Ada")
        assert digests(h) == {}
