"""Writing wishes down, many in one transaction: a burst must neither wait for its own commits nor lose a wish."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from digest.app import App
from subscribers import wishes
from subscribers.wishes import Wish


@dataclass(slots=True)
class _Entry:
    wish: Wish
    error: Exception | None = None
    written: bool = False


class WishBook:
    """Whoever holds the pen writes for all who came while the pen was in use; each returns when theirs is kept."""

    def __init__(self) -> None:
        self._pen = threading.Lock()
        self._waiting: list[_Entry] = []
        self._mutex = threading.Lock()

    def write(self, app: App, wish: Wish) -> None:
        """Keep a wish. Raises whatever kept it from being kept, such as DigestError for a database that is away."""
        mine = _Entry(wish)
        with self._mutex:
            self._waiting.append(mine)
        with self._pen:
            if not mine.written and mine.error is None:
                self._write(app)
        if mine.error is not None:
            raise mine.error

    def _write(self, app: App) -> None:
        with self._mutex:
            batch, self._waiting = self._waiting, []
        try:
            with app.database.begin() as connection:
                wishes.write_down(connection, app.keys, [entry.wish for entry in batch])
        except Exception as error:  # noqa: BLE001 - raised by each that waits, in its own thread
            for entry in batch:
                entry.error = error
            return
        for entry in batch:
            entry.written = True
