"""A reader's own data, as they download it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from digest.app import App
from digest.delivery import history
from subscribers import own_data


def own_data_of(app: App, number: int) -> str | None:
    """Everything that we hold of this reader, as JSON; None where there is nobody."""
    with app.database.read() as connection:
        found = own_data.of_reader(connection, number)
        if found is None:
            return None
        found["deliveries"] = history.of_reader(connection, number, found["profile"]["address"])
    whole = {"publication": app.publication.name, "made_at": app.now, **found}
    return json.dumps(whole, ensure_ascii=False, indent=2, default=_plain) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a download cannot hold a {type(value).__name__}")
