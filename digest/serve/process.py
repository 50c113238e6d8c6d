"""One process in one or several roles: `digest serve` has them all; `web`, `scheduler` and `worker` have one each."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

import structlog

from digest import routine
from digest.app import App, Clock, system_clock
from digest.config import Config
from digest.errors import DigestError
from digest.logs import configure
from digest.post_office import mailbox, sending, settling, signups, staff_mail, staff_words
from digest.scheduler import SWEEP, Rings
from digest.serve.configuration import Configuration
from digest.serve.rounds import Rounds, attempt
from digest.web.serve import Running
from digest.web.serve import start as start_web

log = structlog.get_logger("digest.serve")

Role = Literal["web", "scheduler", "worker"]
EVERYTHING: tuple[Role, ...] = ("web", "scheduler", "worker")

POLL = 1.0
"""Seconds that a worker rests when nothing is due: it is the doorbell between machines, and costs one look at an
index."""

RETURNS = timedelta(minutes=3)
"""How often the bounce mailbox is read."""


class Serving:
    """One process, in one role or in several; as many processes as one likes.

    A changed configuration is taken up between two rings; a broken one is refused, and the old one stays. What goes
    wrong in a ring (the database is away, the relay cannot be reached, the disk is full) is logged with its reason,
    and the next ring tries again: nothing ends the process but a signal."""

    def __init__(
        self,
        path: Path,
        *,
        roles: Collection[Role] = EVERYTHING,
        clock: Clock = system_clock,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.roles = roles
        self.configuration = Configuration(path, environ, clock)
        self.app = self.configuration.open()
        self.rings = Rings(pull=self.pull, look=self.look)
        self.sign_ups = Rounds("sign-ups", self.answer_sign_ups, rest=SWEEP.total_seconds())
        self.rounds = self._rounds()
        self.pages: Running | None = None
        self.stopping = threading.Event()
        self.interrupt = threading.Event()
        self.read_at: datetime | None = None  # when the bounce mailbox was read last
        self.told = False  # whether staff know that the configuration on disk is refused
        self.taking = threading.Lock()  # two rings may look at once, and each would move the pages

    def _rounds(self) -> list[Rounds]:
        rounds = [self.sign_ups] if "web" in self.roles else []
        if "worker" in self.roles:
            rounds.append(Rounds("send", self.deliver, rest=POLL))
        if "scheduler" not in self.roles:  # there the rings look
            rounds.append(Rounds("look", self.look, rest=SWEEP.total_seconds()))
        else:
            rounds.append(Rounds("returns", self.read_returns, rest=RETURNS.total_seconds()))
        return rounds

    def run(self, say: Callable[[str], None], until: Callable[[], object]) -> None:
        """Serve until `until` returns. The mails in flight finish; the rest waits in the outbox.

        Raises DigestError where the pages' address cannot be had."""
        try:
            if "web" in self.roles:
                self.pages = self._open_pages(self.app.config)
            for one in self.rounds:
                one.start()
            if "scheduler" in self.roles:
                self.rings.start(self.app)
            say(f"{self._what_runs()} Ctrl-C ends it.")
            until()
            say("Stopping: the mails in flight finish." if "worker" in self.roles else "Stopping.")
        finally:
            self.stop()
            self.rings.stop()
            for one in self.rounds:
                one.join()
            if self.pages is not None:
                self.pages.stop()
            self.app.close()

    def _what_runs(self) -> str:
        names = {"scheduler": "the scheduler", "worker": "the sender"}
        others = [names[role] for role in EVERYTHING if role in self.roles and role in names]
        words = " and ".join(others)
        if others:
            words += " run." if len(others) > 1 else " runs."
        pages = f"Pages on {self.pages.url}" if self.pages is not None else ""
        if pages and words:
            return f"{pages}; {words}"
        return f"{pages}." if pages else words[:1].upper() + words[1:]

    def stop(self) -> None:
        """Ask every thread to end."""
        self.stopping.set()
        self.interrupt.set()
        for one in self.rounds:
            one.stop()

    def pull(self) -> None:
        """A ring: pull the feeds."""
        attempt("pull", lambda: routine.pull(self.app))

    def look(self) -> None:
        """A ring: take up a changed configuration, do what is due, wake the sender."""
        attempt("configuration", self._take_up_configuration)
        if "scheduler" in self.roles:
            attempt("look", self._look)
            self._wake()

    def _look(self) -> None:
        for line in routine.step(self.app):
            log.info("done", what=line)

    def _wake(self) -> None:
        for one in self.rounds:
            one.ring()

    def answer_sign_ups(self) -> None:
        """Whoever signs up gets a mail to confirm by, whether an edition is going out or not."""
        answered = signups.answer_waiting(self.app)
        if answered.any:
            log.info("sign-ups", what=answered.sentence())

    def read_returns(self) -> None:
        """Read the bounce mailbox, where there is one, every few minutes, however often the doorbell rings."""
        app = self.app
        if not mailbox.is_configured(app) or (self.read_at is not None and app.now - self.read_at < RETURNS):
            return
        self.read_at = app.now
        report = mailbox.read(app, stop=self.stopping.is_set)
        if report.read:
            log.info("returns", what=report.sentence())
            self._wake()  # the word to staff, where an edition was stopped

    def deliver(self) -> None:
        """Send whatever is due, and close the books of what is done. Raises DigestError where the relay fails."""
        self.interrupt.clear()
        if self.stopping.is_set():  # looked at after the other is cleared: see stop
            return
        app = self.app
        summary = sending.deliver(app, stop=self.interrupt) if sending.has_work(app) else None
        for report in settling.settle_all(app, summary):
            if report.state != "sending":
                log.info("edition", edition=report.slug, state=report.state, sent=report.books.sent)
                self._wake()  # the word to staff
        if summary is not None and summary.ended in ("paused", "unreachable"):
            raise DigestError(summary.reason)

    def _take_up_configuration(self) -> None:
        """When the file has changed: take the new one if it is good; else keep the old one and tell staff once."""
        with self.taking:
            refused = self.configuration.take_up(self.app, self._take)
            if refused is not None:
                self._refuse(str(refused))

    def _take(self, fresh: App) -> None:
        if self.pages is not None and fresh.config.web.address() != self.app.config.web.address():
            self._move_pages(fresh.config)
        self.app, self.told = fresh, False
        if "scheduler" in self.roles:
            self.rings.follow(fresh)
        self.interrupt.set()  # a run under the old one ends with the mails in flight, and the next begins
        log.info("configuration", path=str(self.configuration.path), state="taken up")

    def _open_pages(self, config: Config) -> Running:
        from digest.post_office.web import web_app  # the framework: only where there are pages

        return start_web(web_app(lambda: self.app, self.sign_ups.ring), *config.web.address())

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
        log.error("configuration", path=str(self.configuration.path), state="refused", reason=reason)
        if self.told:  # once, however often it is saved until it is good
            return
        words = staff_words.notice("The changed configuration was refused", "The old one stays in force.", reason)
        with self.app.database.begin() as connection:
            staff_mail.tell(
                self.app, connection, "staff-notice", key=f"config-{reason}-{self.app.now:%Y-%m-%d}", context=words
            )
        self.told = True


def run(path: Path, *, roles: Collection[Role] = EVERYTHING, say: Callable[[str], None]) -> None:
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
    Serving(path, roles=roles).run(say, asked.get)
