"""What came back, for staff to look at."""

from __future__ import annotations

from digest.app import App
from digest.bounces import store as bounces
from digest.bounces.model import Kind
from digest.bounces.store import Return
from digest.errors import UsageError


def listed(app: App, *, limit: int, kind: str | None = None) -> list[Return]:
    """The newest first. Raises UsageError for a kind that is none."""
    if kind is not None and kind not in list(Kind):
        raise UsageError(f"--kind {kind!r} is none", mend=f"it is one of {', '.join(Kind)}")
    with app.database.read() as connection:
        return list(bounces.newest(connection, limit=limit, kind=kind))
