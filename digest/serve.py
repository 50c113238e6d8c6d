"""`digest serve`: the web pages, the scheduler and the sender in one process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue

import structlog

from digest import routine
from digest.app import App, Clock, open_app, system_clock
from digest.config import Config, load
from digest.errors import ConfigError, DigestError
from digest.logs import configure
from digest.post_office import sending, staff_mail, staff_words
from digest.post_office.reader_pages import web_services
from digest.scheduler import Rings
from digest.web.app import create_app
from digest.web.serve import Running
from digest.web.serve import start as start_web

log = structlog.get_logger("digest.serve")

REST = 5.0
"""Seconds that the sender rests when nothing is due; a doorbell wakes it earlier."""
REST_AFTER_TROUBLE = 30.0
"""Seconds before the relay or the database is asked again; a doorbell wakes it earlier."""


class Serving:
    """One process that does it all.

    A changed configuration is taken up between two rings; a broken one is refused, and the old one stays. What goes
    wrong in a ring (the database is away, the relay cannot be reached, the disk is full) is logged with its reason,
    and the next ring tries again: nothing ends the process but a signal."""

    def __init__(self, path: Path, *, clock: Clock = system_clock, environ: Mapping[str, str] = os.environ) -> None:
        self.path = path
        self.clock = clock
        self.environ = environ
        self.seen = _stamp(path)
        self.app = open_app(load(path, environ), clock=clock)
        self.rings = Rings(pull=self.pull, look=self.look)
        self.pages: Running | None = None
        self.stopping = threading.Event()
        self.interrupt = threading.Event()
        self.told = False  # whether staff know that the configuration on disk is refused
        self.doorbell = threading.Event()

    def run(self, say: Callable[[str], None], until: Callable[[], object]) -> None:
        """Serve until `until` returns. The mails in flight finish; the rest waits in the outbox.

        Raises DigestError where the pages' address cannot be had."""
        sender = threading.Thread(target=self.send_what_is_due, name="sender")
        try:
            self.pages = self._open_pages(self.app.config)
            sender.start()
            self.rings.start(self.app)
            say(f"Pages on {self.pages.url}; the scheduler and the sender run. Ctrl-C ends it.")
            until()
            say("Stopping: the mails in flight finish.")
        finally:
            self.stop()
            self.rings.stop()
            if sender.ident is not None:
                sender.join()
            if self.pages is not None:
                self.pages.stop()
            self.app.close()

    def stop(self) -> None:
        """Ask the sender to end."""
        self.stopping.set()
        self.interrupt.set()
        self.doorbell.set()

    def pull(self) -> None:
        """A ring: pull the feeds."""
        self._ring("pull", lambda: routine.pull(self.app))

    def look(self) -> None:
        """A ring: take up a changed configuration, do what is due, wake the sender."""
        self._ring("configuration", self._take_up_configuration)
        self._ring("look", self._look)
        self.doorbell.set()

    def _look(self) -> None:
        for line in routine.step(self.app):
            log.info("done", what=line)

    def _ring(self, what: str, do: Callable[[], None]) -> bool:
        """Do it, or log why it could not be done. Whether it could."""
        try:
            do()
        except (DigestError, OSError) as error:
            log.error(what, reason=" ".join(str(error).split()))  # noqa: TRY400 - its sentence says it all
        except Exception:  # a fault of ours must not end the service; it is logged whole
            log.exception(what, reason="unexpected; please report it")
        else:
            return True
        return False

    def send_what_is_due(self) -> None:
        """The sender's loop: whatever is due, then rest until the doorbell."""
        while not self.stopping.is_set():
            well = self._ring("send", self.deliver)
            self.doorbell.wait(REST if well else REST_AFTER_TROUBLE)
            self.doorbell.clear()

    def deliver(self) -> None:
        """Send whatever is due, and close the books of what is done. Raises DigestError where the relay fails."""
        self.interrupt.clear()
        if self.stopping.is_set():  # looked at after the other is cleared: see stop
            return
        app = self.app
        summary = sending.deliver(app, stop=self.interrupt)
        for report in sending.settle_all(app, summary):
            if report.state != "sending":
                log.info("edition", edition=report.slug, state=report.state, sent=report.books.sent)
                self.doorbell.set()  # the word to staff
        if summary.ended in ("paused", "unreachable"):
            raise DigestError(summary.reason)

    def _take_up_configuration(self) -> None:
        """When the file has changed: take the new one if it is good; else keep the old one and tell staff once."""
        stamp = _stamp(self.path)
        if stamp == self.seen:
            return
        try:
            fresh = self._fresh()
        except DigestError as error:
            self._refuse(str(error))
        else:
            self.app, self.told = fresh, False
            self.rings.follow(fresh)
            self.interrupt.set()  # a run under the old one ends with the mails in flight, and the next begins
            log.info("configuration", path=str(self.path), state="taken up")
        self.seen = stamp

    def _fresh(self) -> App:
        """The application under the changed configuration. Raises DigestError where it cannot be taken."""
        config = load(self.path, self.environ)
        if config.database_url() != self.app.config.database_url():
            raise ConfigError(str(self.path), "[database] url has changed", mend="restart to move to another database")
        fresh = App(config, self.app.database, self.clock)
        _ = fresh.schedule, fresh.publication, fresh.keys  # what is made when it is needed must be good now
        if self.pages is not None and config.web.address() != self.app.config.web.address():
            self._move_pages(config)
        return fresh

    def _open_pages(self, config: Config) -> Running:
        return start_web(create_app(web_services(lambda: self.app)), *config.web.address())

    def _move_pages(self, config: Config) -> None:
        assert self.pages is not None
        self.pages.stop()
        try:
            self.pages = self._open_pages(config)
        except DigestError:
            self.pages = self._open_pages(self.app.config)
            raise
        log.info("pages", url=self.pages.url)

    def _refuse(self, reason: str) -> None:
        log.error("configuration", path=str(self.path), state="refused", reason=reason)
        if self.told:  # once, however often it is saved until it is good
            return
        words = staff_words.notice("The changed configuration was refused", "The old one stays in force.", reason)
        with self.app.database.begin() as connection:
            staff_mail.tell(
                self.app, connection, "staff-notice", key=f"config-{self.app.now.isoformat()}", context=words
            )
        self.told = True


def _stamp(path: Path) -> tuple[int, int, int]:
    """What changes when the file is written anew, or another takes its place; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def run(path: Path, *, say: Callable[[str], None]) -> None:
    """The command: serve until SIGINT or SIGTERM asks to stop; a second one ends it at once, which loses nothing."""
    configure(verbose=True)
    # A queue, because putting into it is safe in a signal handler; an Event's lock is not.
    asked: SimpleQueue[int] = SimpleQueue()

    def ask(number: int, _frame: object) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_DFL)
        asked.put(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    Serving(path).run(say, asked.get)
