"""The table of states, and what is to be done now."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest

from digest.editions.model import Period, State
from digest.editions.states import BEGUN, TRANSITIONS, Action, can, due_now, states_for

SEND = datetime(2026, 11, 27, 14, tzinfo=UTC)
PERIOD = Period(date(2026, 11, 27), SEND - timedelta(hours=17), SEND, SEND + timedelta(hours=12))

LEGAL = {
    "draft": {"refresh", "arrange", "approve", "hold", "skip", "expire", "begin", "seed"},
    "approved": {"void", "refresh", "arrange", "hold", "skip", "expire", "begin", "seed"},
    "held": {"refresh", "arrange", "approve", "hold", "release", "skip", "expire"},
    "sending": {"pause", "stop", "finish"},
    "paused": {"resume", "stop"},
    "sent": {"reopen"},
    "skipped": set(),
}


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("action", get_args(Action))
def test_every_step_is_legal_or_refused(state: State, action: Action) -> None:
    """What has begun is never changed, skipped or begun again; what is over stays over."""
    assert can(state, action) is (action in LEGAL[state])
    assert (state in states_for(action)) is can(state, action)


def test_nothing_leaves_skipped_and_nothing_returns_from_begun() -> None:
    """Once begun, an edition only goes on; articles that left are never given back."""
    for (state, _action), after in TRANSITIONS.items():
        assert state != "skipped"
        if state in BEGUN:
            assert after in BEGUN


@pytest.mark.parametrize(
    ("hours", "state", "automatic", "due"),
    [
        (-18, None, False, None),
        (-17, None, False, "compose"),
        (3, None, False, "compose"),
        (13, None, False, None),
        (-1, "draft", True, None),
        (0, "draft", True, "send"),
        (0, "draft", False, "hold"),
        (0, "approved", False, "send"),
        (12, "approved", False, "send"),
        (12.01, "approved", False, "expire"),
        (12.01, "draft", True, "expire"),
        (12.01, "held", False, "expire"),
        (1, "held", False, None),
        (1, "held", True, None),
        (1, "sending", False, None),
        (1, "paused", False, None),
        (20, "sent", False, None),
        (20, "sending", False, None),
        (20, "skipped", False, None),
    ],
)
def test_what_is_due_now(hours: float, state: State | None, automatic: bool, due: str | None) -> None:
    """Compose in its time however late, send in the window what may go, hold or expire the rest."""
    assert due_now(SEND + timedelta(hours=hours), PERIOD, state, automatic=automatic) == due


@pytest.mark.parametrize("state", [None, *get_args(State)])
def test_without_a_schedule_nothing_runs_by_itself(state: State | None) -> None:
    """A period of a day alone has nothing due, ever."""
    assert due_now(SEND, Period(date(2026, 11, 27)), state, automatic=True) is None
