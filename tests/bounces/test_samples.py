"""A hundred ways in which the world's mail programs say no, each made by us in their manner."""

from __future__ import annotations

import json

import pytest

from digest.bounces.judging import judge
from digest.bounces.model import Kind
from digest.bounces.reading import read
from tests.support.returned import ORIGINAL_ID, READER, RETURN, answer, complaint, dsn, plain

REPORTS = """
5.1.1   | smtp; 550 5.1.1 <reader@inbox.example.org>... User unknown              | hard
5.1.1   | smtp; 550-5.1.1 The account that you wrote to does not exist.           | hard
5.1.1   | x-unix; user unknown                                                    | hard
5.1.3   | smtp; 501 5.1.3 Bad recipient address syntax                            | hard
5.1.6   | smtp; 551 the mailbox has gone elsewhere                                | hard
5.1.10  | smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found              | hard
5.4.1   | smtp; 550 5.4.1 Recipient address rejected: Access denied               | hard
5.0.0   | smtp; 550 Unknown user reader                                           | hard
5.0.0   | smtp; 550 : User unknown                                                | hard
5.2.0   | smtp; 550 Unknown user reader@inbox.example.org                         | hard
5.7.1   | smtp; 550 5.7.1 <reader@inbox.example.org>: User unknown                | hard
5.5.0   | smtp; 550 5.5.0 Adresse destinataire invalide. Invalid recipient.       | hard
5.1.351 | smtp; 550 5.1.351 The remote server knows no such user                  | hard
4.0.0   | smtp; DNS: the domain doesn't accept email: Null MX (RFC 7505)          | hard
5.0.0   | smtp; 554 delivery error: This user doesn't have a mail.example account | hard
5.1.2   | smtp; 550 Host unknown                                                  | hard-second
5.1.2   |                                                                         | hard-second
5.2.1   | smtp; 550 5.2.1 This account is disabled                                | hard-second
5.2.1   | smtp; 550 5.2.1 <reader@inbox.example.org>... User Unknown              | hard-second
5.4.4   | X-Postfix; Host or domain name not found. Name service error            | hard-second
5.7.13  | smtp; 525 5.7.13 User account disabled                                  | hard-second
5.0.0   | smtp; 550 Mailbox is frozen                                             | hard-second
4.0.0   | smtp; DNS answered NXDOMAIN: Domain name not found                      | hard-second
5.2.2   | smtp; 552 5.2.2 Over quota                                              | soft
5.1.1   | smtp; 552 5.2.2 mailbox over quota                                      | soft
5.0.0   | smtp; 550 the mailbox of this user is full                              | soft
4.2.2   | smtp; 452 4.2.2 over quota                                              | soft
4.4.7   | smtp; 554 4.4.7 Message expired: unable to deliver in 840 minutes       | soft
4.4.1   | X-Postfix; connect to mx.example.org[192.0.2.1]:25: timed out           | soft
4.3.0   | x-unix; temporary failure                                               | soft
5.3.0   | smtp; 554 5.3.0 Internal system error                                   | block
5.4.6   | smtp; 554 5.4.6 Too many hops                                           | soft
5.0.0   | smtp; 550 rejected                                                      | soft
5.7.1   | smtp; 550 5.7.1 Refused by local policy                                 | block
5.7.1   | smtp; 554 5.7.1 Service unavailable; blocked using bl.example.net       | block
5.7.26  | smtp; 550 5.7.26 Unauthenticated mail is not taken: DMARC               | block
5.1.1   | smtp; 550 5.7.1 The address of your server is blacklisted               | block
5.1.0   | smtp; 550 5.1.0 not allowed to send for it by its SPF record            | block
5.1.1   | smtp; 550 5.1.1 your server has sent to too many recipients this hour   | block
5.0.0   | smtp; 550 denied by policy: no such user                                | block
5.0.0   | smtp; 554 message looks like SPAM, user unknown                         | block
5.7.1   | smtp; 550 5.7.1 Message content rejected, UBE                           | block
5.7.1   | smtp; 554 5.7.1 <reader@inbox.example.org>: Relay access denied         | block
5.0.0   | smtp; 550 Fix the reverse DNS of your host                              | block
5.2.0   | smtp; 550 5.2.0 Message filtered                                        | block
4.7.0   | smtp; 421 4.7.0 [TSS04] deferred for complaints of users                | block
5.0.0   | smtp; 5.1.0 - Unknown address error 550-'5.7.1 Access denied'           | block
5.0.0   | smtp; 554 could not be taken                                            | block
5.0.0   | smtp; 550 Virus detected                                                | block
5.3.4   | smtp; 552 5.3.4 Message too large                                       | fault
5.2.3   | smtp; 552 5.2.3 Message length exceeds the limit                        | fault
5.6.0   | smtp; 550 5.6.0 Media error                                             | fault
5.1.8   | smtp; 553 5.1.8 Domain of sender address does not exist                 | fault
5.1.1   | smtp; 550 5.1.1 Sender address rejected: User unknown                   | fault
5.0.0   | smtp; 504 Command parameter not implemented                             | fault
"""

NOTICE = {
    "notificationType": "Bounce",
    "mail": {"source": RETURN},
    "bounce": {
        "bounceType": "Permanent",
        "bouncedRecipients": [
            {
                "emailAddress": READER,
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 no such user",
            }
        ],
    },
}

ODD = {
    "qmail, unknown": (
        "hard",
        """\
        Hi. This is the qmail-send program at mx.example.org.
        I'm afraid I wasn't able to deliver your message to the following addresses.
        This is a permanent error; I've given up. Sorry it didn't work out.

        <reader@inbox.example.org>:
        198.51.100.9 does not like recipient.
        Remote host said: 550 5.1.1 no such person
        Giving up on 198.51.100.9.

        --- Below this line is a copy of the message.

        {original}""",
    ),
    "qmail, its own words": (
        "hard",
        """\
        Hi. This is the qmail-send program at mx.example.org.

        <reader@inbox.example.org>:
        Sorry, no mailbox here by that name. (#5.1.1)

        --- Below this line is a copy of the message.

        {original}""",
    ),
    "qmail, full": (
        "soft",
        """\
        Hi. This is the qmail-send program at mx.example.org.

        <reader@inbox.example.org>:
        198.51.100.9 does not like recipient.
        Remote host said: 552 5.2.2 Mailbox full
        Giving up on 198.51.100.9.

        --- Enclosed is a copy of the message.
        """,
    ),
    "qmail, too long in the queue": (
        "soft",
        """\
        <reader@inbox.example.org>:
        Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)
        I'm not going to try again; this message has been in the queue too long.

        --- Below this line is a copy of the message.
        """,
    ),
    "exim, unknown": (
        "hard",
        """\
        This message was created automatically by mail delivery software.

        A message that you sent could not be delivered to one or more of its
        recipients. This is a permanent error. The following address(es) failed:

          reader@inbox.example.org
            host mx.inbox.example.org [198.51.100.9]
            SMTP error from remote mail server after RCPT TO:<reader@inbox.example.org>:
            550 5.1.1 unknown or illegal user

        ------ This is a copy of the message, including all the headers. ------

        {original}""",
    ),
    "exim, our sender is refused": (
        "block",
        """\
        A message that you sent could not be delivered to one or more of its
        recipients. This is a permanent error. The following address(es) failed:

          reader@inbox.example.org
            SMTP error from remote mail server after MAIL FROM:<bounces@news.example.org>:
            550 no such user here

        ------ This is a copy of the message, including all the headers. ------

        {original}""",
    ),
    "exim, spam": (
        "block",
        """\
        The following address(es) failed:

          reader@inbox.example.org
            SMTP error from remote mail server after end of data:
            550 5.1.1 we take no spam from you
        """,
    ),
    "exim, given up": (
        "soft",
        """\
        The following address(es) failed:

          reader@inbox.example.org
            all hosts have been failing for a long time and were last tried after this message arrived
        """,
    ),
    "Domino": (
        "hard",
        """\
        Your message

          Subject: Peace processes

        was not delivered to:

          reader@inbox.example.org

        because:

          User reader (reader@inbox.example.org) not listed in Domino Directory
        """,
    ),
    "Exchange of old": (
        "hard",
        """\
        Your message

          To:      reader@inbox.example.org
          Subject: Peace processes

        did not reach the following recipient(s):

        reader@inbox.example.org on Fri, 27 Nov 2026 14:00:09 +0000
            The recipient name is not recognized
            MSEXCH:IMS:ORG:SITE:SERVER 0 (000C05A6) Unknown Recipient
        """,
    ),
    "a webmail provider": (
        "hard-second",
        """\
        Message from mail.example.org.
        Unable to deliver message to the following address(es).

        <reader@inbox.example.org>:
        Sorry your message to reader@inbox.example.org cannot be delivered. This account has been disabled or
        discontinued [#102].

        --- Original message follows.

        {original}""",
    ),
    "another webmail provider": (
        "soft",
        """\
        Sorry, we were unable to deliver your message to the following address.

        <reader@inbox.example.org>:
        Remote host said: 552 5.2.2 Mailbox full [RCPT_TO]

        --- Below this line is a copy of the message.
        """,
    ),
    "a telephone company": (
        "soft",
        """\
        Your mail sent on: Fri, 27 Nov 2026 14:00:00 +0000
             Could not be delivered to: <reader@inbox.example.org>
             As their mailbox is full.
        """,
    ),
    "a telephone company in Japan": (
        "hard",
        """\
        次のあて先へのメッセージはエラーのため送信できませんでした。
        Each of the following recipients was rejected by a remote mail server.

            Recipient: <reader@inbox.example.org>
            >>> RCPT TO:<reader@inbox.example.org>
            <<< 550 <reader@inbox.example.org>: User unknown
        """,
    ),
    "DragonFly, unknown": (
        "hard",
        """\
        This is the DragonFly Mail Agent v0.13 at mx.example.org.

        There was an error delivering your mail to <reader@inbox.example.org>.

        mx.inbox.example.org [198.51.100.9] did not like our RCPT TO:
        550 5.1.1 <reader@inbox.example.org>: Recipient address rejected: User unknown

        Message headers follow.

        {original}""",
    ),
    "DragonFly, no such domain": (
        "hard-second",
        """\
        This is the DragonFly Mail Agent v0.13 at mx.example.org.

        There was an error delivering your mail to <reader@inbox.example.org>.

        DNS lookup failure: host inbox.example.org not found

        Message headers follow.
        """,
    ),
    "OpenSMTPD": (
        "hard",
        """\
        Hi!

        This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.

        An error has occurred while attempting to deliver a message for the following list of recipients:

        reader@inbox.example.org: 550 5.1.1 no such user

        Below is a copy of the original message:

        {original}""",
    ),
    "sendmail of the nineties": (
        "hard-second",
        """\
           ----- Transcript of session follows -----
        550 inbox.example.org (smtp)... 550 Host unknown
        554 <reader@inbox.example.org>... 550 Host unknown (Authoritative answer from name server)

           ----- Unsent message follows -----
        {original}""",
    ),
    "a gateway that lists blocks": (
        "block",
        """\
        undeliverable to reader@inbox.example.org
        Body of message generated response:
        550-REJECTED - Blacklisted URL in message.
        550 See the list. User unknown
        """,
    ),
    "a hosting company that guesses": (
        "block",
        """\
        The following address(es) failed:

          reader@inbox.example.org
            The mail server could not deliver mail to reader@inbox.example.org. The account or domain may not exist,
            they may be blacklisted, or missing the proper dns entries.
        """,
    ),
    "fields in the middle of a text": (
        "hard",
        """\
        An error occurred while trying to deliver the mail to the following recipients:
        reader@inbox.example.org

        Technical report:

        Reporting-MTA: dns; relay.example.net
        Action: failed
        Final-Recipient: rfc822; reader@inbox.example.org
        Diagnostic-Code: smtp; 550 5.1.1 no such user
        Status: 5.1.1
        """,
    ),
    "German": (
        "hard",
        """\
        Die folgende Adresse konnte nicht erreicht werden:
        reader@inbox.example.org
        Der Server sagt: 550 Benutzer unbekannt
        """,
    ),
    "a notice of Amazon by mail": (
        "hard",
        json.dumps({"Type": "Notification", "Message": json.dumps(NOTICE)}),
    ),
}

SILENT = {
    "no reason": "A message that you sent could not be delivered to one or more of its recipients.",
    "only a name": "Delivery to the following recipients failed permanently:\n\n   * reader@inbox.example.org\n",
}

QUIET = {
    "a week's delay": (Kind.DELAYED, dsn("4.4.1", "smtp; timed out", action="delayed")),
    "relayed to a system without reports": (Kind.DELAYED, dsn("2.1.9", "", action="relayed")),
    "expanded into a list": (Kind.DELAYED, dsn("2.1.5", "", action="expanded")),
    "delivered": (Kind.DELAYED, dsn("2.1.5", "smtp; 250 ok", action="delivered")),
    "a warning in words": (
        Kind.DELAYED,
        plain(
            "THIS IS A WARNING MESSAGE ONLY.\nDelivery to the following recipient has been delayed:\n   reader\n"
            "Message will be retried for 2 more day(s)\n",
            subject="Delivery Status Notification (Delay)",
        ),
    ),
    "out of office": (Kind.AUTO_REPLY, answer()),
    "out of office, in German": (Kind.AUTO_REPLY, answer("Automatische Antwort: Peace", Auto_Submitted="auto-replied")),
    "vacation": (Kind.AUTO_REPLY, answer("Re: Peace", Auto_Submitted="auto-replied (vacation)")),
    "an autoresponder": (Kind.AUTO_REPLY, answer("Thank you", X_Autoreply="yes")),
    "by precedence": (Kind.AUTO_REPLY, answer("Thank you", Precedence="auto_reply")),
    "abuse": (Kind.COMPLAINT, complaint()),
    "fraud": (Kind.COMPLAINT, complaint("fraud")),
    "opt-out": (Kind.COMPLAINT, complaint("opt-out")),
    "not spam after all": (Kind.UNKNOWN, complaint("not-spam")),
    "a report on signatures": (Kind.UNKNOWN, complaint("auth-failure")),
    "a letter": (Kind.UNKNOWN, answer("Your article of last week")),
    "nothing": (Kind.UNKNOWN, b""),
}


def rows() -> list[tuple[str, str, str]]:
    lines = (line.split("|") for line in REPORTS.strip().splitlines())
    return [(status.strip(), said.strip(), verdict.strip()) for status, said, verdict in lines]


@pytest.mark.parametrize(("status", "said", "verdict"), rows())
def test_a_delivery_report_is_judged_by_the_table(status: str, said: str, verdict: str) -> None:
    """A notification of RFC 3464, by its status and its diagnostic."""
    report = read(dsn(status, said))
    judgement = judge(report)
    assert report.kind is Kind.BOUNCE
    assert judgement.verdict is not None
    assert judgement.verdict.value == verdict, judgement
    assert report.failures[0].recipient == READER
    assert report.original_id == ORIGINAL_ID
    assert RETURN in report.addresses


@pytest.mark.parametrize("name", ODD)
def test_a_form_of_its_own_is_understood(name: str) -> None:
    """Programs that never heard of RFC 3464 are judged by what they say."""
    verdict, text = ODD[name]
    raw = plain(text)
    report = read(raw)
    judgement = judge(report)
    assert report.kind is Kind.BOUNCE
    assert judgement.verdict is not None, report
    assert judgement.verdict.value == verdict, judgement
    if "{original}" in text:
        assert report.original_id == ORIGINAL_ID
    assert RETURN in report.addresses


@pytest.mark.parametrize("name", SILENT)
def test_a_bounce_without_a_reason_is_not_guessed_at(name: str) -> None:
    """Known as a bounce, and judged by nobody: it says nothing that the table knows."""
    report = read(plain(SILENT[name]))
    judgement = judge(report)
    assert report.kind is Kind.BOUNCE
    assert judgement.verdict is None
    assert judgement.why


@pytest.mark.parametrize("name", QUIET)
def test_what_is_no_bounce_is_known_as_what_it_is(name: str) -> None:
    """Delays, answers of the absent, complaints, and letters."""
    kind, raw = QUIET[name]
    report = read(raw)
    assert report.kind is kind, report
    assert judge(report).verdict is None
    assert report.why or kind is not Kind.UNKNOWN


def test_of_several_recipients_the_mildest_counts() -> None:
    """Somebody behind the reader's address is gone, another's mailbox is full: the reader's is not hopeless."""
    raw = dsn("5.1.1", "smtp; 550 5.1.1 no such user").replace(
        b"\n--=_part\nContent-Type: text/rfc822-headers",
        b"\n\nFinal-Recipient: rfc822; second@inbox.example.org\nAction: failed\nStatus: 5.2.2\n"
        b"Diagnostic-Code: smtp; 552 5.2.2 mailbox full\n\n--=_part\nContent-Type: text/rfc822-headers",
    )
    report = read(raw)
    assert len(report.failures) == 2
    verdict = judge(report).verdict
    assert verdict is not None
    assert verdict.value == "soft"


def test_what_is_said_beside_the_fields_counts_where_they_are_silent() -> None:
    """A status of 5.0.0 without a diagnostic, and the reply in the text."""
    report = read(dsn("5.0.0", "", text="reader@inbox.example.org: 550 5.1.1 no such user"))
    verdict = judge(report).verdict
    assert verdict is not None
    assert verdict.value == "hard"


def test_words_of_a_block_in_the_text_go_over_a_hard_status() -> None:
    """ "No such user" in the fields, and beside them that we are on a blocklist: the reader stays."""
    report = read(dsn("5.1.1", "smtp; 550 5.1.1 no such user", text="Your server's reputation is bad."))
    verdict = judge(report).verdict
    assert verdict is not None
    assert verdict.value == "block"
