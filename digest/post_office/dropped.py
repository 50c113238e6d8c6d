"""Readers whose regions the configuration has dropped: they get everything until they choose again."""

from __future__ import annotations

from digest.app import App
from subscribers import candidates


def dropped_choices(app: App) -> dict[str, int]:
    """How many readers get everything because all that they chose is no more, by what they had chosen."""
    names = app.publication.region_names
    with app.database.read() as connection:
        found = candidates.count_by_choice(connection, app.now)
    return {", ".join(choice): count for choice, count in found.items() if choice and not set(choice) & set(names)}


def sentence(app: App) -> str:
    """What staff should know of them; "" where there are none."""
    parts = [f"{count} chose only {choice}" for choice, count in sorted(dropped_choices(app).items())]
    return (
        f"of the readers {'; '.join(parts)}, which the configuration has no more: they get everything, and their own "
        "page says so; to change that, put the region back under [[regions]]"
        if parts
        else ""
    )
