"""The SMTP client against real servers, well-behaved and not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from digest.delivery.session import RelaySettings, Reply, SessionError, make_reply
from digest.delivery.smtp import Client
from tests.support.smtp import DROP, STALL, Fault, Keeper, Sink, aiosmtpd_server
from tests.support.tls import Authority

MESSAGE = [b"Subject: one\r\n\r\n", b"line\r\n" * 4, b"=2Ehidden\r\n"]
WHOLE = b"".join(MESSAGE)


class Envelope(NamedTuple):
    """As the client wants one, without a message."""

    sender: str
    recipient: str
    size: int


def envelope(name: str = "reader", size: int = len(WHOLE)) -> Envelope:
    return Envelope("roundup@news.example.org", f"{name}@example.org", size)


def relay(port: int, **changes: object) -> RelaySettings:
    plain: dict[str, object] = {"connect_timeout": 3, "command_timeout": 0.5, "data_timeout": 0.5}
    return RelaySettings("localhost", port, **(plain | changes))  # type: ignore[arg-type]


def deliver(client: Client, name: str = "reader", following: Envelope | None = None) -> Reply:
    reply = client.deliver(envelope(name), MESSAGE, before_body=lambda: True, following=following)
    assert reply is not None
    return reply


@pytest.fixture(params=["pipelined", "lock-step"])
def sink(request: pytest.FixtureRequest) -> Iterator[Sink]:
    extensions = ("PIPELINING", "SIZE 1000") if request.param == "pipelined" else ("SIZE 1000",)
    with Sink(extensions=extensions).serve() as sink:
        yield sink


def test_several_messages_over_one_connection(sink: Sink) -> None:
    """Messages follow each other over one connection, each whole, with and without PIPELINING."""
    client = Client(relay(sink.port))
    names = ["a", "b", "c"]
    for name, following in zip(names, [*names[1:], None], strict=True):
        reply = deliver(client, name, envelope(following) if following else None)
        assert (reply.phase, reply.code, reply.status) == ("dot", 250, "2.0.0")
    client.quit()
    assert [one.recipient for one in sink.received] == [f"{name}@example.org" for name in names]
    assert {one.data for one in sink.received} == {WHOLE}
    assert sink.connections == 1
    assert sink.commands[-1] == "QUIT"


@pytest.mark.parametrize("begin_data", [False, True])
def test_a_refused_recipient_does_not_disturb_the_next(sink: Sink, begin_data: bool) -> None:
    """RCPT refused: the next message goes over the same connection, even where DATA was answered 354 all the same."""
    sink.begin_data = begin_data
    sink.faults["a@example.org"] = Fault("rcpt", "550 5.1.1 user unknown")
    client = Client(relay(sink.port))
    refused = deliver(client, "a")
    assert (refused.phase, refused.code, refused.status, refused.text) == ("rcpt", 550, "5.1.1", "user unknown")
    assert deliver(client, "b", envelope("a")).code == 250
    assert deliver(client, "a").code == 550
    assert deliver(client, "c").code == 250
    client.quit()
    assert sink.recipients() == ["b@example.org", "c@example.org"]
    assert sink.connections == 1


@pytest.mark.parametrize(
    ("phase", "reply", "seen"),
    [
        ("mail", "451 4.3.0 later", ("mail", 451)),
        ("data", "451 4.3.0 later", ("data", 451)),
        ("dot", "550 5.7.1 spam", ("dot", 550)),
        ("mail", "421 4.3.2 closing", ("mail", 421)),
        ("rcpt", "421 4.3.2 closing", ("rcpt", 421)),
        ("dot", "421 4.3.2 closing", ("dot", 421)),
        ("mail", DROP, ("mail", 0)),
        ("rcpt", DROP, ("mail", 0)),
        ("dot", DROP, ("lost", 0)),
        ("lost", DROP, ("lost", 0)),
        ("lost", STALL, ("lost", 0)),
        ("rcpt", STALL, ("mail", 0)),
    ],
)
def test_each_fault_is_told_apart(sink: Sink, phase: str, reply: str, seen: tuple[str, int]) -> None:
    """The phase of a refusal or a loss is known, and above all whether the final dot had gone."""
    sink.faults["*"] = Fault(phase, reply, times=1)
    client = Client(relay(sink.port))
    answer = deliver(client)
    assert (answer.phase, answer.code) == seen
    assert client.is_open == (answer.code not in (0, 421))
    if client.is_open:
        assert deliver(client).code == 250
    client.close()


def test_cut_off_in_the_middle_of_the_body() -> None:
    """A relay that hangs up while a large body flows leaves the message unsent, not uncertain."""
    with Sink(extensions=("PIPELINING",)).serve() as sink:
        sink.faults["*"] = Fault("body", DROP)
        client = Client(relay(sink.port))
        body = [b"x" * 70 + b"\r\n"] * 400_000
        answer = client.deliver(envelope(), body, before_body=lambda: True)
    assert answer is not None
    assert (answer.phase, answer.code) == ("data", 0)


def test_a_message_can_be_held_back_at_the_last_moment(sink: Sink) -> None:
    """Where the last look says no, nothing of the body goes and the connection is closed."""
    client = Client(relay(sink.port))
    assert client.deliver(envelope(), MESSAGE, before_body=lambda: False) is None
    assert not client.is_open
    assert sink.received == []


def test_too_large_for_the_relay_is_not_tried(sink: Sink) -> None:
    """A message over the relay's SIZE is refused here, and the next one goes."""
    client = Client(relay(sink.port))
    answer = client.deliver(envelope(size=2000), MESSAGE, before_body=lambda: True)
    assert answer is not None
    assert (answer.code, answer.status) == (552, "5.3.4")
    assert deliver(client).code == 250
    client.quit()
    assert "MAIL FROM:<roundup@news.example.org> SIZE=51" in sink.commands


@pytest.mark.parametrize(
    ("fault", "phase", "code"),
    [
        (Fault("connect", "554 5.7.1 go away"), "connect", 554),
        (Fault("connect", "421 too many"), "connect", 421),
        (Fault("connect", DROP), "connect", 0),
        (Fault("connect", "hello?"), "connect", 0),
        (Fault("ehlo", "550 bad name"), "ehlo", 550),
    ],
)
def test_no_session(fault: Fault, phase: str, code: int) -> None:
    """A relay that does not take us says in which phase and with which code."""
    with Sink().serve() as sink:
        sink.faults["*"] = fault
        with pytest.raises(SessionError) as caught:
            Client(relay(sink.port))
    assert (caught.value.reply.phase, caught.value.reply.code) == (phase, code)


def test_nobody_listens() -> None:
    """A refused connection and an unknown host are sessions that cannot be had."""
    with Sink().serve() as sink:
        port = sink.port
    with pytest.raises(SessionError, match="refused"):
        Client(relay(port))
    with pytest.raises(SessionError):
        Client(RelaySettings("nowhere.invalid", 25, connect_timeout=3))


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("pipelining", [False, True])
def test_encrypted_with_login(authority: Authority, security: str, pipelining: bool) -> None:
    """Over STARTTLS and over TLS, with AUTH, the bytes arrive whole, several messages a connection."""
    keeper = Keeper(pipelining=pipelining)
    tls = authority.serving()
    with aiosmtpd_server(keeper, **{security: tls}, auth=True) as port:  # type: ignore[arg-type]
        client = Client(
            relay(port, security=security, ca_file=authority.file, username="editor", password="correct horse")
        )
        assert deliver(client, "a", envelope("b")).code == 250
        assert deliver(client, "b").code == 250
        client.quit()
    assert [one.recipient for one in keeper.received] == ["a@example.org", "b@example.org"]
    assert keeper.received[0].data == WHOLE
    assert keeper.tls == [True, True]
    assert keeper.users


def test_a_wrong_password_is_told(authority: Authority) -> None:
    """AUTH refused is a 535 in the phase auth."""
    with aiosmtpd_server(Keeper(), starttls=authority.serving(), auth=True) as port:
        settings = relay(port, security="starttls", ca_file=authority.file, username="editor", password="wrong")
        with pytest.raises(SessionError) as caught:
            Client(settings)
    assert (caught.value.reply.phase, caught.value.reply.code) == ("auth", 535)


def test_a_wrong_certificate_is_refused(authority: Authority) -> None:
    """A certificate of another host, or of an unknown authority, ends the session before any mail."""
    keeper = Keeper()
    with aiosmtpd_server(keeper, starttls=authority.serving("other.example.org")) as port:
        for ca_file in (authority.file, ""):
            with pytest.raises(SessionError, match="certificate"):
                Client(relay(port, security="starttls", ca_file=ca_file))
    assert keeper.received == []


def test_starttls_is_never_silently_left_out() -> None:
    """Where STARTTLS is asked for and not offered, there is no session in the clear."""
    with Sink().serve() as sink, pytest.raises(SessionError, match="offers no STARTTLS") as caught:
        Client(relay(sink.port, security="starttls"))
    assert caught.value.reply.code == 502
    assert not any(command.startswith("MAIL") for command in sink.commands)


def test_an_address_that_is_not_ascii_goes_with_smtputf8() -> None:
    """A relay with SMTPUTF8 is told that the address needs it."""
    keeper = Keeper()
    with aiosmtpd_server(keeper, utf8=True) as port:
        client = Client(relay(port))
        assert client.smtputf8
        letter = Envelope("roundup@news.example.org", "żaneta@example.org", len(WHOLE))
        reply = client.deliver(letter, MESSAGE, before_body=lambda: True)
        client.quit()
    assert reply is not None
    assert reply.code == 250
    assert keeper.received[0].recipient == "żaneta@example.org"


@pytest.mark.parametrize(
    ("lines", "status", "text"),
    [
        (["5.1.1 user unknown"], "5.1.1", "user unknown"),
        (["5.7.1 first", "5.7.1 second"], "5.7.1", "first second"),
        (["5.1.1"], "5.1.1", ""),
        (["rejected 5.7.1 by policy"], "5.7.1", "rejected 5.7.1 by policy"),
        (["your address 5.6.7.8 is listed"], "", "your address 5.6.7.8 is listed"),
        (["4.4.4 is of another class"], "4.4.4", "is of another class"),
        (["bell \x07 and \x1b[31m colour"], "", "bell   and  [31m colour"),
        ([""], "", ""),
    ],
)
def test_reading_a_reply(lines: list[str], status: str, text: str) -> None:
    """The enhanced status is found where it stands, and nothing in a reply can write to a terminal."""
    reply = make_reply("rcpt", 550, lines)
    assert (reply.status, reply.text) == (status, text)


@pytest.mark.parametrize("mechanisms", [("PLAIN",), ("LOGIN",), ("LOGIN", "PLAIN")])
def test_each_way_to_log_in(authority: Authority, tmp_path: Path, mechanisms: tuple[str, ...]) -> None:
    """PLAIN where it is offered, else LOGIN; the password may come from a file, and need not be ASCII."""
    (tmp_path / "password").write_text("correct hörse\n", encoding="utf-8")
    keeper = Keeper(password="correct hörse")
    with aiosmtpd_server(keeper, starttls=authority.serving(), auth=True, mechanisms=mechanisms) as port:
        settings = relay(port, security="starttls", ca_file=authority.file, username="editor")
        assert deliver(Client(replace(settings, password="correct hörse"))).code == 250
        assert deliver(Client(replace(settings, password_file=str(tmp_path / "password")))).code == 250
    assert keeper.users == ["PLAIN" if "PLAIN" in mechanisms else "LOGIN"] * 2


def test_a_token_is_read_anew(authority: Authority, tmp_path: Path) -> None:
    """XOAUTH2 takes the token of this moment, however long; an old one is refused with the relay's own words."""
    token = tmp_path / "token"
    for secret in ("short-token", "long-token-" + "x" * 600):
        keeper = Keeper(token=secret)
        with aiosmtpd_server(keeper, starttls=authority.serving(), auth=True, mechanisms=("XOAUTH2",)) as port:
            settings = relay(
                port, security="starttls", ca_file=authority.file, username="editor@example.org", token_file=str(token)
            )
            token.write_text("expired\n")
            with pytest.raises(SessionError) as caught:
                Client(settings)
            assert (caught.value.reply.phase, caught.value.reply.code) == ("auth", 535)
            token.write_text(f"{secret}\n")
            assert deliver(Client(settings)).code == 250
        assert keeper.users == ["XOAUTH2"]


@pytest.mark.parametrize(("content", "words"), [(None, "No such file"), ("", "is empty")])
def test_a_token_file_that_tells_nothing(authority: Authority, tmp_path: Path, content: str | None, words: str) -> None:
    """A token file that is missing or empty is named, and no mail goes without a login."""
    if content is not None:
        (tmp_path / "token").write_text(content)
    with aiosmtpd_server(Keeper(), starttls=authority.serving(), auth=True, mechanisms=("XOAUTH2",)) as port:
        settings = relay(port, security="starttls", ca_file=authority.file, token_file=str(tmp_path / "token"))
        with pytest.raises(SessionError, match=words):
            Client(settings)


def test_no_way_to_log_in() -> None:
    """A relay that offers no way to log in that we have is told apart from a wrong password."""
    with (
        Sink(extensions=("AUTH CRAM-MD5",)).serve() as sink,
        pytest.raises(SessionError, match="neither AUTH PLAIN nor LOGIN") as caught,
    ):
        Client(relay(sink.port, username="editor", password="x"))
    assert caught.value.reply.code == 502
