"""The weekly routine: what is to be done now, decided by the schedule and the database alone.

Each step is harmless when it is done twice, late, or on two machines at once: the database's unique keys and
conditional updates decide. The scheduler only says when to look."""

from __future__ import annotations

import structlog

from digest.app import App
from digest.editions import store as editions
from digest.editions.focus import missing_next
from digest.editions.model import Period
from digest.editions.states import due_now
from digest.editions.store import EditionHead, EditionRow
from digest.errors import RefusedError
from digest.newsroom import drafts, intake
from digest.newsroom.editing import UNAPPROVED
from digest.post_office import staff_mail, staff_words, starting
from digest.which import due

log = structlog.get_logger("digest.routine")


def pull(app: App) -> None:
    """Pull the feeds, and release an edition that only waited for them."""
    for report in intake.pull(app):
        log.info("pull", feed=report.url, state=report.state, new=report.new, changed=report.changed)
    _look_at_holds(app)


def _look_at_holds(app: App) -> None:
    """A draft that a rule holds is composed anew: when the rule no longer holds it, it is released."""
    row = _row(app, due(app).slug)
    if row is not None and row.state == "held" and row.held_by_rule:
        drafts.compose_draft(app, row.day)


def step(app: App) -> list[str]:
    """Do what is due now; returns what was done, for the log.

    Looks at the edition due and at every open one whose deadline may have passed while nobody looked."""
    if app.schedule is None:
        return []
    done = []
    with app.database.read() as connection:
        overdue = editions.overdue(connection, app.now)
    for head in overdue:
        _expire(app, head)
        done.append(f"expired {head.slug}")
    period = due(app)
    done += _act(app, period, _row(app, period.slug))
    _tell_of_missing_focus(app)
    return done


def _row(app: App, slug: str) -> EditionRow | None:
    with app.database.read() as connection:
        return editions.load(connection, slug)


def _act(app: App, period: Period, row: EditionRow | None) -> list[str]:
    automatic = app.approves_itself
    action = due_now(app.now, period, row.state if row else None, automatic=automatic)
    if action is None:
        return []
    try:
        if action == "compose":
            drafts.compose_draft(app, period.day)
            return [f"composed {period.slug}", *_act(app, period, _row(app, period.slug))]
        assert row is not None
        if action == "send":
            return _start(app, row)
        if action == "hold":
            _hold(app, row, UNAPPROVED)
    except (
        RefusedError
    ) as error:  # another process was first, or a rule forbids it: said, and looked at again next time
        log.info("refused", edition=period.slug, reason=str(error))
        return []
    return [f"{action} {period.slug}"]


def _start(app: App, row: EditionRow) -> list[str]:
    """Begin to send, unless a rule holds it at this last moment."""
    why = app.config.lawful_for_sending
    reasons = [why] if why else []
    if not row.override_reason:
        reasons += drafts.holding_reasons(app, row.edition)
    if starting.approval_is_void(app, row):
        reasons.append("the templates or the settings have changed since it was approved")
    if reasons:
        _hold(app, row, "; ".join(reasons))
        return [f"held {row.slug}"]
    starting.start(app, row)
    return [f"started {row.slug}"]


def _hold(app: App, row: EditionRow, reason: str) -> None:
    with app.database.begin() as connection:
        editions.hold(connection, row.slug, reason, app.now)
        words = staff_words.held(row, [reason])
        staff_mail.tell(app, connection, "staff-held", key=f"{row.slug}-held-{reason}", context=words)


def _expire(app: App, row: EditionHead) -> None:
    """It should have gone and did not: held for good, its articles given back, and staff told above all."""
    with app.database.begin() as connection:
        if editions.expire(connection, row.slug, at=app.now):
            words = staff_words.missed(row)
            staff_mail.tell(app, connection, "staff-missed", key=f"{row.slug}-missed", context=words)


def _tell_of_missing_focus(app: App) -> None:
    sentence = missing_next(app.now.astimezone(app.zone).date(), app.config.focus_calendar())
    if sentence:
        with app.database.begin() as connection:
            words = staff_words.notice("The focus calendar ends", sentence)
            staff_mail.tell(app, connection, "staff-notice", key=f"focus-{sentence}", context=words)
