"""Who may speak for the publication's own systems."""

from __future__ import annotations

from digest.app import App
from subscribers import api_keys
from subscribers.api_keys import ApiKey


def add(app: App, name: str) -> tuple[ApiKey, str]:
    """A new key, and its secret, which is shown once. Raises UsageError for a name that is none."""
    with app.database.begin() as connection:
        return api_keys.add(connection, name, at=app.now)


def revoke(app: App, which: str) -> ApiKey:
    """At once, for every process. Raises NotFoundError, or UsageError where a name is not enough."""
    with app.database.begin() as connection:
        return api_keys.revoke(connection, which, at=app.now)


def everyone(app: App) -> list[ApiKey]:
    with app.database.read() as connection:
        return api_keys.everyone(connection)
