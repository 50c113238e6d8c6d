"""What providers report is believed when it is proved, once, and never else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pytest_httpserver import HTTPServer

from digest.errors import DigestError
from digest.post_office import returned
from digest.post_office.hooks import Hooks, fetched
from digest.post_office.reader_pages import web_services
from digest.web import hooks
from digest.web.app import create_app
from digest.web.serve import start
from subscribers.model import Status
from tests.support import hooks as calls
from tests.support.post import READER, Post, post

OTHER = "other@example.org"


@dataclass
class Wire:
    """The pages over real HTTP, and what would have been fetched from Amazon."""

    post: Post
    client: httpx2.Client
    fetched: list[str] = field(default_factory=list)
    behind: timedelta = timedelta(0)
    away: bool = False

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if self.away:
            raise DigestError(f"{url}: no route")
        return calls.certificate(self.post.clock.now - self.behind)

    def call(self, provider: str, body: bytes, headers: dict[str, str] | None = None) -> int:
        return self.client.post(f"/hooks/{provider}", content=body, headers=headers or {}).status_code

    def untouched(self) -> bool:
        return self.post.status() is Status.ACTIVE and not returned.listed(self.post.app, limit=9)


@contextmanager
def wired(folder: Path, database_url: str | None = None) -> Iterator[Wire]:
    secrets = {"postmark": calls.LOGIN, "mailgun": calls.MAILGUN_KEY, "sendgrid": calls.sendgrid_public()}
    for name, secret in secrets.items():
        (folder / name).write_text(f"{secret}\n")
    hooks_table = {f"{name}_file": str(folder / name) for name in secrets} | {"ses_topic": calls.TOPIC}
    with post(folder, database_url, changes={"bounces": {"webhooks": hooks_table}}) as p:
        p.subscribe(OTHER)
        made = Wire(p, httpx2.Client())
        services = Hooks(lambda: p.app, lambda url: made.fetch(url))
        server = start(
            create_app(web_services(lambda: p.app), partial(hooks.routes, services=services)), "127.0.0.1", 0
        )
        try:
            with httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as made.client:
                yield made
        finally:
            server.stop()


@pytest.fixture
def w(tmp_path: Path) -> Iterator[Wire]:
    with wired(tmp_path) as made:
        yield made


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_bounce_from_amazon_suppresses(w: Wire, version: str) -> None:
    """Signed by either version, known by our return address; played again it is refused."""
    body = calls.sns(calls.ses_bounce(w.post.address(w.post.mailed()), READER), w.post.clock.now, version=version)
    assert w.call("ses", body) == 200
    assert w.post.status() is Status.SUPPRESSED
    assert w.post.status(OTHER) is Status.ACTIVE
    assert w.call("ses", body) == 409
    assert len(returned.listed(w.post.app, limit=9)) == 1


def test_a_complaint_from_amazon_suppresses(w: Wire) -> None:
    """The reader pressed the button at their provider, who told Amazon, who tells us."""
    slug = w.post.mailed()
    assert w.call("ses", calls.sns(calls.ses_complaint(w.post.address(slug), READER), w.post.clock.now)) == 200
    assert w.post.status() is Status.SUPPRESSED


def test_amazon_without_our_return_address_is_known_by_the_message_id(w: Wire) -> None:
    """The recipient alone is not enough: the Message-ID must be that of a mail to them."""
    slug = w.post.mailed(READER, OTHER)
    wrong = calls.ses_bounce("a@example.org", READER, message_id=w.post.message_id(slug, OTHER))
    assert w.call("ses", calls.sns(wrong, w.post.clock.now, MessageId="1")) == 200
    assert w.post.status() is Status.ACTIVE
    right = calls.ses_bounce("a@example.org", READER, message_id=w.post.message_id(slug))
    assert w.call("ses", calls.sns(right, w.post.clock.now, MessageId="2")) == 200
    assert w.post.status() is Status.SUPPRESSED


def ses_forgeries(w: Wire) -> dict[str, bytes]:
    now = w.post.clock.now
    notice = calls.ses_bounce(w.post.address(w.post.mailed()), READER)
    good = json.loads(calls.sns(notice, now))
    stranger = rsa.generate_private_key(65537, 2048)
    elsewhere = "arn:aws:sns:eu-west-1:000000000000:another"
    return {
        "another's key": calls.sns(notice, now, key=stranger),
        "another message": json.dumps(good | {"Message": good["Message"].replace("5.1.1", "5.1.2")}).encode(),
        "another time": json.dumps(good | {"Timestamp": "2026-11-23T13:59:00.000Z"}).encode(),
        "another topic": calls.sns(notice, now, TopicArn=elsewhere),
        "yesterday's": calls.sns(notice, now - timedelta(days=2)),
        "tomorrow's": calls.sns(notice, now + timedelta(days=1)),
        "a certificate of another host": calls.sns(notice, now, SigningCertURL="https://sns.example.org/a.pem"),
        "a host that only begins so": calls.sns(notice, now, SigningCertURL=f"https://{calls.HOST}.example.org/a.pem"),
        "a host behind a login": calls.sns(notice, now, SigningCertURL=f"https://{calls.HOST}@example.org/a.pem"),
        "another port": calls.sns(notice, now, SigningCertURL=f"https://{calls.HOST}:8443/a.pem"),
        "another region": calls.sns(notice, now, SigningCertURL="https://sns.us-east-1.amazonaws.com/a.pem"),
        "no https": calls.sns(notice, now, SigningCertURL=f"http://{calls.HOST}/a.pem"),
        "what somebody stored at Amazon": calls.sns(
            notice, now, SigningCertURL=f"{calls.CERTIFICATE}?Action=GetEndpointAttributes&EndpointArn=arn"
        ),
        "another path": calls.sns(notice, now, SigningCertURL=f"https://{calls.HOST}/a.pem"),
        "no host": calls.sns(notice, now, SigningCertURL="/SimpleNotificationService-0.pem"),
        "no certificate": calls.sns(notice, now, SigningCertURL=f"https://{calls.HOST}/a.html"),
        "no signature": json.dumps(good | {"Signature": ""}).encode(),
        "a third version": json.dumps(good | {"SignatureVersion": "3"}).encode(),
        "no JSON": b"bounce!",
        "deep JSON": b"[" * 200_000,
        "a list": b"[]",
        "nothing": b"",
    }


def test_a_forged_call_of_amazon_changes_nothing(w: Wire) -> None:
    """Another key, another text, another topic, another day, another host: refused, and nothing is written."""
    for name, body in ses_forgeries(w).items():
        assert w.call("ses", body) == 403, name
        assert w.untouched(), name
    assert set(w.fetched) <= {calls.CERTIFICATE}, "nothing but Amazon's own host is ever asked"


def test_a_certificate_that_has_expired_proves_nothing(w: Wire) -> None:
    """It must be valid on the day of the call."""
    body = calls.sns(calls.ses_bounce(w.post.address(w.post.mailed()), READER), w.post.clock.now)
    w.behind = timedelta(days=9)
    assert w.call("ses", body) == 403
    assert w.untouched()


def test_amazon_is_told_to_come_again_while_its_certificate_cannot_be_had(w: Wire) -> None:
    """A 503, so that SNS tries again; nothing is believed meanwhile."""
    w.away = True
    assert w.call("ses", calls.sns(calls.ses_bounce("a@example.org", READER), w.post.clock.now)) == 503
    assert w.untouched()


def test_only_a_certificate_is_remembered_as_one(w: Wire, httpserver: HTTPServer) -> None:
    """What a proxy on the way answers instead, or where it points to, is not kept for one; the certificate is fetched
    once."""
    path = "/SimpleNotificationService-1.pem"
    httpserver.expect_ordered_request(path).respond_with_data("<html>Please log in to this network")
    httpserver.expect_ordered_request(path).respond_with_data(
        "", status=302, headers={"Location": httpserver.url_for("/inside")}
    )
    httpserver.expect_ordered_request(path).respond_with_data("x" * 30_000)
    httpserver.expect_ordered_request(path).respond_with_data(calls.certificate(w.post.clock.now))
    url = httpserver.url_for(path)
    with pytest.raises(DigestError, match="no certificate"):
        fetched(url)
    for _ in range(2):
        with pytest.raises(DigestError):
            fetched(url)
    assert fetched(url) == fetched(url) == calls.certificate(w.post.clock.now)
    httpserver.check_assertions()
    assert len(httpserver.log) == 4


def test_our_topic_is_confirmed_and_no_other(w: Wire) -> None:
    """The URL that says yes is fetched for our topic, at Amazon's own host, when the request is signed."""
    yes = f"https://{calls.HOST}/?Action=ConfirmSubscription&Token=abc"
    made = {"Type": "SubscriptionConfirmation", "Token": "abc", "SubscribeURL": yes}
    now = w.post.clock.now
    other = {"TopicArn": "arn:aws:sns:eu-west-1:000000000000:another"}
    evil = {"SubscribeURL": "https://inside.example.org/?Action=ConfirmSubscription"}
    stranger = rsa.generate_private_key(65537, 2048)
    for body in (
        calls.sns("x", now, **made | other),
        calls.sns("x", now, **made | evil),
        calls.sns("x", now, key=stranger, **made),
    ):
        assert w.call("ses", body) == 403
    assert yes not in w.fetched
    assert evil["SubscribeURL"] not in w.fetched
    assert w.call("ses", calls.sns("x", now, **made)) == 200
    assert w.fetched[-1] == yes


@pytest.mark.parametrize(
    ("kind", "details", "verdict"),
    [
        ("HardBounce", "smtp;550 5.1.1 no such user", "hard"),
        ("HardBounce", "", "hard"),
        ("SoftBounce", "smtp;552 5.2.2 mailbox full", "soft"),
        ("SoftBounce", "", "soft"),
        ("DnsError", "", "hard-second"),
        ("Blocked", "smtp;550 5.1.1 your address is on our blocklist", "block"),
        ("SpamNotification", "", "block"),
        ("DMARCPolicy", "", "block"),
    ],
)
def test_postmark_is_judged_by_what_it_quotes(w: Wire, kind: str, details: str, verdict: str) -> None:
    """The remote server's words first, the provider's class where there are none; never its general description."""
    w.post.mailed()
    assert w.call("postmark", calls.postmark(kind, email=READER, details=details), calls.login()) == 200
    (one,) = returned.listed(w.post.app, limit=9)
    assert (one.kind, one.verdict, one.delivery) == ("bounce", verdict, w.post.number("2026-11-23"))


def test_a_complaint_at_postmark_suppresses_and_counts_once(w: Wire) -> None:
    """The same record again is refused."""
    w.post.mailed()
    body = calls.postmark("SpamComplaint", record="SpamComplaint", email=READER)
    assert w.call("postmark", body, calls.login()) == 200
    assert w.post.status() is Status.SUPPRESSED
    assert w.call("postmark", body, calls.login()) == 403  # the one answer after which Postmark does not try again


def test_postmark_is_known_by_what_our_mails_carry(w: Wire) -> None:
    """Postmark's own MessageID says nothing to us; ours comes back as metadata, and names one of two editions."""
    first = w.post.mailed(READER, OTHER)
    ours = {reader: w.post.message_id(first, reader).strip("<>") for reader in (READER, OTHER)}
    last = w.post.next_week(READER, OTHER)
    for number, (email, said) in enumerate([(READER, ours[OTHER]), (READER, ours[READER]), (OTHER, "")]):
        body = calls.postmark("SoftBounce", email=email, ID=number + 1, Metadata={"message-id": said})
        assert w.call("postmark", body, calls.login()) == 200
    found = [one.delivery for one in reversed(returned.listed(w.post.app, limit=9))]
    assert found == [None, w.post.number(first), w.post.number(last, OTHER)]


def test_two_who_leave_at_postmark_at_once_have_both_left(w: Wire) -> None:
    """A change of subscription has no number, and no mail of its own where it was made by hand: the reader tells it
    apart."""
    w.post.mailed(READER, OTHER)
    for reader in (READER, OTHER):
        body = calls.postmark(
            record="SubscriptionChange", email="", ID=None, Recipient=reader, SuppressSending=True,
            MessageID="00000000-0000-0000-0000-000000000000", ChangedAt="2026-11-23T14:00:00Z",
            SuppressionReason="ManualSuppression",
        )  # fmt: skip
        assert w.call("postmark", body, calls.login()) == 200
    assert (w.post.status(), w.post.status(OTHER)) == (Status.LEFT, Status.LEFT)


def test_postmark_without_its_login_is_not_heard(w: Wire) -> None:
    """No login, another one, half of one: 401, and nothing is written."""
    w.post.mailed()
    body = calls.postmark(email=READER)
    wrong: list[dict[str, str]] = [
        {}, calls.login("hooks:"), calls.login(f"{calls.LOGIN}x"), calls.login(calls.LOGIN[:-1]), calls.login(":"),
        {"Authorization": "Basic !!"}, {"Authorization": f"Bearer {calls.LOGIN}"},
    ]  # fmt: skip
    for headers in wrong:
        assert w.call("postmark", body, headers) == 401
    assert w.untouched()


def test_mailgun_is_known_by_our_message_id(w: Wire) -> None:
    """A permanent failure counts, a temporary one does not; who it names must have got that very mail."""
    slug = w.post.mailed(READER, OTHER)
    now = w.post.clock.now
    temporary = calls.mailgun_failed(READER, w.post.message_id(slug), severity="temporary")
    assert w.call("mailgun", calls.mailgun(temporary, now, token="a" * 50)) == 200
    strange = calls.mailgun_failed(READER, w.post.message_id(slug, OTHER))
    assert w.call("mailgun", calls.mailgun(strange, now, token="b" * 50)) == 200
    assert w.post.status() is Status.ACTIVE
    permanent = calls.mailgun_failed(READER, w.post.message_id(slug))
    assert w.call("mailgun", calls.mailgun(permanent, now, token="c" * 50)) == 200
    assert w.post.status() is Status.SUPPRESSED


def test_a_token_of_mailgun_counts_once(w: Wire) -> None:
    """The signature does not cover what is said: with a token seen before, another text is refused, too."""
    slug = w.post.mailed(READER, OTHER)
    now = w.post.clock.now
    first = calls.mailgun({"event": "delivered", "recipient": OTHER}, now)
    assert w.call("mailgun", first) == 200
    stolen = calls.mailgun(calls.mailgun_failed(READER, w.post.message_id(slug)), now)
    assert w.call("mailgun", stolen) == 406
    assert w.post.status() is Status.ACTIVE


def test_a_forged_call_of_mailgun_changes_nothing(w: Wire) -> None:
    """Another key, another token, another time, an old call, nonsense."""
    failed = calls.mailgun_failed(READER, w.post.message_id(w.post.mailed()))
    now = w.post.clock.now
    good = json.loads(calls.mailgun(failed, now))
    signed = good["signature"]
    bodies = [
        calls.mailgun(failed, now, key="key-of-another"),
        calls.mailgun(failed, now, key=""),
        calls.mailgun(failed, now - timedelta(days=2)),
        calls.mailgun(failed, now + timedelta(days=2)),
        json.dumps(good | {"signature": signed | {"token": "z" * 50}}).encode(),
        json.dumps(good | {"signature": signed | {"timestamp": str(int(signed["timestamp"]) + 1)}}).encode(),
        json.dumps(good | {"signature": signed | {"signature": "ÿ" * 64}}).encode(),
        json.dumps(good | {"signature": {}}).encode(),
        json.dumps({"event-data": failed}).encode(),
        b"x",
    ]
    for body in bodies:
        assert w.call("mailgun", body) == 403, body
    assert w.untouched()


def test_a_batch_of_sendgrid_is_taken_event_by_event(w: Wire) -> None:
    """Bounces and complaints count, deliveries and blocks do not; the same batch again is refused."""
    third = "third@example.org"
    w.post.subscribe(third)
    slug = w.post.mailed(READER, OTHER, third)
    ids = {reader: w.post.message_id(slug, reader) for reader in (READER, OTHER, third)}
    events = [
        calls.sendgrid_event("delivered", READER, ids[READER], "1"),
        calls.sendgrid_event("bounce", READER, ids[READER], "2", status="5.1.1", reason="550 5.1.1 no such user"),
        calls.sendgrid_event("bounce", OTHER, ids[OTHER], "3", type="blocked", reason="550 no such user: spam"),
        calls.sendgrid_event("spamreport", third, ids[third], "4"),
    ]
    body, headers = calls.sendgrid(events, w.post.clock.now)
    assert w.call("sendgrid", body, headers) == 200
    found = (w.post.status(), w.post.status(OTHER), w.post.status(third))
    assert found == (Status.SUPPRESSED, Status.ACTIVE, Status.SUPPRESSED)
    assert w.call("sendgrid", body, headers) == 409
    assert len(returned.listed(w.post.app, limit=9)) == 4


def test_an_event_without_an_identifier_spoils_no_batch(w: Wire) -> None:
    """SendGrid signed it: the odd event counts once, and the others of its batch count."""
    slug = w.post.mailed(READER, OTHER)
    complaint = calls.sendgrid_event("spamreport", OTHER, w.post.message_id(slug, OTHER))
    del complaint["sg_event_id"]
    bounce = calls.sendgrid_event("bounce", READER, w.post.message_id(slug), status="5.1.1", reason="550 no such user")
    batches: list[tuple[list[Any], int]] = [([complaint, "nonsense", bounce], 200), ([complaint], 409)]
    for events, answer in batches:
        body, headers = calls.sendgrid(events, w.post.clock.now)
        assert w.call("sendgrid", body, headers) == answer
    assert (w.post.status(), w.post.status(OTHER)) == (Status.SUPPRESSED, Status.SUPPRESSED)
    assert len(returned.listed(w.post.app, limit=9)) == 2


def test_who_left_at_the_provider_has_left(w: Wire) -> None:
    """A provider's own unsubscribe link is a way to leave, too."""
    event = calls.sendgrid_event("unsubscribe", READER, w.post.message_id(w.post.mailed()))
    body, headers = calls.sendgrid([event], w.post.clock.now)
    assert w.call("sendgrid", body, headers) == 200
    assert w.post.status() is Status.LEFT


def test_a_forged_call_of_sendgrid_changes_nothing(w: Wire) -> None:
    """Another key, another body, another time, an old call, no headers."""
    event = calls.sendgrid_event("spamreport", READER, w.post.message_id(w.post.mailed()))
    now = w.post.clock.now
    body, headers = calls.sendgrid([event], now)
    later = {**headers, "X-Twilio-Email-Event-Webhook-Timestamp": str(int(now.timestamp()) + 1)}
    for wrong_body, wrong_headers in [
        calls.sendgrid([event], now, key=ec.generate_private_key(ec.SECP256R1())),
        calls.sendgrid([event], now - timedelta(days=2)),
        (body + b" ", headers), (body, later), (body, {}), (b"", headers),
    ]:  # fmt: skip
        assert w.call("sendgrid", wrong_body, wrong_headers) == 403
    assert w.untouched()


def test_what_is_not_configured_is_not_there(tmp_path: Path) -> None:
    """Without a secret there is nothing to prove, and no page."""
    with post(tmp_path) as p:
        services = Hooks(lambda: p.app, lambda _: b"")
        server = start(
            create_app(web_services(lambda: p.app), partial(hooks.routes, services=services)), "127.0.0.1", 0
        )
        try:
            with httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as client:
                for provider in hooks.PROVIDERS:
                    assert client.post(f"/hooks/{provider}", content=b"{}").status_code == 404
                    assert client.get(f"/hooks/{provider}").status_code == 405
                assert client.post("/hooks/another", content=b"{}").status_code == 404
        finally:
            server.stop()


def test_a_body_has_its_limit(w: Wire) -> None:
    """Two megabytes are the most, whoever sends them."""
    for provider in hooks.PROVIDERS:
        assert w.call(provider, b"x" * (hooks.LARGEST + 1)) == 413
    assert w.untouched()


def test_providers_try_again_while_the_database_is_away(w: Wire) -> None:
    """503, and the next try counts."""
    w.post.mailed()
    body = calls.postmark(email=READER, details="smtp;550 5.1.1 no such user")
    with w.post.app.database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE bounces RENAME TO hidden")
    assert w.call("postmark", body, calls.login()) == 503
    with w.post.app.database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE hidden RENAME TO bounces")
    assert w.call("postmark", body, calls.login()) == 200
    assert w.post.status() is Status.SUPPRESSED


def test_odd_values_are_no_error(tmp_path: Path, database_url: str) -> None:
    """Whatever stands in a proved call, it ends in the books and in no traceback."""
    with wired(tmp_path, database_url) as made:
        _odd_values(made)


def _odd_values(w: Wire) -> None:
    odd: list[Any] = [None, [], {}, "\0", "\ud800", "x" * 100_000, 1e300, -1, True]
    for number, value in enumerate(odd):
        made = calls.postmark("HardBounce", email=READER, ID=number + 1, Details=value, Metadata=value)
        assert w.call("postmark", made, calls.login()) == 200, value
        event = {
            "event": "failed",
            "severity": "permanent",
            "delivery-status": value,
            "message": value,
            "reason": value,
        }
        assert w.call("mailgun", calls.mailgun(event, w.post.clock.now, token=f"{number:050}")) == 200, value
        batch = [{"event": "bounce", "sg_event_id": f"{number}", "status": value, "reason": value, "smtp-id": value}]
        body, headers = calls.sendgrid(batch, w.post.clock.now)
        assert w.call("sendgrid", body, headers) == 200, value
        notice = {"mail": {"source": value, "headers": value}, "notificationType": "Bounce", "bounce": value}
        assert w.call("ses", calls.sns(notice, w.post.clock.now, MessageId=f"{number}")) == 200, value
