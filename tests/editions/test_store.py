"""Editions in both databases: one a date, articles in at most one, and only legal steps."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import Database
from digest.editions import store
from digest.editions.model import Edition, Overlay, Period, State
from digest.editions.rows import head_of
from digest.editions.states import Action, can
from digest.errors import NotFoundError, RefusedError
from tests.support.editions import DAY, edition, piece, small_edition

SEND = datetime(2013, 11, 29, 14, tzinfo=UTC)
PERIOD = Period(DAY, SEND - timedelta(hours=17), SEND, SEND + timedelta(hours=12))
NEXT = DAY + timedelta(days=7)
NOW = SEND - timedelta(hours=17)
SLUG = DAY.isoformat()


def save(connection: Connection, composed: Edition, content_hash: str = "h1", **options: Any) -> store.Saved:
    """Save as the usual draft of its day."""
    period = replace(PERIOD, day=composed.day)
    return store.save_draft(connection, composed, period=period, content_hash=content_hash, now=NOW, **options)


def approve(connection: Connection, content_hash: str = "h1", reason: str = "") -> None:
    store.approve(connection, SLUG, content_hash=content_hash, by="Amara", at=NOW, reason=reason)


def bring_to(connection: Connection, state: State, day: date = DAY) -> None:
    """An edition of one article in that state, by legal steps."""
    slug = day.isoformat()
    save(connection, small_edition({"asia": [f"of-{slug}"]}, day=day))
    if state == "held":
        store.hold(connection, slug, "too few", NOW, by="Ines")
    if state == "skipped":
        store.skip(connection, slug, NOW)
    if state in ("approved", "sending", "paused", "sent"):
        store.approve(connection, slug, content_hash="h1", by="Amara", at=NOW)
    if state in ("sending", "paused", "sent"):
        store.begin(connection, slug, at=NOW)
    if state == "paused":
        store.pause(connection, slug, reason="the relay is gone", at=NOW)
    if state == "sent":
        store.finish(connection, slug, at=NOW)


def taken(connection: Connection, except_edition: str = "") -> set[str]:
    return set(connection.execute(store.ledger(connection, except_edition=except_edition)).scalars())


def test_a_draft_comes_back_as_it_was_saved(database: Database) -> None:
    """Everything that was composed, its moments and what it was made of."""
    whole = edition()
    with database.begin() as connection:
        saved = save(connection, whole, subject="Talks", material=[piece("a"), piece("b", role="reading")])
        assert saved == store.Saved(created=True, voided=False, overridden=False)
    with database.read() as connection:
        row = store.load(connection, SLUG)
        assert row is not None
        assert (row.edition, row.state, row.period, row.subject) == (whole, "draft", PERIOD, "Talks")
        assert [a.id for a in row.material] == ["a", "b"]
        assert row.overlay == Overlay()
        assert store.latest(connection) == row
        assert [head.slug for head in store.list_editions(connection)] == [SLUG]
        assert store.list_editions(connection, states=["sent"]) == ()
        assert store.load(connection, "2001-01-01") is None


STEPS: dict[Action, Callable[[Connection], object]] = {
    "refresh": lambda c: save(c, small_edition({"asia": ["x"]})),
    "arrange": lambda c: store.set_overlay(c, SLUG, Overlay(introduction="x")),
    "approve": lambda c: approve(c, reason="all the same"),
    "hold": lambda c: store.hold(c, SLUG, "no", NOW, by="Ines"),
    "release": lambda c: store.release(c, SLUG),
    "skip": lambda c: store.skip(c, SLUG, NOW),
    "expire": lambda c: store.expire(c, SLUG, NOW),
    "pause": lambda c: store.pause(c, SLUG, reason="no", at=NOW),
    "resume": lambda c: store.resume(c, SLUG, at=NOW),
    "finish": lambda c: store.finish(c, SLUG, at=NOW),
    "reopen": lambda c: store.reopen(c, SLUG),
    "void": lambda c: store.void_approval(c, SLUG),
    "stop": lambda c: store.stop(c, SLUG, reason="no", at=NOW),
    "seed": lambda c: store.seed(c, SLUG, at=NOW),
}


@pytest.mark.parametrize("state", get_args(State))
def test_an_illegal_step_is_refused_and_changes_nothing(database: Database, state: State) -> None:
    """Every step that the table does not have raises, and leaves the row as it was."""
    with database.begin() as connection:
        bring_to(connection, state)
    with database.read() as connection:
        before = store.load(connection, SLUG)
    for action, step in STEPS.items():
        if not can(state, action):
            with pytest.raises(RefusedError, match=SLUG), database.begin() as connection:
                step(connection)
    with database.read() as connection:
        assert store.load(connection, SLUG) == before


def test_what_does_not_exist_is_said_so(database: Database) -> None:
    """A step on an edition that nobody composed raises NotFoundError with the mend."""
    for action, step in STEPS.items():
        if action != "refresh":
            with pytest.raises(NotFoundError, match="digest compose"), database.begin() as connection:
                step(connection)


def test_an_article_is_in_at_most_one_open_edition(database: Database) -> None:
    """An edition that wants a reserved article is refused with the other’s name; nothing is kept."""
    with database.begin() as connection:
        save(connection, small_edition({"asia": ["a", "b"], "reading": ["r"]}, waiting=["w"]))
        assert store.articles_of(connection, SLUG) == {"a": "asia", "b": "asia", "r": "reading"}
        assert store.where_is(connection, "a") == SLUG
        assert store.where_is(connection, "w") is None
        assert taken(connection) == {"a", "b", "r"}
        assert taken(connection, SLUG) == set()
    with pytest.raises(store.TakenError, match=SLUG) as caught, database.begin() as connection:
        save(connection, small_edition({"asia": ["b", "c"]}, day=NEXT))
    assert caught.value.taken == {"b": SLUG}
    with database.read() as connection:
        assert store.load(connection, NEXT.isoformat()) is None
        assert store.where_is(connection, "c") is None


def test_a_refresh_gives_back_what_stands_no_more(database: Database) -> None:
    """An article that left the draft is free for another edition."""
    with database.begin() as connection:
        save(connection, small_edition({"asia": ["a", "b"]}))
        save(connection, small_edition({"africa": ["b"], "global": ["c"]}))
        assert store.articles_of(connection, SLUG) == {"b": "africa", "c": "global"}
        save(connection, small_edition({}))
        assert taken(connection) == set()


@pytest.mark.parametrize(("state", "free"), [("skipped", True), ("held", False), ("sending", False), ("sent", False)])
def test_who_gives_articles_back(database: Database, state: State, free: bool) -> None:
    """A skipped edition does; a held one keeps its claim; one that has begun never gives anything back."""
    with database.begin() as connection:
        bring_to(connection, state)
        assert (taken(connection) == set()) is free


def test_a_change_voids_an_approval_visibly(database: Database) -> None:
    """Saving other content takes the approval back and says whose it was; the same content keeps it."""
    whole = small_edition({"asia": ["a"]})
    with database.begin() as connection:
        save(connection, whole)
        approve(connection)
        assert not save(connection, whole, "h1").voided
        assert head_of(connection, SLUG).state == "approved"
        assert save(connection, whole, "h2").voided
        head = head_of(connection, SLUG)
        assert (head.state, head.approved_hash, head.approved_by, head.voided_by) == (
            "draft",
            None,
            "",
            "Amara",
        )
        approve(connection, "h2")
        store.void_approval(connection, SLUG)
        head = head_of(connection, SLUG)
        assert (head.state, head.approved_hash, head.voided_by) == ("draft", None, "Amara")


def test_approval_is_of_what_was_looked_at(database: Database) -> None:
    """Approving a hash that is no longer the edition's is refused."""
    with database.begin() as connection:
        save(connection, small_edition({"asia": ["a"]}), "h2")
    with pytest.raises(RefusedError, match="changed"), database.begin() as connection:
        approve(connection, "h1")
    with database.begin() as connection:
        approve(connection, "h2")
    with pytest.raises(RefusedError, match="approved"), database.begin() as connection:
        approve(connection, "h2")


def test_a_hold_is_overridden_by_name_and_reason(database: Database) -> None:
    """Without a reason a held edition is not approved; with one it is, and the reason is kept."""
    whole = small_edition({"asia": ["a"]})
    with database.begin() as connection:
        save(connection, whole)
        assert store.hold(connection, SLUG, "too few articles", NOW)
        assert head_of(connection, SLUG).held_by_rule
    with pytest.raises(RefusedError, match="too few articles"), database.begin() as connection:
        approve(connection)
    with database.begin() as connection:
        approve(connection, reason="a quiet week")
        head = head_of(connection, SLUG)
        assert (head.state, head.override_reason, head.held_reason) == ("approved", "a quiet week", "")
        assert save(connection, whole).overridden


def test_a_rule_never_lifts_a_persons_hold(database: Database) -> None:
    """A rule's hold changes nothing where a person holds; a person's takes the place of a rule's."""
    with database.begin() as connection:
        save(connection, small_edition({"asia": ["a"]}))
        assert store.hold(connection, SLUG, "a feed is broken", NOW)
        assert store.hold(connection, SLUG, "wait for the vote", NOW, by="Ines")
        assert not store.hold(connection, SLUG, "a feed is broken", NOW)
        head = head_of(connection, SLUG)
        assert (head.held_reason, head.held_by, head.held_by_rule) == ("wait for the vote", "Ines", False)


def test_a_released_edition_keeps_its_approval(database: Database) -> None:
    """When the reason of a hold is gone, an approval that still covers the content is worth what it was."""
    whole = small_edition({"asia": ["a"]})
    with database.begin() as connection:
        save(connection, whole)
        approve(connection)
        store.hold(connection, SLUG, "a feed is broken", NOW)
        assert store.release(connection, SLUG) == "approved"
        store.hold(connection, SLUG, "a feed is broken", NOW)
        assert save(connection, whole, "h2").voided
        assert head_of(connection, SLUG).state == "held"
        assert store.release(connection, SLUG) == "draft"


def test_an_editors_hand_outlives_a_refresh(database: Database) -> None:
    """The overlay is kept apart: composing again does not touch it, whatever characters staff typed."""
    overlay = Overlay(introduction="A\0 we\ud800ek", moved={"a": "asia"}, excluded=frozenset({"b"}), titles={"a": "T"})
    with database.begin() as connection:
        save(connection, small_edition({"asia": ["a"]}))
        store.set_overlay(connection, SLUG, overlay)
        save(connection, small_edition({"asia": ["a", "c"]}), "h2")
        row = store.load(connection, SLUG)
    assert row is not None
    assert row.overlay == replace(overlay, introduction="A we?ek")


def test_only_what_was_approved_begins(database: Database) -> None:
    """A draft begins only where approval is automatic; a held one never; other content never."""
    with database.begin() as connection:
        save(connection, small_edition({"asia": ["a"]}))
    with pytest.raises(RefusedError, match="draft, not approved"), database.begin() as connection:
        store.begin(connection, SLUG, at=SEND)
    with database.begin() as connection:
        approve(connection)
    with pytest.raises(RefusedError, match="not what was approved"), database.begin() as connection:
        store.begin(connection, SLUG, at=SEND, content_hash="h9")
    with database.begin() as connection:
        store.hold(connection, SLUG, "no", NOW)
    with pytest.raises(RefusedError, match="held"), database.begin() as connection:
        store.begin(connection, SLUG, at=SEND, automatic=True)
    with database.begin() as connection:
        store.release(connection, SLUG)
        assert store.begin(connection, SLUG, at=SEND, content_hash="h1", candidates=7)
        assert not store.begin(connection, SLUG, at=SEND)
        store.set_candidates(connection, SLUG, 8)
        head = head_of(connection, SLUG)
        assert (head.state, head.candidates, head.started_at) == ("sending", 8, SEND)


def test_automatic_approval_begins_from_the_draft(database: Database) -> None:
    """Where no approval is required, the draft itself goes."""
    with database.begin() as connection:
        save(connection, small_edition({"asia": ["a"]}))
        assert store.begin(connection, SLUG, at=SEND, automatic=True)


def test_exactly_one_of_many_begins_an_edition(database: Database) -> None:
    """Six at once: one wins, and the article is carried once."""
    with database.begin() as connection:
        bring_to(connection, "approved")
    barrier = Barrier(6)

    def race(_: int) -> bool:
        barrier.wait()
        with database.begin() as connection:
            return store.begin(connection, SLUG, at=SEND)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(race, range(6))) == [False] * 5 + [True]


def test_exactly_one_of_many_creates_an_edition(database: Database) -> None:
    """Six schedulers compose the same date at once: one row, and each of them ends well."""
    barrier = Barrier(6)

    def race(_: int) -> bool:
        barrier.wait()
        with database.begin() as connection:
            return save(connection, small_edition({"asia": ["a", "b"]})).created

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(race, range(6))) == [False] * 5 + [True]
    with database.read() as connection:
        assert len(store.list_editions(connection)) == 1


def test_two_editions_racing_for_an_article_never_both_get_it(database: Database) -> None:
    """Two dates composed at once with a common article: one has it, the other is refused."""
    barrier = Barrier(2)

    def race(day: date) -> bool:
        barrier.wait()
        try:
            with database.begin() as connection:
                save(connection, small_edition({"asia": ["common", day.isoformat()]}, day=day))
        except store.TakenError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(race, [DAY, NEXT])) == [False, True]


def test_an_edition_that_should_have_gone_is_found_and_expires_once(database: Database) -> None:
    """After its deadline an edition that has not begun is overdue, is held, gives its articles back: once."""
    late = SEND + timedelta(hours=13)
    with database.begin() as connection:
        bring_to(connection, "held")
        bring_to(connection, "sent", DAY - timedelta(days=7))
        assert store.overdue(connection, SEND) == ()
        assert [head.slug for head in store.overdue(connection, late)] == [SLUG]
        assert store.expire(connection, SLUG, late)
        assert not store.expire(connection, SLUG, late)
        assert store.overdue(connection, late) == ()
        head = head_of(connection, SLUG)
        assert (head.state, head.held_reason) == ("held", "too few; its deadline has passed")
        assert store.where_is(connection, f"of-{SLUG}") is None


def test_a_late_send_takes_its_articles_again_or_is_refused(database: Database) -> None:
    """Staff may send an expired edition late; once the next edition has an article of it, they may not."""
    with database.begin() as connection:
        save(connection, small_edition({"asia": ["a", "b"]}))
        store.expire(connection, SLUG, NOW)
        approve(connection, reason="late is better")
        assert store.where_is(connection, "a") == SLUG
        assert taken(connection) == set()
    with database.engine.connect() as connection, connection.begin() as looked:
        assert store.begin(connection, SLUG, at=SEND)
        assert taken(connection) == {"a", "b"}
        looked.rollback()
    with database.begin() as connection:
        save(connection, small_edition({"asia": ["b", "c"]}, day=NEXT))
        assert store.where_is(connection, "b") == NEXT.isoformat()
    with pytest.raises(store.TakenError, match="compose"), database.begin() as connection:
        store.begin(connection, SLUG, at=SEND)
    with database.read() as connection:
        assert head_of(connection, SLUG).state == "approved"


def test_a_late_send_and_the_next_edition_never_share_an_article(database: Database) -> None:
    """Both at the same moment: one of them has the articles, the other is refused."""
    with database.begin() as connection:
        save(connection, small_edition({"asia": ["a", "b"]}))
        store.expire(connection, SLUG, NOW)
        approve(connection, reason="late is better")
    barrier = Barrier(2)

    def late() -> bool:
        barrier.wait()
        with database.begin() as connection:
            return store.begin(connection, SLUG, at=SEND)

    def following() -> bool:
        barrier.wait()
        with database.begin() as connection:
            save(connection, small_edition({"asia": ["a", "b"]}, day=NEXT))
        return True

    with ThreadPoolExecutor(2) as pool:
        ended = [job.exception() for job in (pool.submit(late), pool.submit(following))]
    assert sorted(type(error).__name__ for error in ended) == ["NoneType", "TakenError"]


def test_what_could_have_stood_has_waited(database: Database) -> None:
    """The articles that the edition before was made of are known to the next, those over a limit too."""
    with database.begin() as connection:
        assert store.waited(connection, NEXT) == frozenset()
        save(connection, small_edition({"asia": ["a"]}, waiting=["b"]))
        assert store.waited(connection, DAY) == frozenset()
        assert store.waited(connection, NEXT) == {"a", "b"}


def test_pause_resume_finish_reopen(database: Database) -> None:
    """An edition that has begun stops with a reason, goes on, ends, and goes on again at a person's word."""
    with database.begin() as connection:
        bring_to(connection, "paused")
        assert head_of(connection, SLUG).held_reason == "the relay is gone"
        store.resume(connection, SLUG, at=NOW)
        assert head_of(connection, SLUG).held_reason == ""
        store.finish(connection, SLUG, at=SEND)
        assert head_of(connection, SLUG).finished_at == SEND
        store.reopen(connection, SLUG)
        assert head_of(connection, SLUG).state == "sending"


def test_the_database_itself_refuses_a_second_place(database: Database) -> None:
    """The unique key stands behind the code: an article cannot be written into two editions."""
    with database.begin() as connection:
        bring_to(connection, "draft")
        bring_to(connection, "draft", NEXT)
    row = {"article": f"of-{SLUG}", "edition": NEXT.isoformat(), "section": "asia"}
    with pytest.raises(sa.exc.IntegrityError), database.begin() as connection:
        connection.execute(sa.insert(store.edition_articles), row)
