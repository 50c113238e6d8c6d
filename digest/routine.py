"""The weekly routine: what is to be done now, decided by the schedule and the database alone.

Each step is harmless when it is done twice, late, or on two machines at once: the database's unique keys and
conditional updates decide. The scheduler only says when to look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy.engine import Connection

from digest.app import App
from digest.editions import store as editions
from digest.editions.focus import missing_next
from digest.editions.model import Period
from digest.editions.schedule import Schedule, periods
from digest.editions.states import due_now
from digest.editions.store import EditionHead, EditionRow
from digest.errors import RefusedError
from digest.newsroom import drafts, follow_up, intake
from digest.post_office import holding, seeding, signups, staff_mail, staff_words, starting
from digest.which import due

log = structlog.get_logger("digest.routine")

WEEK = timedelta(days=7)


def pull(app: App) -> None:
    """Pull the feeds."""
    for report in intake.pull(app):
        log.info("pull", feed=report.url, state=report.state, new=report.new, changed=report.changed)


def step(app: App) -> list[str]:
    """Do what is due now; returns what was done, for the log.

    Looks at the edition due and at every open one whose deadline may have passed while nobody looked. Sign-ups are
    answered with a schedule or without."""
    done = _sign_ups(app)
    if app.schedule is None:
        return done
    with app.database.read() as connection:
        overdue = editions.overdue(connection, app.now)
    for head in overdue:
        _expire(app, head)
        done.append(f"expired {head.slug}")
    _tell_of_week_without_draft(app, app.schedule)
    period = due(app)
    row = _row(app, period.slug)
    try:
        if row is not None and row.state == "approved" and holding.approval_is_void(app, row):
            row = holding.void(app, row)
            done.append(f"voided {row.slug}")
        done += _act(app, period, row)
    except RefusedError as error:
        # another process was first, or a rule forbids it: said, and looked at again next time
        log.info("refused", edition=period.slug, reason=str(error))
    _tell_of_missing_focus(app)
    return done


def _sign_ups(app: App) -> list[str]:
    answered = signups.answer_waiting(app)
    forgotten = signups.forget_unconfirmed(app)
    done = [answered.sentence()] if answered.any else []
    return [*done, f"forgot {forgotten} who never confirmed"] if forgotten else done


def _row(app: App, slug: str) -> EditionRow | None:
    with app.database.read() as connection:
        return editions.load(connection, slug)


def _act(app: App, period: Period, row: EditionRow | None, *, looked: bool = False) -> list[str]:
    """`looked`: whether the articles' pages have been looked at just now."""
    action = due_now(app.now, period, row.state if row else None, automatic=app.approves_itself)
    if action == "compose":
        drafts.compose_draft(app, period.day)
        return [f"composed {period.slug}", *_act(app, period, _row(app, period.slug))]
    if row is None:
        return []
    if action == "send":
        return _start(app, row, looked=looked)
    if action == "hold":
        return _hold(app, row, [holding.UNAPPROVED])
    if seeding.is_due(app, row, period):
        return _start(app, row, looked=looked)
    return []


def _start(app: App, row: EditionRow, *, looked: bool) -> list[str]:
    """Seed it, and when the seed list has had its time begin to send; unless a rule holds it at this last moment, or it
    is not what it was."""
    if seeding.waits(app, row):
        return []
    unlawful = app.config.lawful_for_sending
    why = [holding.Reason("unlawful", unlawful)] if unlawful else []
    if not row.override_reason:
        why += holding.reasons(app, row.edition)
    if why:
        return _hold(app, row, why)
    if not looked and follow_up.before_start(app, row.slug):
        return [f"changed {row.slug}", *_act(app, row.period, _row(app, row.slug), looked=True)]
    new = row.seeded_at is None
    rest_at = seeding.seed(app, row)
    seeded = [f"seeded {row.slug}"] if rest_at is not None and new else []
    if rest_at is not None and app.now < rest_at:
        return seeded
    starting.start(app, row)
    return [*seeded, f"started {row.slug}"]


def _hold(app: App, row: EditionRow, why: Sequence[holding.Reason]) -> list[str]:
    with app.database.begin() as connection:
        if holding.fresh(connection, row.slug).state != row.state:  # an editor has spoken since we looked
            return []
        holding.hold(app, connection, row, why)
    return [f"held {row.slug}"]


def _expire(app: App, row: EditionHead) -> None:
    """It should have gone and did not: held for good, its articles given back, and staff told above all."""
    with app.database.begin() as connection:
        if editions.expire(connection, row.slug, at=app.now):
            _tell_missed(app, connection, row.period, staff_words.why_missed(row))


def _tell_of_week_without_draft(app: App, schedule: Schedule) -> None:
    """The last edition was not even drafted: nothing ran from its moment to compose until its deadline.

    A publication that had no edition before has only just begun, and missed nothing."""
    last = next(periods(app.now - WEEK, schedule, app.zone))
    if last.deadline is None or last.deadline >= app.now:
        return
    with app.database.begin() as connection:
        known = editions.list_editions(connection)
        if known and known[-1].day < last.day and all(head.slug != last.slug for head in known):
            _tell_missed(app, connection, last, staff_words.NEVER_DRAFTED)


def _tell_missed(app: App, connection: Connection, period: Period, reason: str) -> None:
    words = staff_words.missed(period, reason)
    staff_mail.tell(app, connection, "staff-missed", key=f"{period.slug}-missed", context=words)


def _tell_of_missing_focus(app: App) -> None:
    sentence = missing_next(app.now.astimezone(app.zone).date(), app.config.focus_calendar())
    if sentence:
        with app.database.begin() as connection:
            words = staff_words.notice("The focus calendar ends", sentence)
            staff_mail.tell(app, connection, "staff-notice", key=f"focus-{sentence}", context=words)
