"""Whose it is, what it means, and what is done about it: on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog.testing

from digest import audience
from digest.bounces import store as bounces
from digest.bounces.model import Kind
from digest.delivery.tables import deliveries
from digest.editions.tables import editions
from digest.errors import RefusedError
from digest.post_office import returned, returns
from subscribers.model import Status
from subscribers.tables import subscribers as table
from tests.support.post import READER, Post, post
from tests.support.returned import RETURN, answer, complaint, dsn


@pytest.fixture
def p(tmp_path: Path, database_url: str) -> Iterator[Post]:
    with post(tmp_path, database_url) as made:
        yield made


def test_the_text_of_a_mail_names_nobody(p: Post) -> None:
    """A bounce to the bare address suppresses nobody, whoever it says could not be reached."""
    p.mailed()
    taken = returns.take_mail(p.app, dsn(to=RETURN, recipient=READER), source="maildir")
    assert (taken.kind, taken.verdict, taken.why) == (Kind.BOUNCE, "hard", "it names none of our mails")
    assert p.status() is Status.ACTIVE


def test_a_forged_return_address_is_refused(p: Post) -> None:
    """One digit of the signature changed: it is written down as refused, and nothing else happens."""
    good = p.address(p.mailed())
    local, _, domain = good.rpartition("@")
    forged = f"{local[:-1]}{'0' if local[-1] != '0' else '1'}@{domain}"
    taken = returns.take_mail(p.app, dsn(to=forged), source="maildir")
    assert taken.kind is Kind.REFUSED
    assert not taken.understood
    assert p.status() is Status.ACTIVE
    assert [one.kind for one in returned.listed(p.app, limit=9)] == ["refused"]


def test_a_replay_changes_nothing(p: Post) -> None:
    """The same bounce again, by another way, leaves no second row and no second strike."""
    slug = p.mailed()
    first = p.comes_back(slug, "5.2.2", "mailbox full")
    again = p.comes_back(slug, "5.2.2", "mailbox full")
    assert (first.fresh, again.fresh) == (True, False)
    assert len(p.strikes()) == 1
    assert len(returned.listed(p.app, limit=9)) == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("5.7.1", "refused by local policy"),
        ("5.1.1", "your network is on our blocklist"),
        ("5.0.0", "this looks like spam: user unknown"),
        ("5.7.26", "DMARC says no"),
    ],
)
def test_what_speaks_of_policy_never_costs_a_reader(p: Post, code: str, said: str) -> None:
    """Blocklists, policy and spam are about us, and the reader stays."""
    assert p.comes_back(p.mailed(), code, said).verdict == "block"
    assert p.status() is Status.ACTIVE
    assert not p.strikes()


def test_three_editions_in_a_row_over_three_weeks_suspend(p: Post) -> None:
    """A full mailbox costs nothing for weeks; when it has lasted, the reader is suspended with the reason."""
    p.comes_back(p.mailed(), "5.2.2", "mailbox full")
    for _ in range(2):
        p.comes_back(p.next_week(), "5.2.2", "mailbox full")
    assert p.status() is Status.ACTIVE, "three in a row, but within two weeks"
    taken = p.comes_back(p.next_week(), "5.2.2", "mailbox full")
    assert p.status() is Status.SUPPRESSED
    assert "4 editions in a row could not be delivered, over 21 days" in taken.why


def test_a_mail_that_gets_through_clears_the_score(p: Post) -> None:
    """One edition that arrives in between, and the counting begins anew."""
    p.comes_back(p.mailed(), "5.2.2", "mailbox full")
    p.comes_back(p.next_week(), "5.2.2", "mailbox full")
    p.next_week()  # arrives
    for _ in range(3):
        p.comes_back(p.next_week(), "5.2.2", "mailbox full")
    assert p.status() is Status.ACTIVE
    assert len(p.strikes()) == 3


def test_an_edition_that_bounces_too_much_says_so(p: Post) -> None:
    """Over one in twenty, after two hundred sent: staff hear of it, once."""
    readers = [f"reader-{n}@example.org" for n in range(220)]
    p.subscribe(*readers)
    slug = p.mailed(*readers)
    with p.app.database.begin() as connection:
        connection.execute(
            sa.insert(editions).values(
                slug=slug, day=p.clock.now.date(), state="sent", compose_at=p.clock.now, composed_at=p.clock.now,
                snapshot={}, material=[], overlay={}, content_hash="",
            )
        )  # fmt: skip
    with structlog.testing.capture_logs() as logs:
        for reader in readers[:30]:
            p.comes_back(slug, reader=reader)
    told = [one["key"] for one in logs if one["event"] == "staff-notice"]
    assert len(set(told)) == 1
    assert slug in told[0]


def test_a_disabled_account_needs_a_second_word(p: Post) -> None:
    """Said once it may be a mistake; said again a week later it counts."""
    assert p.comes_back(p.mailed(), "5.2.1", "account is disabled").verdict == "hard-second"
    assert p.status() is Status.ACTIVE
    p.comes_back(p.next_week(), "5.2.1", "account is disabled")
    assert p.status() is Status.SUPPRESSED


def test_a_complaint_is_for_good(p: Post) -> None:
    """Who complains is suppressed, gets no mail about it, and cannot be added again by staff."""
    raw = complaint(return_path=p.address(p.mailed()))
    taken = returns.take_mail(p.app, raw, source="imap")
    assert (taken.kind, taken.why) == (Kind.COMPLAINT, "suppressed: complained")
    assert p.status() is Status.SUPPRESSED
    with pytest.raises(RefusedError):
        audience.add(p.app, READER)
    with p.app.database.read() as connection:
        waiting = connection.execute(sa.select(deliveries.c.id).where(deliveries.c.status == "pending")).all()
    assert not waiting


def test_a_bounce_that_returns_the_leaving_address_does_not_leave(p: Post) -> None:
    """The mail that comes back has its List-Unsubscribe in it; nobody pressed that."""
    slug = p.mailed()
    leave = p.leaving()
    raw = dsn("4.4.7", "smtp; 450 4.4.7 expired", to=p.address(slug)).replace(
        b"Subject: Peace", f"List-Unsubscribe: <mailto:{leave}?subject=unsubscribe>\nSubject: Peace".encode()
    )
    assert returns.take_mail(p.app, raw, source="maildir").kind is Kind.BOUNCE
    assert p.status() is Status.ACTIVE


@pytest.mark.parametrize("raw", [answer(), dsn("4.4.1", "", action="delayed"), dsn("2.1.5", "", action="relayed")])
def test_what_is_no_failure_is_only_written_down(p: Post, raw: bytes) -> None:
    """Answers of the absent, delays and relays change nothing."""
    to = p.address(p.mailed())
    taken = returns.take_mail(p.app, raw.replace(RETURN.encode(), to.encode()), source="maildir")
    assert taken.kind in (Kind.AUTO_REPLY, Kind.DELAYED)
    assert p.status() is Status.ACTIVE


def test_erasing_leaves_nothing_of_a_reader_in_what_came_back(p: Post) -> None:
    """No address, no number, no words: only that something came back."""
    p.comes_back(p.mailed())
    reader = audience.find(p.app, READER)
    audience.erase(p.app, READER)
    with p.app.database.read() as connection:
        rows = connection.execute(sa.select(bounces.bounces)).all()
    assert len(rows) == 1
    assert rows[0].subscriber is None
    assert reader.address not in str(rows)


def test_a_diagnostic_is_kept_without_the_address(p: Post) -> None:
    """The list of what came back says which domain and which words, not whose mailbox."""
    p.comes_back(p.mailed(), "5.1.1", f"<{READER}>: user unknown")
    (one,) = returned.listed(p.app, limit=9)
    assert READER not in one.diagnostic
    assert "…@example.org" in one.diagnostic
    assert one.provider == "example.org"


def test_an_address_that_was_changed_since_is_spared(p: Post) -> None:
    """A soft bounce of the old address does not count against the new one."""
    slug = p.mailed()
    with p.app.database.begin() as connection:
        connection.execute(
            sa.update(table)
            .where(table.c.address == READER)
            .values(address="new@example.org", match_key="new@example.org")
        )
    assert p.comes_back(slug, "5.2.2", "mailbox full").why == "its reader has another address by now"
    assert p.comes_back(slug, "5.1.1", "no such user").why.startswith("suppressed")
    assert p.status("new@example.org") is Status.ACTIVE
