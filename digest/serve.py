"""`digest serve`: the web pages, the scheduler and the sender in one process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from digest import routine, scheduler
from digest.app import App, Clock, open_app, system_clock
from digest.config import load
from digest.errors import ConfigError, DigestError
from digest.logs import configure
from digest.post_office import sending, staff_mail, staff_words
from digest.post_office.reader_pages import web_services
from digest.web.app import create_app
from digest.web.serve import start as start_web

log = structlog.get_logger("digest.serve")

REST = 5.0
"""Seconds that the sender rests when nothing is due; a doorbell wakes it earlier."""


class Serving:
    """One process that does it all. A changed configuration is taken up between two rings; a broken one is refused."""

    def __init__(self, path: Path, *, clock: Clock = system_clock) -> None:
        self.path = path
        self.clock = clock
        self.app = open_app(load(path, os.environ), clock=clock)
        self.seen = _stamp(path)
        self.stopping = threading.Event()
        self.doorbell = threading.Event()
        self.busy = threading.Lock()

    def run(self, say: Callable[[str], None]) -> None:
        """Serve until SIGINT or SIGTERM. The mails in flight finish; the rest waits in the outbox."""
        web = start_web(create_app(web_services(lambda: self.app)), *self.app.config.web.address())
        clock = scheduler.start(self.app, pull=self.pull, look=self.look)
        sender = threading.Thread(target=self.send_what_is_due, name="sender")
        sender.start()
        say(f"Pages on {web.url}; the scheduler and the sender run. Ctrl-C ends it.")
        try:
            self.stopping.wait()
        finally:
            self.stopping.set()
            self.doorbell.set()
            clock.shutdown(wait=False)
            sender.join()
            web.stop()
            self.app.close()

    def stop(self) -> None:
        self.stopping.set()
        self.doorbell.set()

    def pull(self) -> None:
        self._guarded("pull", lambda: routine.pull(self.app))

    def look(self) -> None:
        """A sweep: take up a changed configuration, do what is due, wake the sender."""
        self.take_up_configuration()
        self._guarded("look", self._look)

    def _look(self) -> None:
        for line in routine.step(self.app):
            log.info("done", what=line)
        self.doorbell.set()

    def _guarded(self, what: str, do: Callable[[], None]) -> None:
        """A failure (the database is away, the disk is full) is said, and the next ring tries again."""
        with self.busy:
            try:
                do()
            except (DigestError, OSError) as error:
                log.error(what, reason=str(error))

    def send_what_is_due(self) -> None:
        """The sender's loop: whatever is due, then rest until the doorbell."""
        while not self.stopping.is_set():
            try:
                if not self.app.config.lawful_for_sending:
                    sending.settle_all(self.app, sending.deliver(self.app, stop=self.stopping))
            except (DigestError, OSError) as error:
                log.error("send", reason=str(error))
            self.doorbell.wait(REST)
            self.doorbell.clear()

    def take_up_configuration(self) -> None:
        """When the file has changed: take the new one if it is good; else keep the old one and tell staff once."""
        stamp = _stamp(self.path)
        if stamp == self.seen:
            return
        self.seen = stamp
        try:
            fresh = load(self.path, os.environ)
            if fresh.database_url() != self.app.config.database_url():
                raise ConfigError(
                    str(self.path), "[database] url has changed", mend="restart to move to another database"
                )
        except DigestError as error:
            self._refuse(str(error))
            return
        self.app = App(fresh, self.app.database, self.clock)
        log.info("configuration", path=str(self.path), state="taken up")

    def _refuse(self, reason: str) -> None:
        log.error("configuration", path=str(self.path), state="refused", reason=reason)
        with self.app.database.begin() as connection:
            staff_mail.tell(
                self.app, connection, "staff-notice", key=f"config-{reason}-{self.app.now:%Y-%m-%d}",
                context=staff_words.notice("The changed configuration was refused", "The old one stays in force.", reason),
            )  # fmt: skip


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def run(path: Path, *, say: Callable[[str], None]) -> None:
    """The command: serve until a signal asks to stop."""
    configure(verbose=True)
    serving = Serving(path)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: serving.stop())
    serving.run(say)
