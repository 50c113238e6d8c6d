"""What relays' logs prove: a mail that was queued was sent, whatever came of it; one that was only named was not."""

from __future__ import annotations

import pytest

from digest.delivery.relay_log import trails

OURS = "0123456789abcdef0123456789abcdef@news.example.org"
VERP = "bounces+1-2a-00112233445566778899@news.example.org"
WANTED = {OURS: 42, VERP: 42}

POSTFIX = f"""\
Nov 27 09:00:01 mx postfix/smtpd[11]: 4F3A2B: client=app.example.org[192.0.2.7]
Nov 27 09:00:01 mx postfix/cleanup[12]: 4F3A2B: message-id=<{OURS}>
Nov 27 09:00:01 mx postfix/qmgr[13]: 4F3A2B: from=<roundup@news.example.org>, size=60123, nrcpt=1 (queue active)
Nov 27 09:00:02 mx postfix/smtp[14]: 4F3A2B: to=<a@example.org>, relay=mx.example.org[192.0.2.9]:25, delay=1, \
dsn=2.0.0, status=sent (250 2.0.0 ok)
Nov 27 09:00:02 mx postfix/qmgr[13]: 4F3A2B: removed
"""
POSTFIX_LONG_IDS = f"""\
2026-11-27T09:00:01.123456+00:00 mx postfix/cleanup[12]: 4ZbC1x3Yk2z9tPq: message-id=<{OURS}>
2026-11-27T09:00:01.133456+00:00 mx postfix/qmgr[13]: 4ZbC1x3Yk2z9tPq: from=<x@x>, size=6, nrcpt=1 (queue active)
"""
DEFERRED = POSTFIX.replace(
    "dsn=2.0.0, status=sent (250 2.0.0 ok)", "dsn=4.3.0, status=deferred (lost connection)"
).replace("removed", "skipped, still being delivered")
BOUNCED = POSTFIX.replace(
    "dsn=2.0.0, status=sent (250 2.0.0 ok)", "dsn=5.1.1, status=bounced (host said: 550 5.1.1 recipient rejected)"
)
EXIM = f"""\
2026-11-27 09:00:01 1vOaBc-00012d-3F <= roundup@news.example.org H=app.example.org [192.0.2.7] P=esmtp S=60123 id={OURS}
2026-11-27 09:00:02 1vOaBc-00012d-3F => a@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.9] C="250 ok"
2026-11-27 09:00:02 1vOaBc-00012d-3F Completed
"""
EXIM_BOUNCED = f"""\
2026-11-27 09:00:01.120 [99] 1vOaBc-0000000Ab2d-3FgH <= roundup@news.example.org P=esmtp S=60123 id={OURS}
2026-11-27 09:00:02.340 [99] 1vOaBc-0000000Ab2d-3FgH ** a@example.org R=dnslookup T=remote_smtp: 550 user rejected
"""
SENDMAIL = f"""\
Nov 27 09:00:01 mx sm-mta[21]: 6AR901xY012345: from=<roundup@news.example.org>, size=60123, class=-60, nrcpts=1, \
msgid=<{OURS}>, proto=ESMTP, daemon=MTA-v4, relay=app.example.org [192.0.2.7]
Nov 27 09:00:02 mx sm-mta[23]: 6AR901xY012345: to=<a@example.org>, delay=00:00:01, dsn=2.0.0, stat=Sent (ok)
"""
OPENSMTPD = f"""\
Nov 27 09:00:01 mx smtpd[31]: 8f2a91b3c4d5e6f7 smtp connected address=192.0.2.7 host=app.example.org
Nov 27 09:00:01 mx smtpd[31]: 8f2a91b3c4d5e6f7 smtp envelope evpid=ab12cd3400112233 from=<{VERP}> to=<a@example.org>
Nov 27 09:00:01 mx smtpd[31]: 8f2a91b3c4d5e6f7 smtp message msgid=ab12cd34 size=60123 nrcpt=1 proto=ESMTP
Nov 27 09:00:02 mx smtpd[31]: 9b3c000011112222 mta delivery evpid=ab12cd3400112233 from=<{VERP}> to=<a@example.org> \
rcpt=<-> source="192.0.2.1" relay="192.0.2.9 (mx)" delay=1s result="Ok" stat="250 2.0.0 ok"
"""


def decided(log: str) -> tuple[bool, str]:
    found = trails(log.splitlines(), WANTED)
    return (found[42].sent, found[42].sentence()) if 42 in found else (False, "")


@pytest.mark.parametrize(
    ("log", "word"),
    [
        (POSTFIX, "status=sent"),
        (POSTFIX_LONG_IDS, "queue active"),
        (DEFERRED, "status=deferred"),
        (BOUNCED, "status=bounced"),
        (EXIM, "=> a@example.org"),
        (EXIM_BOUNCED, "** a@example.org"),
        (SENDMAIL, "stat=Sent"),
        (OPENSMTPD, "result="),
    ],
    ids=["postfix", "long ids", "deferred", "bounced", "exim", "exim bounced", "sendmail", "opensmtpd"],
)
def test_queued_is_sent(log: str, word: str) -> None:
    """A relay that took the mail into its queue has it, even where it could not deliver it; the evidence says which."""
    sent, sentence = decided(log)
    assert sent
    assert word in sentence


NAMED = f"Nov 27 09:00:01 mx postfix/cleanup[12]: 4F3A2B: message-id=<{OURS}>\n"
MILTER = NAMED + "Nov 27 09:00:01 mx postfix/cleanup[12]: 4F3A2B: milter-reject: END-OF-MESSAGE from app: 5.7.1 no\n"
EXIM_REFUSED = f"2026-11-27 09:00:01 1vOaBc-00012d-3F H=app F=<x@example.org> rejected after DATA: spam id={OURS}\n"
SENDMAIL_REFUSED = (
    SENDMAIL.splitlines()[0] + "\nNov 27 09:00:01 mx sm-mta[21]: 6AR901xY012345: Milter: data, reject=550\n"
)
NOT_COMMITTED = "\n".join(OPENSMTPD.splitlines()[:2])
ANOTHER = POSTFIX.replace(OURS, "another@news.example.org")
CHATTER = f"Nov 27 09:00:01 mx something[1]: we saw {OURS} somewhere\n"


@pytest.mark.parametrize("log", [NAMED, MILTER, EXIM_REFUSED, SENDMAIL_REFUSED, NOT_COMMITTED, ANOTHER, CHATTER, ""])
def test_silence_and_refusal_prove_nothing(log: str) -> None:
    """A Message-ID that was read, a mail that was refused or is not named at all: it stays uncertain."""
    assert not decided(log)[0]


def test_a_number_that_is_used_again_is_another_mail() -> None:
    """After a mail was removed from the queue, what the log says of that number is not about it any more."""
    again = POSTFIX.replace("12]: 4F3A2B: message-id=<" + OURS, "12]: 4F3A2B: message-id=<next@example.org")
    first = "\n".join([*POSTFIX.splitlines()[:2], "Nov 27 09:00:02 mx postfix/qmgr[13]: 4F3A2B: removed"])
    assert not decided(first + "\n" + again)[0]


def test_a_number_of_a_mail_that_was_cut_off_is_another_mail() -> None:
    """Postfix forgets a mail that ends before its dot without a word; the next one may have its number."""
    next_one = POSTFIX.replace(OURS, "next@example.org")
    assert not decided(NAMED + next_one)[0]
    assert not decided(NAMED + "\n".join(next_one.splitlines()[1:]))[0]
    assert decided(NAMED + POSTFIX)[0]
