"""One connection's thread: takes jobs, keeps a session open, writes the journal, and hands on what became
of each."""

from __future__ import annotations

from datetime import timedelta
from queue import Empty

from digest.delivery.claims import Settlement, settlement
from digest.delivery.journal import Journal
from digest.delivery.model import Outcome, Status, Verdict
from digest.delivery.policy import classify
from digest.delivery.run import HeldClaim, Job, Run
from digest.delivery.session import Reply, SessionError
from digest.delivery.smtp import Client
from digest.errors import DigestError

_IDLE = 2.0  # seconds; then the session is ended
_TRIES = 3  # sessions that may fail one after the other before the relay counts as unreachable
_BROKEN_IN_A_ROW = 20
_SLOWED = timedelta(minutes=5)


def send_jobs(run: Run, name: str) -> None:
    """Until the run ends. Raises DigestError where the journal cannot be written."""
    connection = _Connection(run, name)
    try:
        while (job := connection.next_job()) is not None:
            connection.handle(job)
    finally:
        connection.close()


class _Connection:
    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self._name = name
        self._client: Client | None = None
        self._journal: Journal | None = None
        self._journal_of = ""
        self._following: Job | None = None
        self._broken = 0
        self._tries = 0

    def next_job(self) -> Job | None:
        job, self._following = self._following, None
        while job is None:
            try:
                job = self._run.jobs.get(timeout=_IDLE)
            except Empty:
                self._hang_up()
                job = self._run.jobs.get()
            if job is None:
                return None
        # What was not begun when the run ends is left to the winding up, which gives it back.
        return None if self._run.ending() else job

    def handle(self, job: Job) -> None:
        held_back = self._held_back(job)
        if held_back is not None:
            if self._client is not None and self._client.has_begun:
                self._client.close()  # its envelope is out: there is no other way to take it back
            self._put(job.held, held_back)
            return
        run = self._run
        if run.pacer is not None and not run.pacer.wait(run.ending):
            return
        client = self._session()
        if client is None:
            run.jobs.put(job)
            return
        if not job.envelope.recipient.isascii() and not client.smtputf8:
            reason = "skipped: the relay takes no addresses that are not ASCII (SMTPUTF8)"
            self._put(job.held, Settlement(job.delivery, Status.EXCLUDED, reason, tried=False))
            return
        self._following = self._peek(client)
        reply = client.deliver(
            job.envelope,
            job.pieces,
            before_body=lambda: self._may_go(job),
            following=self._following.envelope if self._following else None,
        )
        if reply is None:
            self._put(job.held, self._held_back(job) or Settlement(job.delivery, Status.PENDING, tried=False))
            return
        self._result(job, reply)

    def _held_back(self, job: Job) -> Settlement | None:
        """What has happened since the claim that keeps this mail from going now."""
        run, delivery = self._run, job.delivery
        if delivery.id in run.withdrawn:
            return Settlement(delivery, Status.EXCLUDED, run.withdrawn[delivery.id], tried=False)
        if delivery.key in run.waiting or run.clock() >= job.held.expires_at:
            return Settlement(delivery, Status.PENDING, tried=False)
        if run.slow_until and (until := run.slow_until.get(job.provider)) is not None and until > run.clock():
            return Settlement(delivery, Status.PENDING, due_at=until, tried=False)
        return None

    def _may_go(self, job: Job) -> bool:
        """The last look, when the relay waits for the body; then the journal says that it goes."""
        run = self._run
        if job.delivery.id in run.withdrawn or run.clock() >= job.held.expires_at:
            return False
        try:
            self._journal_for(job.held).begin(job.delivery.id)
        except OSError as error:
            raise _journal_error(job.held, error) from error
        return True

    def _journal_for(self, held: HeldClaim) -> Journal:
        if self._journal is None or self._journal_of != held.id:
            if self._journal is not None:
                self._journal.close()
                self._journal = None
            self._journal = Journal(held.folder, self._name)
            self._journal_of = held.id
        return self._journal

    def _peek(self, client: Client) -> Job | None:
        """The next message, if its envelope may go along with this one's final dot."""
        run = self._run
        if run.pacer is not None or client.delivered + 1 >= run.relay.messages_per_connection or run.ending():
            return None
        try:
            job = run.jobs.get_nowait()
        except Empty:
            return None
        if job is None:
            run.jobs.put(None)
            return None
        if self._held_back(job) is not None or not job.envelope.recipient.isascii():
            run.jobs.put(job)
            return None
        return job

    def _result(self, job: Job, reply: Reply) -> None:
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
        try:
            self._journal_for(job.held).end(delivery.id, outcome)
        except OSError as error:
            raise _journal_error(job.held, error) from error
        finally:
            self._put(job.held, settlement(delivery, outcome))
        self._draw_conclusions(job, outcome, reply)

    def _draw_conclusions(self, job: Job, outcome: Outcome, reply: Reply) -> None:
        run = self._run
        if outcome.verdict is Verdict.PAUSE:
            said = " ".join(str(part) for part in (reply.code, reply.status, reply.text) if part)
            run.end(
                "paused",
                f"relay {run.relay.host}:{run.relay.port} refused us at {reply.phase.upper()}: {said}",
            )
        elif outcome.verdict is Verdict.SLOW_DOWN:
            run.slow_until[job.provider] = run.clock() + _SLOWED
        if outcome.verdict is not Verdict.RETRY_SESSION:
            self._broken = 0
            return
        self._broken += 1
        if self._broken >= _BROKEN_IN_A_ROW:
            where = f"{run.relay.host}:{run.relay.port}"
            run.end("unreachable", f"relay {where} broke off {self._broken} mails in a row: {reply.text}")

    def _put(self, held: HeldClaim, result: Settlement) -> None:
        self._run.results.put((held, result))

    def _session(self) -> Client | None:
        """The open session, or a new one; None where it cannot be had now."""
        client, run = self._client, self._run
        if client is not None and client.is_open:
            if client.delivered < run.relay.messages_per_connection or client.has_begun:
                return client
            client.quit()
        self._gone()
        try:
            client = Client(run.relay)
        except SessionError as error:
            self._no_session(error.reply)
            return None
        self._client = client
        with run.lock:
            run.open_sessions += 1
        self._tries = 0
        return client

    def _no_session(self, reply: Reply) -> None:
        """The relay did not take us: wait, or end the run. No mail is touched."""
        run = self._run
        now = run.clock()
        where = f"relay {run.relay.host}:{run.relay.port}"
        said = " ".join(str(part) for part in (reply.code, reply.status, reply.text) if part)
        verdict = classify(
            reply.phase, reply.code, reply.status, reply.text, attempts=0, first_attempt_at=now, now=now
        ).verdict
        if verdict is Verdict.PAUSE:
            run.end("paused", f"{where} refused us at {reply.phase.upper()}: {said}")
            return
        self._tries += 1
        with run.lock:
            others = run.open_sessions
        if not others and self._tries >= _TRIES:
            run.end("unreachable", f"{where} cannot be reached: {said}")
            return
        run.rest(min(run.relay.retry_pause * 2 ** (self._tries - 1), 60.0))

    def _gone(self) -> None:
        if self._client is not None:
            self._client = None
            with self._run.lock:
                self._run.open_sessions -= 1

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.quit()
        self._gone()

    def close(self) -> None:
        self._hang_up()
        if self._journal is not None:
            self._journal.close()
            self._journal = None


def _journal_error(held: HeldClaim, error: OSError) -> DigestError:
    return DigestError(f"journal {held.folder}: {error}", mend="free some disk space and send again; nothing is lost")
