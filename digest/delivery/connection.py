"""One connection's thread: takes jobs, delivers them, writes the journal, and hands on what became of each."""

from __future__ import annotations

from queue import Empty
from time import monotonic

from digest.delivery.kept_session import KeptSession
from digest.delivery.model import Outcome, Status
from digest.delivery.policy import accepted, classify, taken
from digest.delivery.relays import Relay
from digest.delivery.run import HeldClaim, Job, Run
from digest.delivery.session import Reply
from digest.delivery.settlements import Settlement, settlement
from digest.delivery.smtp import Client

_IDLE = 2.0  # seconds; then the session is ended
_BUSY = 0.5  # seconds without a mail; then we look less often
_GLANCE = 0.005  # seconds between two looks at whether it is our relay's turn


def send_jobs(run: Run, relay: Relay, name: str) -> None:
    """Until the run ends."""
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
        self._session = KeptSession(run, relay)
        self._name = name
        self._sole = run.relays.sole
        self._job: Job | None = None  # that which is being delivered
        self._following: Job | None = None
        self._left = ""  # the content hash of the body that has begun to go

    def next_job(self) -> Job | None:
        job, self._following = self._following, None
        if job is not None:
            client = self._session.client
            # What was not begun when the run ends is left to the winding up, which gives it back.
            return job if (client is not None and client.begun is not None) or not self._run.ending() else None
        job = self._from_queue() if self._run.relays.sole else self._in_turn()
        return None if job is None or self._run.ending() else job

    def _from_queue(self) -> Job | None:
        try:
            return self._run.jobs.get(timeout=_IDLE)
        except Empty:
            self._session.hang_up()
            return self._run.jobs.get()

    def _in_turn(self) -> Job | None:
        """The same where several relays share the queue: a relay that is left out, ahead of its share or at its rate
        leaves the mails to the others."""
        run, relays, relay = self._run, self._run.relays, self._relay
        busy = monotonic()
        while not run.ending():
            if relay.is_out or monotonic() - busy > _IDLE:
                self._session.hang_up()
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
        client = self._session.client
        if client is None or client.begun is None:
            client = self._ready_for(job)
            if client is None:
                return
        self._job, self._left = job, ""
        self._following = next_one = self._peek(client)
        following = None if next_one is None else next_one.message
        message = job.message
        pieces = message.pieces if message.plan is None else message.signed(self._run.clock())
        reply: bytes | Reply | None
        if client.awaits_body() and self._may_go():
            reply = client.hand_over(pieces, following)
        else:
            reply = client.deliver(message, pieces, before_body=self._may_go, following=following)
        if isinstance(reply, bytes) and self._sole:  # nearly always: the writer reads on
            job.held.journal.took(job.slot, reply)
            self._run.results.put((job, reply))
            self._session.worked()
        elif isinstance(reply, bytes):
            self._sent(job, taken(reply))
        elif reply is None:
            self._put(job.held, self._held_back(job) or Settlement(job.delivery, Status.PENDING, tried=False))
        elif reply.phase == "dot" and 200 <= reply.code < 300:
            self._sent(job, accepted(reply.code, reply.status, reply.text))
        else:
            self._not_sent(job, reply)

    def _ready_for(self, job: Job) -> Client | None:
        """A session in which the mail may be offered; None where it has been put elsewhere."""
        run = self._run
        held_back = self._held_back(job)
        if held_back is not None:
            self._put(job.held, held_back)
            return None
        if not run.relays.sole and self._relay.is_out:
            run.jobs.put(job)
            return None
        if run.relays.sole and not self._paced():
            return None
        client = self._session.open()
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
        self._left = content_hash = job.message.content_hash
        job.held.journal.begin(job.slot, job.delivery.id, content_hash, self._name)
        return True

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

    def _sent(self, job: Job, outcome: Outcome) -> None:
        self._end(job, outcome)
        self._session.worked()

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
        self._end(job, outcome)
        self._session.failed(job, outcome.verdict, reply)

    def _end(self, job: Job, outcome: Outcome) -> None:
        if not self._sole:
            outcome = outcome._replace(text=f"{outcome.text} [{self._relay.name}]".lstrip())
        job.held.journal.end(job.slot, job.delivery.id, outcome)
        self._put(job.held, settlement(job.delivery, outcome, self._left))

    def _put(self, held: HeldClaim, result: Settlement) -> None:
        self._run.results.put((held, result))

    def close(self) -> None:
        self._session.hang_up()
