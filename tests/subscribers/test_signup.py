"""Wishes, confirmations, stamps and limits, by their rules."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from digest.database import Database
from subscribers import confirmations, erasure, mail_limits, signup, stamps, store, suppression, wishes
from subscribers.keys import Keys
from subscribers.mail_limits import Room
from subscribers.model import Status
from subscribers.signup import Answer
from subscribers.tables import consents, subscribers
from subscribers.wishes import Wish

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEYS = Keys({"1": b"t" * 32}, b"s" * 32)
PROOF = {"ip": "192.0.2.1", "user_agent": "A browser", "form": "page", "wording": "Yes [Subscribe]"}
KNOWN = ("africa", "asia", "europe")


def wish(address: str = "ann@example.org", regions: tuple[str, ...] = ("africa",)) -> Wish:
    return Wish(address, regions, "fr", PROOF, NOW)


def answer(connection: sa.Connection, address: str = "ann@example.org", at: datetime = NOW) -> Answer:
    found = signup.answer(connection, KEYS, wish(address), at=at)
    assert isinstance(found, Answer)
    return found


def press(connection: sa.Connection, made: Answer, at: datetime = NOW) -> signup.Confirmed | None:
    token = confirmations.token_of(KEYS, made.confirmation)
    assert token is not None
    return signup.confirm(connection, KEYS, token, known=KNOWN, evidence={"ip": "192.0.2.9", "wording": "Yes"}, at=at)


def test_a_burst_is_one_wish(database: Database) -> None:
    """Whoever asks again while they wait, in whatever spelling of case, waits once; the last choice counts."""
    with database.begin() as connection:
        wishes.write_down(connection, KEYS, [wish(), wish("ANN@Example.org ", ("asia",))])
        wishes.write_down(connection, KEYS, [wish("bo@example.org"), wish("Ann@example.org", ())])
        found = wishes.waiting(connection, after=0, limit=10)
        assert sorted((one.address, one.regions) for one in found) == [
            ("Ann@example.org", ()), ("bo@example.org", ("africa",)),
        ]  # fmt: skip


def test_the_consent_record(database: Database) -> None:
    """What was agreed to is kept for good: when, from where, by which browser, form and words, for which
    regions; of the sign-up and of the confirmation alike."""
    with database.begin() as connection:
        made = answer(connection)
        later = NOW + timedelta(minutes=5)
        done = press(connection, made, later)
        assert done is not None
        assert (done.first, done.reader.status, done.reader.regions) == (True, Status.ACTIVE, ("africa",))
        assert (done.reader.since, done.reader.language) == (later, "fr")
        detail = connection.execute(sa.select(consents.c.detail).where(consents.c.event == "confirmed")).scalar_one()
        assert detail == {
            "regions": ["africa"],
            "language": "fr",
            "asked": {"at": NOW.isoformat(), **PROOF},
            "confirmed": {"at": later.isoformat(), "ip": "192.0.2.9", "wording": "Yes"},
        }


def test_a_second_press_changes_nothing(database: Database) -> None:
    """Pressed twice is pressed once, also when the reader has chosen otherwise since; and who has left since does not
    come back by it."""
    with database.begin() as connection:
        made = answer(connection)
        press(connection, made)
        connection.execute(sa.update(subscribers).values(regions="asia"))
        again = press(connection, made)
        assert again is not None
        assert (again.first, again.reader.regions) == (False, ("asia",))
        connection.execute(sa.update(subscribers).values(status="left"))
        assert press(connection, made) is None


def test_a_button_in_time(database: Database) -> None:
    """It works until 72 hours have passed, and not at that moment any more."""
    with database.begin() as connection:
        made = answer(connection)
        assert press(connection, made, NOW + timedelta(hours=72)) is None
        assert press(connection, made, NOW + timedelta(hours=72, seconds=-1)) is not None


@pytest.mark.parametrize("reason", ["complained", "bounced: 5.1.1", "erased"])
def test_a_suppressed_address_gets_nothing(database: Database, reason: str) -> None:
    """No mail goes to a suppressed address, whoever asks; nor does its button work, if it came before."""
    with database.begin() as connection:
        made = answer(connection)
        suppression.suppress(connection, KEYS, "ann@example.org", reason=reason, at=NOW)
        assert press(connection, made) is None
        at = NOW + timedelta(days=40)
        assert signup.answer(connection, KEYS, wish(), at=at) is Room.ENOUGH


@pytest.mark.parametrize("status", ["active", "left", "pending"])
def test_who_is_known(database: Database, status: str) -> None:
    """An active reader is told so, and nothing about them changes; one who left or never confirmed is asked as if new,
    and stays what they are until they press."""
    with database.begin() as connection:
        reader = store.add(connection, KEYS, "ann@example.org", regions=("asia",), consent="", at=NOW)
        connection.execute(sa.update(subscribers).values(status=status))
        made = answer(connection, "ANN@example.org")
        assert made.purpose == (signup.ALREADY if status == "active" else signup.CONFIRM)
        found = store.get(connection, reader.id)
        assert found is not None
        assert (found.status, found.regions, found.address) == (Status(status), ("asia",), "ann@example.org")
        if status == "active":
            assert press(connection, made) is None, "its token is in no mail, and opens nothing"


def test_a_dropped_region_is_left_out(database: Database) -> None:
    """A region that was dropped between the form and the button is not chosen; when none is left, all are."""
    with database.begin() as connection:
        made = signup.answer(connection, KEYS, wish(regions=("atlantis",)), at=NOW)
        assert isinstance(made, Answer)
        done = press(connection, made)
        assert done is not None
        assert done.reader.regions == ()


def test_mails_to_one_mailbox(database: Database) -> None:
    """One a day, three in thirty days, for all spellings of one mailbox together."""
    with database.begin() as connection:
        sent = [
            day
            for day in range(60)
            for name in ("ann@example.org", f"ann+{day}@example.org")
            if isinstance(signup.answer(connection, KEYS, wish(name), at=NOW + timedelta(days=day)), Answer)
        ]
        assert sent == [0, 1, 2, 30, 31, 32]


def test_a_large_provider_is_no_single_house(database: Database) -> None:
    """A domain of strangers takes more sign-ups an hour than one house does."""
    with database.begin() as connection:
        told = {
            domain: [signup.answer(connection, KEYS, wish(f"n{n}@{domain}"), at=NOW) for n in range(65)].count(
                Room.LATER
            )
            for domain in ("gmail.com", "house.example.org")
        }
        assert told == {"gmail.com": 0, "house.example.org": 65 - mail_limits.TO_A_DOMAIN}


def test_who_never_confirms_is_forgotten(database: Database) -> None:
    """After a month nothing is left of them; whoever confirmed, and whoever an import left pending, stays."""
    with database.begin() as connection:
        answer(connection, "never@example.org")
        press(connection, answer(connection, "ann@example.org"))
        store.add(connection, KEYS, "imported@example.org", consent="", at=NOW, active=False)
        assert signup.forget_unconfirmed(connection, at=NOW + timedelta(days=30)) == []
        assert len(signup.forget_unconfirmed(connection, at=NOW + timedelta(days=32))) == 1
        assert store.find(connection, "never@example.org") is None
        assert store.counts(connection) == {"active": 1, "pending": 1}
        assert not confirmations.any_older(connection, NOW + timedelta(days=1))


def test_who_asks_again_is_not_forgotten(database: Database) -> None:
    """Who signs up again when the month is nearly over has a button that works; then they have a month more."""
    with database.begin() as connection:
        answer(connection)
        later = NOW + timedelta(days=30, hours=12)
        again = answer(connection, at=later)
        assert signup.forget_unconfirmed(connection, at=NOW + timedelta(days=32)) == []
        token = confirmations.token_of(KEYS, again.confirmation)
        assert token is not None
        assert signup.look(connection, token, at=NOW + timedelta(days=32)) is not None
        assert len(signup.forget_unconfirmed(connection, at=later + timedelta(days=32))) == 1
        assert store.counts(connection) == {}


def test_erasing_leaves_no_wish_and_no_button(database: Database) -> None:
    """Erasing takes what waits as well: the wish, and what was noted for the confirmation."""
    with database.begin() as connection:
        made = answer(connection)
        wishes.write_down(connection, KEYS, [wish()])
        erasure.erase(connection, KEYS, "ann@example.org", at=NOW)
        assert wishes.count(connection) == 0
        assert confirmations.by_token_id(connection, made.confirmation.token_id) is None


def test_a_token_survives_new_keys(database: Database) -> None:
    """The sender makes a token again after the keys were rotated; without the key that made it there is none."""
    with database.begin() as connection:
        made = answer(connection).confirmation
        rotated = replace(KEYS, tokens={**KEYS.tokens, "2": b"u" * 32})
        assert confirmations.token_of(rotated, made) == confirmations.token_of(KEYS, made)
        assert confirmations.token_of(replace(KEYS, tokens={"2": b"u" * 32}), made) is None


def test_a_token_is_bound_to_its_purpose(database: Database) -> None:
    """A genuine token opens what it was made for, and nothing else."""
    with database.begin() as connection:
        token = confirmations.token_of(KEYS, answer(connection).confirmation)
        assert token is not None
        assert confirmations.find(connection, signup.CONFIRM, token) is not None
        assert confirmations.find(connection, signup.ALREADY, token) is None


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)), st.integers(-10_000, 10_000))  # noqa: DTZ001
def test_a_stamp_tells_its_age(moment: datetime, seconds: int) -> None:
    """A stamp tells to the second how old it is, to whoever has the key, and after a rotation, too."""
    made = moment.replace(tzinfo=UTC, microsecond=0)
    stamp = stamps.make(KEYS, made)
    rotated = replace(KEYS, tokens={**KEYS.tokens, "2": secrets.token_bytes(32)})
    for keys in (KEYS, rotated):
        assert stamps.age(keys, stamp, made + timedelta(seconds=seconds)) == timedelta(seconds=seconds)
    assert stamps.age(replace(KEYS, tokens={"1": b"x" * 32}), stamp, made) is None


@given(st.text(max_size=60) | st.from_regex(r"[0-9]{1,12}-[0-9a-f]{40}", fullmatch=True))
def test_no_stamp_is_forged(text: str) -> None:
    """Whatever is not one of ours is none."""
    assert stamps.age(KEYS, text, NOW) is None
