"""One connection's thread: takes jobs, keeps a session open, writes the journal, and hands on what became
of each."""

from __future__ import annotations

from queue import Empty
from time import monotonic

from digest.delivery.claims import Settlement, settlement
from digest.delivery.journal import Journal
from digest.delivery.model import Outcome, Status, Verdict
from digest.delivery.policy import accepted, classify
from digest.delivery.relays import Relay
from digest.delivery.run import HeldClaim, Job, Run
from digest.delivery.session import Reply, SessionError
from digest.delivery.smtp import Client
from digest.errors import DigestError

_IDLE = 2.0  # seconds; then the session is ended
_TRIES = 3  # sessions that may fail one after the other before the relay counts as unreachable
_BROKEN_IN_A_ROW = 20
_BUSY = 0.5  # seconds without a mail; then we look less often
_GLANCE = 0.005  # seconds between two looks at whether it is our relay's turn


def send_jobs(run: Run, relay: Relay, name: str) -> None:
    """Until the run ends. Raises DigestError where the journal cannot be written."""
    connection = _Connection(run, relay, name)
    try:
        while (job := connection.next_job()) is not None:
            connection.handle(job)
    finally:
        connection.close()


class _Connection:
    def __init__(self, run: Run, relay: Relay, name: str) -> None:
        self._run = run
        self._relay = relay
        self._name = name
        self._client: Client | None = None
        self._journal: Journal | None = None
        self._journal_of = ""
        self._job: Job | None = None  # that which is being delivered
        self._following: Job | None = None
        self._left = ""  # the content hash of the body that has begun to go
        self._broken = 0
        self._tries = 0

    def next_job(self) -> Job | None:
        job, self._following = self._following, None
        if job is not None:
            client = self._client
            # What was not begun when the run ends is left to the winding up, which gives it back.
            return job if (client is not None and client.has_begun) or not self._run.ending() else None
        job = self._from_queue() if self._run.relays.sole else self._in_turn()
        return None if job is None or self._run.ending() else job

    def _from_queue(self) -> Job | None:
        try:
            return self._run.jobs.get(timeout=_IDLE)
        except Empty:
            self._hang_up()
            return self._run.jobs.get()

    def _in_turn(self) -> Job | None:
        """The same where several relays share the queue: a relay that is left out, ahead of its share or at its rate
        leaves the mails to the others."""
        run, relays, relay = self._run, self._run.relays, self._relay
        busy = monotonic()
        while not run.ending():
            if relay.is_out or monotonic() - busy > _IDLE:
                self._hang_up()
            if run.jobs.empty() or not relays.may_take(relay):
                run.rest(_GLANCE if monotonic() - busy < _BUSY else _BUSY / 10)
                continue
            if not self._paced():
                return None
            try:
                job = run.jobs.get_nowait()
            except Empty:
                continue
            if job is None:
                return None
            relays.took(relay)
            return job
        return None

    def _paced(self) -> bool:
        """Waits for the relay's rate; False where the run ends before."""
        relay, run = self._relay, self._run
        if relay.pace is None:
            return True
        relay.at_its_rate = True
        try:
            return relay.pace.wait(run.rest, run.ending)
        finally:
            relay.at_its_rate = False

    def handle(self, job: Job) -> None:
        client = self._client
        if client is None or not client.has_begun:
            client = self._ready_for(job)
            if client is None:
                return
        self._job, self._left = job, ""
        self._following = following = self._peek(client)
        message = job.message
        reply = client.deliver(
            message,
            message.pieces if message.plan is None else message.signed(self._run.clock()),
            before_body=self._may_go,
            following=None if following is None else following.message,
        )
        if reply is None:
            self._write_down(job)
            self._put(job.held, self._held_back(job) or Settlement(job.delivery, Status.PENDING, tried=False))
        elif reply.phase == "dot" and 200 <= reply.code < 300:
            self._sent(job, reply, client)
        else:
            self._not_sent(job, reply)

    def _ready_for(self, job: Job) -> Client | None:
        """A session in which the mail may be offered; None where it has been put elsewhere."""
        run = self._run
        self._write_down(job)
        held_back = self._held_back(job)
        if held_back is not None:
            self._put(job.held, held_back)
            return None
        if not run.relays.sole and self._relay.is_out:
            run.jobs.put(job)
            return None
        if run.relays.sole and not self._paced():
            return None
        client = self._session()
        if client is None:
            run.jobs.put(job)
            return None
        if not job.message.recipient.isascii() and not client.smtputf8:
            if run.relays.another_with_smtputf8(self._relay):
                run.jobs.put(job)
                run.rest(_GLANCE)
                return None
            reason = "skipped: the relay takes no addresses that are not ASCII (SMTPUTF8)"
            self._put(job.held, Settlement(job.delivery, Status.EXCLUDED, reason, tried=False))
            return None
        return client

    def _held_back(self, job: Job) -> Settlement | None:
        """What has happened since the claim that keeps this mail from going now."""
        run, delivery = self._run, job.delivery
        now = run.clock()
        if now >= job.held.expires_at:
            return Settlement(delivery, Status.PENDING, tried=False)
        if not run.has_news:
            return None
        if delivery.id in run.withdrawn:
            return Settlement(delivery, Status.EXCLUDED, run.withdrawn[delivery.id], tried=False)
        if delivery.key in run.waiting:
            return Settlement(delivery, Status.PENDING, tried=False)
        if (until := run.slow_until.get(job.provider)) is not None and until > now:
            return Settlement(delivery, Status.PENDING, tried=False)
        return None

    def _may_go(self) -> bool:
        """The last look, when the relay waits for the body; then the journal says that it goes."""
        job = self._job
        assert job is not None
        if self._held_back(job) is not None:
            return False
        content_hash = job.message.content_hash
        try:
            self._journal_for(job.held).begin(job.delivery.id, content_hash)
        except OSError as error:
            raise _journal_error(job.held, error) from error
        self._left = content_hash
        return True

    def _journal_for(self, held: HeldClaim) -> Journal:
        if self._journal is None or self._journal_of != held.id:
            if self._journal is not None:
                self._journal.close()
                self._journal = None
            self._journal = Journal(held.folder, self._name)
            self._journal_of = held.id
        return self._journal

    def _write_down(self, job: Job) -> None:
        """What the journal has kept back for the next line, which does not come."""
        if self._journal is not None:
            try:
                self._journal.flush()
            except OSError as error:
                raise _journal_error(job.held, error) from error

    def _peek(self, client: Client) -> Job | None:
        """The next message, if its envelope may go along with this one's final dot."""
        run = self._run
        relay = self._relay
        if relay.pace is not None or client.delivered + 1 >= relay.settings.messages_per_connection or run.ending():
            return None
        if not run.relays.sole and not run.relays.may_take(relay):
            return None
        try:
            job = run.jobs.get_nowait()
        except Empty:
            return None
        if job is None:
            run.jobs.put(None)
            return None
        if not job.message.recipient.isascii() or (run.has_news and self._held_back(job) is not None):
            run.jobs.put(job)
            return None
        if not run.relays.sole:
            run.relays.took(relay)
        return job

    def _sent(self, job: Job, reply: Reply, client: Client) -> None:
        relay, sole = self._relay, self._run.relays.sole
        outcome = accepted(reply.code, reply.status, reply.text if sole else self._named(reply.text))
        # Where the next one's body goes at once, both lines take one call.
        self._end(job, outcome, keep=client.is_awaited)
        self._broken = 0
        if relay.times_out:
            self._run.relays.back(relay)

    def _not_sent(self, job: Job, reply: Reply) -> None:
        run, delivery = self._run, job.delivery
        now = run.clock()
        outcome = classify(
            reply.phase,
            reply.code,
            reply.status,
            reply.text,
            attempts=delivery.attempts,
            first_attempt_at=delivery.first_attempt_at or now,
            now=now,
        )
        if not run.relays.sole:
            outcome = outcome._replace(text=self._named(outcome.text))
        self._end(job, outcome, keep=False)
        self._draw_conclusions(job, outcome, reply)

    def _named(self, text: str) -> str:
        return f"{text} [{self._relay.name}]".lstrip()

    def _end(self, job: Job, outcome: Outcome, *, keep: bool) -> None:
        try:
            self._journal_for(job.held).end(job.delivery.id, outcome, keep=keep)
        except OSError as error:
            raise _journal_error(job.held, error) from error
        finally:
            self._run.results.put((job.held, settlement(job.delivery, outcome, self._left)))

    def _draw_conclusions(self, job: Job, outcome: Outcome, reply: Reply) -> None:
        run, relay = self._run, self._relay
        if outcome.verdict is Verdict.PAUSE:
            run.relays.leave_out(relay, "paused", f"relay {relay.name} refused us at {_said(reply)}")
            self._hang_up()
        elif outcome.verdict is Verdict.SLOW_DOWN and reply.phase == "mail":
            run.rest(relay.settings.retry_pause)  # it speaks of us: it has not heard of the recipient yet
        elif outcome.verdict is Verdict.SLOW_DOWN:
            run.slow_down(job.provider)
        if outcome.verdict is not Verdict.RETRY_SESSION:
            self._broken = 0
            return
        if self._client is not None and self._client.out_of_step:
            relay.pipelining = False
        self._broken += 1
        if self._broken >= _BROKEN_IN_A_ROW:
            why = f"relay {relay.name} broke off {self._broken} mails in a row: {reply.text}"
            run.relays.leave_out(relay, "unreachable", why)
            self._broken = 0

    def _put(self, held: HeldClaim, result: Settlement) -> None:
        self._run.results.put((held, result))

    def _session(self) -> Client | None:
        """The open session, or a new one; None where it cannot be had now."""
        client, run, relay = self._client, self._run, self._relay
        if client is not None and client.is_open:
            if client.delivered < relay.settings.messages_per_connection or client.has_begun:
                return client
            client.quit()
        self._gone()
        try:
            client = Client(relay.settings, pipelining=relay.pipelining)
        except SessionError as error:
            self._no_session(error.reply)
            return None
        self._client = client
        relay.smtputf8 = client.smtputf8
        run.relays.opened(relay)
        self._tries = 0
        return client

    def _no_session(self, reply: Reply) -> None:
        """The relay did not take us: wait, or leave it out. No mail is touched."""
        run, relay = self._run, self._relay
        now = run.clock()
        verdict = classify(
            reply.phase, reply.code, reply.status, reply.text, attempts=0, first_attempt_at=now, now=now
        ).verdict
        if verdict is Verdict.PAUSE:
            run.relays.leave_out(relay, "paused", f"relay {relay.name} refused us at {_said(reply)}")
            return
        self._tries += 1
        if not relay.sessions and self._tries >= (1 if relay.times_out else _TRIES):
            what = " ".join(str(part) for part in (reply.code, reply.status, reply.text) if part)
            run.relays.leave_out(relay, "unreachable", f"relay {relay.name} cannot be reached: {what}")
            return
        run.rest(min(relay.settings.retry_pause * 2 ** (self._tries - 1), 60.0))

    def _gone(self) -> None:
        if self._client is not None:
            self._client = None
            self._run.relays.closed(self._relay)

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.quit()
        self._gone()

    def close(self) -> None:
        self._hang_up()
        journal, self._journal = self._journal, None
        if journal is not None:
            try:
                journal.close()
            except OSError as error:
                raise DigestError(f"journal: {error}", mend=_MEND) from error


def _said(reply: Reply) -> str:
    return f"{reply.phase.upper()}: " + " ".join(str(part) for part in (reply.code, reply.status, reply.text) if part)


def _journal_error(held: HeldClaim, error: OSError) -> DigestError:
    return DigestError(f"journal {held.folder}: {error}", mend=_MEND)


_MEND = "free some disk space and send again; nothing is lost"
