"""One step of an edition from state to state: a conditional UPDATE, whose row count decides who did it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.editions.rows import head_of
from digest.editions.states import TRANSITIONS, Action, states_for
from digest.editions.tables import editions
from digest.errors import RefusedError


def step(
    connection: Connection,
    slug: str,
    action: Action,
    *conditions: sa.ColumnElement[bool],
    why: str = "",
    mend: str = "",
    **values: Any,
) -> None:
    """One step of the table of states. Raises NotFoundError, or RefusedError: `why` a condition fails."""
    before = states_for(action)
    after = {TRANSITIONS[state, action] for state in before}
    if len(after) == 1:
        values = {"state": after.pop(), **values}
    statement = sa.update(editions).where(editions.c.slug == slug, editions.c.state.in_(before), *conditions)
    if connection.execute(statement.values(**values)).rowcount == 1:
        return
    state = head_of(connection, slug).state
    if state in before:
        raise RefusedError(f"{slug}: {why}", mend=mend)
    raise RefusedError(f"{slug} is {state}: {_REFUSALS[action]}")


_REFUSALS: dict[Action, str] = {
    "refresh": "it is composed no more",
    "arrange": "it is arranged no more",
    "approve": "there is nothing to approve",
    "hold": "it cannot be held any more",
    "release": "it is not held",
    "skip": "it cannot be skipped any more",
    "expire": "it cannot expire",
    "begin": "it cannot begin",
    "pause": "there is nothing to pause",
    "resume": "it is not paused",
    "stop": "it is not going out",
    "seed": "it is not about to go",
    "finish": "it is not being sent",
    "reopen": "it has not been sent",
    "void": "there is no approval to take back",
}
