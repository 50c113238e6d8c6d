"""The reply table of docs/reference/replies.md, held to what real servers say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.model import Outcome, Verdict
from digest.delivery.policy import BACKOFF, GIVE_UP_AFTER, Phase, classify, verdict_of
from tests.delivery.samples import NOW

TABLE = """
lost     0               | connection closed                                               | uncertain
lost     0               | no answer in time                                               | uncertain
connect  0               | Name or service not known                                       | retry-session
connect  0               | Connection refused                                              | retry-session
connect  421 4.3.2       | too many connections                                            | retry-session
connect  450             | try later                                                       | retry-session
connect  554 5.7.1       | your host is listed at zen.example.org                          | pause
connect  521             | this host takes no mail                                         | pause
ehlo     550             | invalid host name                                               | pause
ehlo     421             | service not available                                           | retry-session
starttls 0               | certificate verify failed                                       | retry-session
starttls 454 4.7.0       | TLS not available                                               | retry-session
starttls 502             | the relay offers no STARTTLS                                    | pause
auth     535 5.7.8       | authentication credentials invalid                              | pause
auth     534 5.7.9       | mechanism is too weak                                           | pause
auth     454 4.7.0       | temporary authentication failure                                | retry-session
mail     0               | the relay closed the connection                                 | retry-session
mail     421 4.4.2       | timeout exceeded                                                | retry-session
mail     451 4.3.0       | queue file write error                                          | retry
mail     452 4.3.1       | insufficient system storage                                     | retry
mail     454             | Throttling failure: maximum sending rate exceeded               | slow-down
mail     530 5.7.0       | must issue a STARTTLS command first                             | pause
mail     550 5.7.1       | sender not authorised                                           | pause
mail     553 5.1.8       | sender domain not found                                         | pause
mail     550 5.1.7       | sender address syntax error                                     | pause
mail     503 5.5.1       | nested MAIL command                                             | pause
mail     550 5.7.26      | unauthenticated sender                                          | pause
mail     552             | message size exceeds maximum                                    | fault
mail     552 5.2.3       | message length exceeds administrative limit                     | fault
mail     550             | your address is listed at bl.example.org                        | pause
mail     421 4.7.28      | unusual rate from your host                                     | slow-down
mail     535 5.7.8       | not logged in                                                   | pause
auth     530 5.7.0       | must issue a STARTTLS command first                             | pause
auth     0               | token file var/token: No such file or directory                 | retry-session
ehlo     0               | the relay closed the connection                                 | retry-session
ehlo     504             | need a fully-qualified host name                                | pause
connect  550 5.7.1       | no reverse name for your address                                | pause
mail     501             | syntax error in parameters                                      | pause
mail     552 5.3.4       | message size exceeds fixed limit                                | fault
mail     555             | MAIL FROM parameters not recognised                             | pause
mail     550 5.6.7       | address requires SMTPUTF8                                       | fault
rcpt     0               | Connection reset by peer                                        | retry-session
rcpt     421             | service shutting down                                           | retry-session
rcpt     421 4.7.28      | unusual rate of mail from your address                          | slow-down
rcpt     421 4.7.0       | [TSS04] messages temporarily deferred                           | slow-down
rcpt     450 4.2.0       | greylisted, see the help page                                   | retry
rcpt     451 4.7.1       | greylisting in action, please come back later                   | retry
rcpt     450 4.1.1       | unverified address                                              | retry
rcpt     452 4.2.2       | over quota                                                      | retry
rcpt     451 4.7.650     | the mail server has been temporarily rate limited               | slow-down
rcpt     450 4.2.1       | the user is receiving mail at a rate that prevents delivery      | slow-down
rcpt     550 5.2.1       | the user is receiving mail at a rate that prevents delivery      | slow-down
rcpt     530             | authentication required                                         | pause
rcpt     550 5.1.1       | the account that you tried to reach does not exist               | hard
rcpt     550 5.1.1       | user unknown in virtual mailbox table                           | hard
rcpt     553 5.1.3       | bad recipient address syntax                                    | hard
rcpt     501 5.1.3       | bad recipient address syntax                                    | hard
rcpt     551 5.1.6       | mailbox has moved, no forwarding address                        | hard
rcpt     556 5.1.10      | the domain has a null MX                                        | hard
rcpt     550 5.7.17      | mailbox owner has changed                                       | hard
rcpt     550 5.7.18      | domain owner has changed                                        | hard
rcpt     550 5.4.1       | Recipient address rejected: Access denied                       | hard
rcpt     550 5.4.1       | no answer from host                                             | soft
rcpt     550             | User unknown                                                    | hard
rcpt     550             | No such user here                                               | hard
rcpt     550             | mailbox not found                                               | hard
rcpt     550             | Recipient address rejected: User unknown in relay table          | hard
rcpt     553             | sorry, no mailbox here by that name                             | hard
rcpt     556             | domain does not take mail                                       | hard
rcpt     550 5.1.0       | address rejected                                                | hard-second
rcpt     550 5.1.2       | host or domain name not found                                   | hard-second
rcpt     550 5.1.4       | destination address ambiguous                                   | hard-second
rcpt     550 5.2.1       | mailbox disabled, not accepting messages                        | hard-second
rcpt     550 5.4.4       | unable to route                                                 | hard-second
rcpt     525 5.7.13      | user account disabled                                           | hard-second
rcpt     552 5.2.2       | mailbox full                                                    | soft
rcpt     550 5.2.2       | over quota                                                      | soft
rcpt     552             | requested mail action aborted                                   | soft
rcpt     550             | mailbox is full                                                 | soft
rcpt     550 5.7.1       | relaying denied                                                 | block
rcpt     550 5.7.26      | unauthenticated mail is prohibited by the domain's DMARC policy  | block
rcpt     550 5.7.1       | DKIM: user unknown in key record                                | block
rcpt     554             | your address is on a blocklist                                  | block
rcpt     550             | rejected, listed at bl.example.org                              | block
rcpt     550             | Sender verify failed: user unknown                              | soft
rcpt     550             | requested action not taken: mailbox unavailable                 | soft
rcpt     554             | transaction failed                                              | soft
rcpt     551             | user not local                                                  | soft
rcpt     503 5.5.1       | need MAIL before RCPT                                           | fault
rcpt     500             | syntax error                                                    | fault
rcpt     504             | parameter not implemented                                       | fault
data     0               | Broken pipe                                                     | retry-session
data     451             | local error in processing                                       | retry
data     554 5.5.1       | no valid recipients                                             | fault
data     550 5.7.1       | message refused                                                 | block
data     554             | refused                                                         | block
dot      250 2.0.0       | ok queued as 4f                                                 | sent
dot      250             | accepted                                                        | sent
dot      354             | go ahead                                                        | uncertain
dot      421             | shutting down                                                   | retry-session
dot      451 4.7.1       | please try again later                                          | retry
dot      452             | too many recipients received this hour, too many messages       | slow-down
dot      550 5.7.1       | message content rejected as spam                                | block
dot      550 5.7.28      | unusual rate of unsolicited mail                                | slow-down
dot      554 5.6.0       | message content is malformed                                    | fault
dot      552 5.3.4       | message too big for system                                      | fault
dot      552 5.2.3       | message length exceeds administrative limit                     | fault
dot      552             | message size exceeds maximum                                    | fault
dot      552             | mailbox quota exceeded                                          | soft
dot      550             | administrative prohibition                                      | block
dot      554             | delivery error: this user doesn't have a example.org account    | hard
dot      554 5.2.2       | mailbox full                                                    | soft
dot      554             | rejected                                                        | block
"""


def rows() -> list[Any]:
    out = []
    for line in TABLE.strip().splitlines():
        said, text, verdict = (part.strip() for part in line.split("|"))
        phase, code, status = (*said.split(), "")[:3]
        out.append(pytest.param(phase, int(code), status, text, verdict, id=f"{said}-{text}"))
    return out


def judge(phase: Phase, code: int, status: str = "", text: str = "", attempts: int = 0, hours: float = 0) -> Outcome:
    first = NOW - timedelta(hours=hours)
    return classify(phase, code, status, text, attempts=attempts, first_attempt_at=first, now=NOW)


@pytest.mark.parametrize(("phase", "code", "status", "text", "verdict"), rows())
def test_reply_table(phase: Phase, code: int, status: str, text: str, verdict: str) -> None:
    """Each reply that a real server gives has the verdict that the table says."""
    outcome = judge(phase, code, status, text)
    assert outcome.verdict == verdict
    assert (outcome.code, outcome.status, outcome.text) == (code, status, text)


def test_backing_off() -> None:
    """A refused mail waits 5 minutes, then longer each time, and never beyond 48 hours after its first attempt."""
    waits = [judge("rcpt", 450, attempts=n).retry_at for n in range(9)]
    assert [wait - NOW for wait in waits if wait] == [*BACKOFF, BACKOFF[-1], BACKOFF[-1]]
    last = judge("rcpt", 450, attempts=20, hours=47)
    assert last.retry_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("phase", "code", "text", "verdict"),
    [("rcpt", 450, "greylisted", "soft"), ("dot", 451, "later", "block"), ("mail", 451, "later", "block"),
     ("rcpt", 450, "throttled", "block"), ("data", 0, "broken pipe", "fault"), ("rcpt", 421, "closing", "fault")],
)  # fmt: skip
def test_giving_up(phase: Phase, code: int, text: str, verdict: str) -> None:
    """After 48 hours the mail has failed; only a refusal of the recipient counts against the address."""
    outcome = judge(phase, code, "", text, attempts=9, hours=48)
    assert (outcome.verdict, outcome.retry_at) == (verdict, None)


def test_a_broken_session_is_repeated_at_once_but_not_for_ever() -> None:
    """The first loss is tried again at once, over a new connection; later ones wait."""
    assert judge("data", 0).retry_at == NOW
    assert judge("data", 0, attempts=1).retry_at == NOW + BACKOFF[0]


PHASES = st.sampled_from(["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot", "lost"])


@given(
    phase=PHASES,
    code=st.integers(0, 599),
    status=st.from_regex(r"([245]\.\d{1,2}\.\d{1,2})?", fullmatch=True),
    text=st.text(max_size=60),
    attempts=st.integers(0, 30),
    hours=st.floats(0, 100),
)
def test_every_reply_has_a_verdict(
    phase: Phase, code: int, status: str, text: str, attempts: int, hours: float
) -> None:
    """Sent only on 2xx after the dot; uncertain never comes again; what comes again does so within 48 hours."""
    outcome = judge(phase, code, status, text, attempts, hours)
    assert (outcome.verdict is Verdict.SENT) == (phase == "dot" and 200 <= code < 300)
    if phase == "lost" or (phase == "dot" and code < 200):
        assert outcome.verdict is Verdict.UNCERTAIN
    again = outcome.verdict in (Verdict.RETRY, Verdict.RETRY_SESSION, Verdict.SLOW_DOWN, Verdict.PAUSE)
    assert (outcome.retry_at is not None) == again
    if outcome.retry_at is not None and outcome.verdict is not Verdict.PAUSE:
        assert NOW <= outcome.retry_at <= NOW - timedelta(hours=hours) + GIVE_UP_AFTER
    if outcome.verdict in (Verdict.HARD, Verdict.HARD_SECOND):
        assert phase in ("rcpt", "data", "dot")
        assert code >= 500


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("<reader@example.org>: 198.51.100.7 is on our blocklist", Verdict.BLOCK),
        ("IP address blacklisted by recipient", Verdict.BLOCK),
        ("refused by local policy", Verdict.BLOCK),
        ("<spam@example.org>: no such user here", Verdict.HARD),
        ("<policy@example.org> user unknown", Verdict.HARD),
    ],
)
def test_words_of_a_block_go_over_a_hard_status(text: str, verdict: Verdict) -> None:
    """A reply that speaks of policy, blocklists or spam never counts against an address, whatever its status; an
    address that is called so speaks of nothing."""
    assert verdict_of("rcpt", 550, "5.1.1", text) is verdict
