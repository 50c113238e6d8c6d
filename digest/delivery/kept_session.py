"""The session of one connection: opened when a mail waits, kept, and given up when the relay does not do its part."""

from __future__ import annotations

from digest.delivery.model import Verdict
from digest.delivery.policy import classify
from digest.delivery.relays import Relay
from digest.delivery.run import Job, Run
from digest.delivery.session import Reply, SessionError
from digest.delivery.smtp import Client

_TRIES = 3  # sessions that may fail one after the other before the relay counts as unreachable
_BROKEN_IN_A_ROW = 20
_LONGEST_PAUSE = 60.0  # seconds


class KeptSession:
    """`client` is None where none is open. Not for two threads at once."""

    def __init__(self, run: Run, relay: Relay) -> None:
        self._run = run
        self._relay = relay
        self.client: Client | None = None
        self._broken = 0  # mails in a row
        self._tries = 0

    def open(self) -> Client | None:
        """The open session, or a new one; None where it cannot be had now."""
        client, run, relay = self.client, self._run, self._relay
        if client is not None and client.is_open:
            if client.delivered < relay.settings.messages_per_connection or client.begun is not None:
                return client
            client.quit()
        self._gone()
        try:
            client = Client(relay.settings, pipelining=relay.pipelining)
        except SessionError as error:
            self._refused(error.reply)
            return None
        self.client = client
        relay.smtputf8 = client.smtputf8
        run.relays.opened(relay)
        self._tries = 0
        return client

    def _refused(self, reply: Reply) -> None:
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
            run.relays.leave_out(relay, "unreachable", f"relay {relay.name} cannot be reached: {_words(reply)}")
            return
        run.rest(min(relay.settings.retry_pause * 2 ** (self._tries - 1), _LONGEST_PAUSE))

    def worked(self) -> None:
        """The relay took a mail."""
        self._broken = 0
        if self._relay.times_out:
            self._run.relays.back(self._relay)

    def failed(self, job: Job, verdict: Verdict, reply: Reply) -> None:
        """What a mail that was not taken says of the relay, or of its provider."""
        run, relay = self._run, self._relay
        if verdict is Verdict.PAUSE:
            run.relays.leave_out(relay, "paused", f"relay {relay.name} refused us at {_said(reply)}")
            self.hang_up()
        elif verdict is Verdict.SLOW_DOWN and reply.phase == "mail":
            run.rest(relay.settings.retry_pause)  # it speaks of us: it has not heard of the recipient yet
        elif verdict is Verdict.SLOW_DOWN:
            run.slow_down(job.provider)
        if verdict is not Verdict.RETRY_SESSION:
            self._broken = 0
            return
        if self.client is not None and self.client.out_of_step:
            relay.pipelining = False
        self._broken += 1
        if self._broken >= _BROKEN_IN_A_ROW:
            why = f"relay {relay.name} broke off {self._broken} mails in a row: {reply.text}"
            run.relays.leave_out(relay, "unreachable", why)
            self._broken = 0

    def hang_up(self) -> None:
        if self.client is not None:
            self.client.quit()
        self._gone()

    def _gone(self) -> None:
        if self.client is not None:
            self.client = None
            self._run.relays.closed(self._relay)


def _said(reply: Reply) -> str:
    return f"{reply.phase.upper()}: {_words(reply)}"


def _words(reply: Reply) -> str:
    return " ".join(str(part) for part in (reply.code, reply.status, reply.text) if part)
