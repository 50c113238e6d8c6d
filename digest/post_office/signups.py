"""Double opt-in: wishes are answered by mail, outside of the request that brought them.

A wish is taken off the table in the transaction that puts its mail into the outbox: killed at any moment, it is
answered once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.engine import Connection

from digest.app import App
from digest.database import one_at_a_time
from digest.delivery import erasing
from digest.delivery import store as outbox
from digest.post_office import staff_mail, staff_words
from digest.post_office.mail import sender_domain
from digest.post_office.reader_mail import render_for
from digest.rendering import store as renditions
from digest.rendering.model import Rendition
from subscribers import confirmations, mail_limits, signup, wishes
from subscribers.mail_limits import Room
from subscribers.wishes import Wish

BATCH = 100
PATIENCE = timedelta(hours=72)
"""A wish that waits for longer is forgotten: the mail would come out of the blue."""
MAILS = {signup.CONFIRM: "confirmation", signup.ALREADY: "already"}
"""Purpose → the folder of its templates."""

Rendered = dict[tuple[str, str], Rendition]


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of the wishes: so many mails to confirm, to say that one is subscribed already, and none at all.
    `waiting` still wait for room."""

    confirm: int = 0
    already: int = 0
    nothing: int = 0
    waiting: int = 0

    @property
    def any(self) -> bool:
        return bool(self.confirm or self.already or self.nothing)

    def sentence(self) -> str:
        waiting = f", {self.waiting} waiting" if self.waiting else ""
        return (
            f"sign-ups: {self.confirm} to confirm, {self.already} subscribed already, {self.nothing} no mail{waiting}"
        )


def ask(app: App, wish: Wish) -> None:
    """Write a wish down; `answer_waiting` answers it. This looks at nothing, so that it tells nothing."""
    with app.database.begin() as connection:
        wishes.write_down(connection, app.keys, [wish])


def answer_waiting(app: App) -> Answered:
    """Answer every wish that there is room for. Again is harmless; two at once take turns."""
    with app.database.read() as connection:
        if not wishes.any_waiting(connection):
            return Answered()
    told: dict[str, int] = {}
    rendered: Rendered = {}
    last = 0
    while True:
        with app.database.read() as connection:
            batch = wishes.waiting(connection, after=last, limit=BATCH)
            full = not mail_limits.room_in_all(connection, at=app.now)
        if not batch or full:
            break
        for language in {wish.language for wish in batch}:
            for purpose, name in MAILS.items():
                if (purpose, language) not in rendered:
                    rendered[purpose, language] = render_for(app, name, language, {})
        last = batch[-1].id
        with app.database.begin() as connection:
            one_at_a_time(connection, "sign-ups")
            for what, count in _answer(app, connection, after=batch[0].id - 1, last=last, rendered=rendered).items():
                told[what] = told.get(what, 0) + count
    with app.database.begin() as connection:
        forgotten = wishes.forget_older(connection, app.now - PATIENCE)
        waiting = wishes.count(connection)
        if waiting:
            _tell_staff(app, connection, waiting, forgotten)
    return Answered(told.get(signup.CONFIRM, 0), told.get(signup.ALREADY, 0), told.get(Room.ENOUGH, 0), waiting)


def _answer(app: App, connection: Connection, *, after: int, last: int, rendered: Rendered) -> dict[str, int]:
    """Those of one batch that are still there: another process may have been quicker."""
    told: dict[str, int] = {}
    done: list[int] = []
    mails: list[outbox.NewDelivery] = []
    for wish in wishes.waiting(connection, after=after, limit=BATCH):
        if wish.id > last or (signup.CONFIRM, wish.language) not in rendered:
            continue
        answer = signup.answer(connection, app.keys, wish, at=app.now)
        if answer is Room.LATER:
            continue
        done.append(wish.id)
        if isinstance(answer, Room):
            told[answer] = told.get(answer, 0) + 1
            continue
        told[answer.purpose] = told.get(answer.purpose, 0) + 1
        made = rendered[answer.purpose, wish.language]
        mails.append(
            outbox.NewDelivery(
                mail="confirmation", key=answer.confirmation.token_id, address=answer.reader.address,
                rendition=renditions.save(connection, made, now=app.now), subscriber=answer.reader.id,
            )
        )  # fmt: skip
    outbox.enqueue(connection, mails, domain=sender_domain(app), now=app.now)
    wishes.forget(connection, done)
    return told


def _tell_staff(app: App, connection: Connection, waiting: int, forgotten: int) -> None:
    """A burst, told once a day however often it is looked at."""
    limits = f"{mail_limits.IN_ALL} an hour in all, {mail_limits.TO_A_DOMAIN} to one domain"
    sentences = [
        f"{waiting} sign-ups wait their turn: more came than confirmation mails may go, which is {limits}.",
        "If the publication was not in the news, somebody may be abusing the form.",
        "Whoever does not press the button in the mail is not subscribed, and no mailbox gets a second mail that day.",
    ]
    if forgotten:
        sentences.append(f"{forgotten} had waited for three days and were forgotten.")
    words = staff_words.notice("Sign-ups are waiting", *sentences, command="digest subscribers list --status pending")
    staff_mail.tell(app, connection, "staff-notice", key=f"sign-ups {app.now:%Y-%m-%d}", context=words)


def forget_unconfirmed(app: App) -> int:
    """Whoever was asked a month ago and never confirmed is forgotten; returns how many."""
    with app.database.read() as connection:
        if not confirmations.any_older(connection, app.now - signup.KEPT):
            return 0
    with app.database.begin() as connection:
        numbers = signup.forget_unconfirmed(connection, at=app.now)
        for number in numbers:
            erasing.erase(connection, number, now=app.now)
    return len(numbers)
