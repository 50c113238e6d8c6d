"""The opening of a session with relays that are odd, broken or hostile: nothing is told in the clear, or for ever."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.delivery.session import RelaySettings, SessionError, open_session
from tests.support.tls import Authority, authority_in

EHLO = "250-relay\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 STARTTLS"


@contextmanager
def relay(talk: Callable[[socket.socket, Any], None]) -> Iterator[int]:
    """A relay of one session: `talk` is given its socket, and the lines that come."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with connection, connection.makefile("rb") as lines:
                    talk(connection, lines)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        with suppress(OSError):
            server.close()
        thread.join(10)


def script(*replies: str, heard: list[bytes] | None = None) -> Callable[[socket.socket, Any], None]:
    """Greets, and answers each line with the next of these."""

    def talk(connection: socket.socket, lines: Any) -> None:
        connection.sendall(b"220 relay\r\n")
        for reply in replies:
            line = lines.readline()
            if heard is not None:
                heard.append(line.rstrip(b"\r\n"))
            connection.sendall(reply.encode() + b"\r\n")
        while line := lines.readline():
            if heard is not None:
                heard.append(line.rstrip(b"\r\n"))

    return talk


def settings(port: int, **changes: Any) -> RelaySettings:
    return RelaySettings("localhost", port, **({"connect_timeout": 2.0} | changes))


def refused(port: int, **changes: Any) -> SessionError:
    with pytest.raises(SessionError) as caught:
        open_session(settings(port, **changes))
    return caught.value


def test_an_expired_token_is_refused_after_an_empty_answer(tmp_path: Path) -> None:
    """XOAUTH2's challenge with the reason is answered with an empty line, and the reply proper is what is told."""
    (tmp_path / "token").write_text("ya29." + "x" * 1_500)
    why = b64encode(b'{"status":"400","schemes":"Bearer","scope":"mail"}').decode()
    heard: list[bytes] = []
    answers = (EHLO, "334 ", f"334 {why}", "535 5.7.8 Username and Password not accepted")
    with relay(script(*answers, heard=heard)) as port:
        error = refused(port, username="editor@example.org", token_file=str(tmp_path / "token"))
    assert (error.reply.phase, error.reply.code, error.reply.status) == ("auth", 535, "5.7.8")
    assert heard[1] == b"AUTH XOAUTH2"
    assert b64decode(heard[2]).startswith(b"user=editor@example.org\1auth=Bearer ya29.x")
    assert heard[3] == b""


@pytest.mark.parametrize(
    "echo",
    [
        '500 5.5.1 Command unrecognized: "{}"',
        "502 unknown: {:.30}",
        "535 5.7.8 I do not know {}",
    ],
)
def test_a_relay_that_repeats_the_command_tells_no_password(echo: str) -> None:
    """What a relay says goes into logs and mails to staff; the password never does, though it repeats it."""

    def talk(connection: socket.socket, lines: Any) -> None:
        connection.sendall(b"220 relay\r\n")
        lines.readline()
        connection.sendall(EHLO.encode() + b"\r\n")
        connection.sendall(echo.format(lines.readline().decode().strip()).encode() + b"\r\n")
        lines.readline()

    with relay(talk) as port:
        error = refused(port, username="editor", password="correct horse battery")
    secret = b64encode(b"\0editor\0correct horse battery").decode()
    assert secret[:12] not in str(error)
    assert error.reply.code in (500, 502, 535)
    assert "(...)" in error.reply.text


def test_plain_that_is_offered_and_not_known_gives_way_to_login() -> None:
    """A relay that offers PLAIN and answers 504 to it is asked by LOGIN."""
    heard: list[bytes] = []
    answers = (EHLO, "504 5.5.4 unrecognized authentication type", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 in")
    with relay(script(*answers, heard=heard)) as port:
        open_session(settings(port, username="editor", password="correct horse")).socket.close()
    assert heard[2] == b"AUTH LOGIN"
    assert [b64decode(one) for one in heard[3:5]] == [b"editor", b"correct horse"]


def test_a_relay_that_overlooks_the_initial_response_is_given_it_again() -> None:
    """An empty challenge after `AUTH PLAIN …` asks for what has been said already."""
    heard: list[bytes] = []
    with relay(script(EHLO, "334 ", "235 2.7.0 in", heard=heard)) as port:
        open_session(settings(port, username="editor", password="correct horse")).socket.close()
    assert b64decode(heard[2]) == b"\0editor\0correct horse"


@pytest.mark.parametrize("reply", ["250 go ahead", "220-one\r\n454 two", "454 4.7.0 not now", "502 no"])
def test_a_relay_that_offers_starttls_and_does_not_begin_it_hears_no_password(reply: str) -> None:
    """Whatever it answers to STARTTLS but 220: the session is over, and nothing was said in the clear."""
    heard: list[bytes] = []
    with relay(script(EHLO, reply, heard=heard)) as port:
        error = refused(port, security="starttls", username="editor", password="correct horse")
    assert error.reply.phase == "starttls"
    assert heard[-1].upper() == b"STARTTLS"


@pytest.mark.parametrize("at_once", [True, False])
def test_what_was_slipped_in_before_tls_is_not_believed(authority: Authority, at_once: bool) -> None:
    """Replies in the clear behind STARTTLS's own (an attacker's, between us and the relay) are thrown away, or end the
    session; never are they taken for what the relay says over TLS."""
    context = authority.serving()
    slipped = b"250-evil\r\n250 SIZE 666\r\n"
    said: list[bytes] = []

    def talk(connection: socket.socket, lines: Any) -> None:
        connection.sendall(b"220 relay\r\n")
        lines.readline()
        connection.sendall(EHLO.encode() + b"\r\n")
        lines.readline()
        connection.sendall(b"220 go ahead\r\n" + (slipped if at_once else b""))
        if not at_once:
            connection.sendall(slipped)
        with context.wrap_socket(connection, server_side=True) as tls:
            said.append(tls.recv(1_000))
            tls.sendall(b"250-relay\r\n250 SIZE 1000\r\n")
            tls.recv(1_000)

    session = None  # what comes later may come while the handshake goes on
    with (
        relay(talk) as port,
        suppress(*(() if at_once else (SessionError,))),
    ):
        session = open_session(settings(port, security="starttls", ca_file=authority.file))
    if session is not None:
        assert session.most == 1000
        assert said[0].startswith(b"ehlo")
        session.socket.close()


def certificates(authority: Authority, folder: Path) -> dict[str, tuple[ssl.SSLContext, str]]:
    """By what is wrong with each, and the word for it."""
    past = datetime.now(UTC) - timedelta(days=1)
    return {
        "another name": (authority.serving("relay.example.org"), "localhost"),
        "expired": (authority.serving(not_after=past), "expired"),
        "of nobody": (authority_in(folder).serving(), "unable to get local issuer|self-signed"),
    }


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("what", ["another name", "expired", "of nobody"])
def test_a_certificate_that_proves_nothing_is_told_in_one_line(
    authority: Authority, tmp_path: Path, security: str, what: str
) -> None:
    """What is wrong with it is said in words, without a library's numbers, and as a matter of TLS."""
    context, word = certificates(authority, tmp_path)[what]

    def talk(connection: socket.socket, lines: Any) -> None:
        if security == "starttls":
            connection.sendall(b"220 relay\r\n")
            lines.readline()
            connection.sendall(EHLO.encode() + b"\r\n")
            lines.readline()
            connection.sendall(b"220 go ahead\r\n")
        context.wrap_socket(connection, server_side=True)

    with relay(talk) as port:
        error = refused(port, security=security, ca_file=authority.file)
    assert error.reply.phase == "starttls"
    assert re.search(word, error.reply.text), error.reply.text
    assert error.reply.text.startswith("the certificate is not to be trusted: ")
    assert "_ssl.c" not in error.reply.text
    assert "\n" not in str(error)


def test_tls_where_none_is_spoken() -> None:
    """A relay that speaks in the clear on a port that was thought to speak TLS is told as such."""
    with relay(script("250 relay")) as port:
        error = refused(port, security="tls")
    assert (error.reply.phase, error.reply.text) == ("starttls", "no TLS is spoken there")


@pytest.mark.parametrize(("content", "words"), [(None, "No such file"), ("nothing", "holds no certificate")])
def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path, content: str | None, words: str) -> None:
    """A CA file that is missing or empty is told with its name."""
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    with relay(script(EHLO, "220 go ahead")) as port:
        error = refused(port, security="starttls", ca_file=str(file))
    assert str(file) in error.reply.text
    assert words in error.reply.text


@pytest.mark.parametrize("flood", [b"220-and so on\r\n", b"x" * 1_000], ids=["lines", "one line"])
def test_a_greeting_without_an_end_is_not_heard_out(flood: bytes) -> None:
    """A reply has an end, or the session has: in memory, however fast it comes."""

    def talk(connection: socket.socket, _: Any) -> None:
        with suppress(OSError):
            while True:
                connection.sendall(flood)

    with relay(talk) as port:
        error = refused(port, connect_timeout=30.0)
    assert (error.reply.phase, error.reply.text) == ("connect", "the relay's reply has no end")


def test_a_greeting_that_drips_is_not_waited_for() -> None:
    """A relay that sends a byte now and then does not hold a connection for longer than its timeout."""
    over = threading.Event()

    def talk(connection: socket.socket, _: Any) -> None:
        with suppress(OSError):
            while not over.wait(0.05):
                connection.sendall(b"2")

    with relay(talk) as port:
        error = refused(port, connect_timeout=0.5)
        over.set()
    assert error.reply.text == "no answer in time"
