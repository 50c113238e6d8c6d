"""Made messages that come back, in the manner of the world's mail programs; each is our own wording of a known form."""

from __future__ import annotations

from email.message import EmailMessage
from textwrap import dedent

READER = "reader@inbox.example.org"
RETURN = "bounces@news.example.org"
ORIGINAL_ID = "<0123456789abcdef0123456789abcdef@news.example.org>"


def original(return_path: str = RETURN) -> str:
    """The headers of the mail that comes back."""
    return dedent(f"""\
        Return-Path: <{return_path}>
        Received: from relay.example.net (relay.example.net [198.51.100.7])
        \tby mx.inbox.example.org with ESMTPS id 4Xy; Fri, 27 Nov 2026 14:00:05 +0000
        Date: Fri, 27 Nov 2026 14:00:00 +0000
        From: "The Observatory" <roundup@news.example.org>
        To: {READER}
        Subject: Peace processes, and twelve more
        Message-ID: {ORIGINAL_ID}
        """)


def headers(to: str = RETURN, subject: str = "Undelivered Mail Returned to Sender", **more: str) -> str:
    """Those of what comes back itself."""
    fields = {
        "Return-Path": "<>",
        "Delivered-To": to,
        "From": "MAILER-DAEMON@mx.inbox.example.org (Mail Delivery System)",
        "To": to,
        "Subject": subject,
        "Date": "Fri, 27 Nov 2026 14:00:09 +0000",
        "Message-ID": "<4Xy.1795788009@mx.inbox.example.org>",
    }
    fields |= {name.replace("_", "-"): value for name, value in more.items()}
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def dsn(
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 no such user",
    *,
    action: str = "failed",
    to: str = RETURN,
    text: str = "Your message could not be delivered.",
    return_path: str | None = None,
    recipient: str = READER,
    **more: str,
) -> bytes:
    """A delivery status notification of RFC 3464, with the mail's headers."""
    fields = [f"Final-Recipient: rfc822; {recipient}", f"Action: {action}", f"Status: {status}"]
    if diagnostic:
        fields.append(f"Diagnostic-Code: {diagnostic}")
    return _report(
        headers(to, **more) + "MIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=_part"\n',
        ("text/plain; charset=us-ascii", text),
        ("message/delivery-status", "Reporting-MTA: dns; mx.inbox.example.org\n\n" + "\n".join(fields)),
        ("text/rfc822-headers", original(return_path or to)),
    )


def complaint(kind: str = "abuse", *, to: str = "fbl@news.example.org", return_path: str = RETURN) -> bytes:
    """A feedback report of RFC 5965."""
    return _report(
        headers(
            to, "Complaint about a message", Return_Path="<feedback@inbox.example.org>", From="fbl@inbox.example.org"
        )
        + 'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary="=_part"\n',
        ("text/plain", "A reader pressed the button for unwanted mail."),
        (
            "message/feedback-report",
            f"Feedback-Type: {kind}\nUser-Agent: Inbox-Feedback/2\nVersion: 1\nOriginal-Mail-From: <{return_path}>\n",
        ),
        ("message/rfc822", original(return_path) + "\nThe news.\n"),
    )


def plain(text: str, *, to: str = RETURN, return_path: str | None = None, **more: str) -> bytes:
    """A message of one part, without any form."""
    returned = original(return_path or to)
    return (headers(to, **more) + "\n" + dedent(text).replace("{original}", returned)).encode()


def answer(subject: str = "Out of office", *, to: str = RETURN, **more: str) -> bytes:
    """What a reader's mailbox says for them while they are away."""
    message = EmailMessage()
    fields = {"From": READER, "To": to, "Subject": subject, "Message-ID": "<away.1@inbox.example.org>"}
    for name, value in (fields | {name.replace("_", "-"): value for name, value in more.items()}).items():
        message[name] = value
    message.set_content("I am away until Monday. In urgent matters please write to my colleagues.\n")
    return message.as_bytes()


def leaving(to: str, *, sender: str = READER) -> bytes:
    """What a mail program sends when its reader presses "unsubscribe"."""
    message = EmailMessage()
    for name, value in {
        "From": sender,
        "To": to,
        "Subject": "unsubscribe",
        "Message-ID": "<u.1@inbox.example.org>",
    }.items():
        message[name] = value
    message.set_content("")
    return message.as_bytes()


def _report(head: str, *parts: tuple[str, str]) -> bytes:
    pieces = [f"--=_part\nContent-Type: {kind}\n\n{body}\n" for kind, body in parts]
    return f"{head}\nThis is a report in several parts.\n\n{''.join(pieces)}--=_part--\n".encode()
