"""What may be done with an edition in which state, and what is to be done with one now. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from digest.editions.model import Period, State

Action = Literal[
    "refresh", "arrange", "approve", "hold", "release", "skip", "expire",
    "begin", "pause", "resume", "stop", "finish", "reopen", "void", "seed",
]  # fmt: skip
Due = Literal["compose", "send", "hold", "expire"]

TRANSITIONS: dict[tuple[State, Action], State] = {
    ("draft", "refresh"): "draft",
    ("approved", "refresh"): "approved",  # back to draft where the content changed: see store.save_draft
    ("held", "refresh"): "held",
    ("draft", "arrange"): "draft",
    ("approved", "arrange"): "approved",
    ("held", "arrange"): "held",
    ("draft", "approve"): "approved",
    ("held", "approve"): "approved",  # an override: by name and with a reason
    ("draft", "hold"): "held",
    ("approved", "hold"): "held",
    ("held", "hold"): "held",  # a new reason takes the place of the old one
    ("held", "release"): "draft",  # or approved, where the approval still covers the content
    ("draft", "skip"): "skipped",
    ("approved", "skip"): "skipped",
    ("held", "skip"): "skipped",
    ("draft", "expire"): "held",
    ("approved", "expire"): "held",
    ("held", "expire"): "held",
    ("draft", "begin"): "sending",  # only where approval is automatic
    ("approved", "begin"): "sending",
    ("sending", "pause"): "paused",
    ("paused", "resume"): "sending",
    ("sending", "stop"): "sending",  # until what is in flight is settled
    ("paused", "stop"): "sending",
    ("sending", "finish"): "sent",
    ("sent", "reopen"): "sending",  # an uncertain delivery is sent again, or a correction goes out
    ("approved", "void"): "draft",
    ("draft", "seed"): "draft",  # only where approval is automatic
    ("approved", "seed"): "approved",
}
"""The one table of legal steps; every other pair is refused."""

OPEN: tuple[State, ...] = ("draft", "approved", "held")
"""Not begun: its articles are only reserved."""

BEGUN: tuple[State, ...] = ("sending", "paused", "sent")
"""Its articles are carried for ever."""


def can(state: State, action: Action) -> bool:
    """Whether this may be done with an edition in this state."""
    return (state, action) in TRANSITIONS


def states_for(action: Action) -> tuple[State, ...]:
    """The states in which this may be done."""
    return tuple(state for state, step in TRANSITIONS if step == action)


def should_compose(now: datetime, period: Period, state: State | None) -> bool:
    """There is no draft yet, its moment has come (however late we look), and its deadline has not passed."""
    if state is not None or period.compose_at is None or period.deadline is None:
        return False
    return period.compose_at <= now <= period.deadline


def should_send(now: datetime, period: Period, state: State | None, *, automatic: bool) -> bool:
    """Its send moment has come, its deadline has not passed, and it is approved (or needs no approval)."""
    return _in_window(now, period) and (state == "approved" or (automatic and state == "draft"))


def should_seed(now: datetime, period: Period, state: State | None, *, automatic: bool, lead: timedelta) -> bool:
    """The seed list's moment has come, `lead` before that to send, and it may go as far as anybody's word matters."""
    if period.send_at is None or period.deadline is None:
        return False
    may_go = state == "approved" or (automatic and state == "draft")
    return may_go and period.send_at - lead <= now <= period.deadline


def should_hold(now: datetime, period: Period, state: State | None, *, automatic: bool) -> bool:
    """Its send moment has come and nobody has approved it."""
    return _in_window(now, period) and state == "draft" and not automatic


def expired(now: datetime, period: Period, state: State | None) -> bool:
    """It has not begun and its deadline has passed. (The deadline's own moment is still in time.)"""
    return period.deadline is not None and now > period.deadline and state in OPEN


def due_now(now: datetime, period: Period, state: State | None, *, automatic: bool) -> Due | None:
    """The one thing to be done with an edition now, or None; `state` is None where it does not exist yet.

    Without a schedule (a period of a day alone) nothing is ever due by itself."""
    if should_compose(now, period, state):
        return "compose"
    if should_send(now, period, state, automatic=automatic):
        return "send"
    if should_hold(now, period, state, automatic=automatic):
        return "hold"
    return "expire" if expired(now, period, state) else None


def _in_window(now: datetime, period: Period) -> bool:
    if period.send_at is None or period.deadline is None:
        return False
    return period.send_at <= now <= period.deadline
