"""Where messages wait: none is taken away before what it said is durable, and none that nobody understood."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.errors import DigestError, UsageError
from digest.post_office import mailbox, returned
from subscribers.model import Status
from tests.support.imap import Imap
from tests.support.post import READER, Post, post, settings
from tests.support.returned import RETURN, answer, dsn
from tests.support.tls import Authority
from tests.support.workspace import as_toml

PATIENCE = 30.0


def maildir(folder: Path, *messages: bytes) -> Path:
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(messages):
        (folder / "new" / f"179578800{number}.M{number}.mx").write_bytes(raw)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(f"{part}/{path.name}" for part in ("new", "cur") for path in (folder / part).iterdir())


def test_a_maildir_is_read_and_emptied(tmp_path: Path) -> None:
    """What is understood goes; what is not stays, flagged, and is not read again."""
    with post(tmp_path, changes={"bounces": {"maildir": str(tmp_path / "mail")}}) as p:
        slug = p.mailed()
        box = maildir(tmp_path / "mail", p.bounced(slug), answer(to=p.address(slug)), answer("A letter"))
        report = mailbox.read(p.app)
        assert p.status() is Status.SUPPRESSED
        assert (report.read, report.kept) == (3, 1)
        assert report.sentence() == (
            "3 read: 1 auto-reply, 1 bounce, 1 unknown (1 hard); 1 kept in the mailbox, flagged: look at them."
        )
        assert names(box) == ["cur/1795788002.M2.mx:2,FS"]
        assert mailbox.read(p.app).sentence() == "Nothing has come back."


def test_what_another_program_has_seen_is_read_too(tmp_path: Path) -> None:
    """A mail program that looked at the mailbox has moved it to `cur`; it is a bounce all the same."""
    with post(tmp_path, changes={"bounces": {"maildir": str(tmp_path / "mail")}}) as p:
        box = maildir(tmp_path / "mail")
        (box / "cur" / "1.M1.mx:2,S").write_bytes(p.bounced(p.mailed()))
        assert mailbox.read(p.app).read == 1
        assert names(box) == []


def test_only_whole_messages_are_read(tmp_path: Path) -> None:
    """What is still being written in `tmp` is left alone, and so is what is no file: a pipe would never end."""
    with post(tmp_path, changes={"bounces": {"maildir": str(tmp_path / "mail")}}) as p:
        raw = p.bounced(p.mailed())
        box = maildir(tmp_path / "mail")
        (box / "tmp" / "1.M1.mx").write_bytes(raw[: len(raw) // 2])
        os.mkfifo(box / "new" / "2.M2.mx")
        (box / "new" / "3.M3.mx").mkdir()
        assert mailbox.read(p.app).read == 0
        (box / "tmp" / "1.M1.mx").write_bytes(raw)
        (box / "tmp" / "1.M1.mx").rename(box / "new" / "1.M1.mx")
        assert mailbox.read(p.app).read == 1
        assert p.status() is Status.SUPPRESSED
        assert names(box) == ["new/2.M2.mx", "new/3.M3.mx"]


def test_a_maildir_that_goes_away_is_told(tmp_path: Path) -> None:
    """One line, whether it vanishes between two messages, or something stands where a message is to go."""
    with post(tmp_path, changes={"bounces": {"maildir": str(tmp_path / "mail")}}) as p:
        maildir(tmp_path / "mail", p.bounced(p.mailed(), "5.2.2", "mailbox full"))
        box = mailbox.open_box(p.app)
        ((key, _),) = box.waiting()
        in_the_way = tmp_path / "mail" / "cur" / f"{Path(key).name}:2,FS"
        in_the_way.mkdir()
        with pytest.raises(DigestError, match="Is a directory; let the user that runs this read, move and delete"):
            box.keep(key)
        in_the_way.rmdir()
        (tmp_path / "mail" / "cur").rmdir()
        with pytest.raises(DigestError, match="is gone"):
            box.keep(key)
        (tmp_path / "mail" / "cur").write_text("in the way")
        with pytest.raises(DigestError, match="is gone"):
            box.keep(key)
        with pytest.raises(DigestError, match="is no maildir"):
            mailbox.read(p.app)


def test_a_database_that_is_away_loses_nothing(tmp_path: Path) -> None:
    """Nothing is taken out of the mailbox while it cannot be written down; the next reading does it."""
    with post(tmp_path, changes={"bounces": {"maildir": str(tmp_path / "mail")}}) as p:
        box = maildir(tmp_path / "mail", p.bounced(p.mailed()))
        before = names(box)
        with p.app.database.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE bounces RENAME TO hidden")
        with pytest.raises(DigestError):
            mailbox.read(p.app)
        assert names(box) == before
        with p.app.database.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE hidden RENAME TO bounces")
        assert mailbox.read(p.app).read == 1
        assert p.status() is Status.SUPPRESSED


@pytest.mark.parametrize("uidplus", [True, False])
def test_an_imap_mailbox_is_read_and_emptied(tmp_path: Path, uidplus: bool) -> None:
    """The same over IMAP: what is understood is expunged, the rest flagged, and nothing is fetched whole."""
    with Imap(uidplus=uidplus).serve() as server, post(tmp_path, changes=imap_of(server)) as p:
        slug = p.mailed()
        server.add(p.bounced(slug), answer("A letter"), p.bounced(slug) + b"x" * 3_000_000)
        report = mailbox.read(p.app)
        assert (report.read, report.again, report.kept) == (3, 1, 1)
        assert p.status() is Status.SUPPRESSED
        assert server.flags() == {2: {"\\Flagged", "\\Seen"}}
        assert mailbox.read(p.app).read == 0
        assert server.commands[-1] == "LOGOUT"


@pytest.mark.parametrize("at", ["UID STORE", "UID EXPUNGE", "UID FETCH"])
def test_a_connection_that_ends_loses_and_doubles_nothing(tmp_path: Path, at: str) -> None:
    """Whatever the server had not done yet is done by the next reading, and counts once."""
    with Imap().serve() as server, post(tmp_path, changes=imap_of(server)) as p:
        slug = p.mailed()
        server.add(p.bounced(slug, "5.2.2", "mailbox full"))
        server.drop_at = at
        with pytest.raises(DigestError, match=r"127\.0\.0\.1"):
            mailbox.read(p.app)
        server.drop_at = ""
        mailbox.read(p.app)
        assert not [uid for uid, flags in server.flags().items() if "\\Deleted" not in flags]
        assert len(p.strikes()) == 1
        assert len(returned.listed(p.app, limit=9)) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"imap_password": "wrong"}, "are its login, password and folder right"),
        ({"imap_folder": "Elsewhere"}, "are its login, password and folder right"),
        ({"imap_port": 1}, "is the server up"),
        ({"imap_security": "tls"}, "no TLS is spoken there .* are imap_security and imap_port right"),
        ({"imap_security": "starttls"}, "TLS not supported"),
        ({"imap_security": "starttls", "imap_port": 993}, "imap_port 993 speaks TLS from the first byte"),
        ({"imap_security": "tls", "imap_ca_file": "none.pem"}, r"imap_ca_file .*none\.pem: No such file"),
    ],
)
def test_a_mailbox_that_cannot_be_opened_says_why(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """One line that names the mailbox and how to mend it, and no password."""
    with Imap().serve() as server, post(tmp_path, changes=imap_of(server, **changes)) as p:
        with pytest.raises(DigestError, match=said) as caught:
            mailbox.read(p.app)
        assert "horse" not in str(caught.value)


def over_tls(authority: Authority, security: str, name: str = "127.0.0.1", **more: Any) -> Imap:
    return Imap(tls=authority.serving(name, **more), implicit=security == "tls")


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_imap_mailbox_is_read_over_tls(tmp_path: Path, authority: Authority, security: str) -> None:
    """With a certificate of one's own authority, from the first byte or after STARTTLS; the password need not be
    ASCII."""
    with over_tls(authority, security).serve() as server:
        server.password = "richtig Pferd 🐴"
        with post(tmp_path, changes=imap_of(server, imap_security=security, imap_ca_file=authority.file)) as p:
            server.add(p.bounced(p.mailed()))
            assert mailbox.read(p.app).read == 1
            assert p.status() is Status.SUPPRESSED
            assert server.messages == {}
            assert "LOGIN" not in server.commands
            assert ("STARTTLS" in server.commands) is (security == "starttls")


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_proves_nothing_hears_no_password(
    tmp_path: Path, authority: Authority, security: str
) -> None:
    """Of another name, expired, or of an authority that nobody named: one line, and the login is not begun."""
    past = datetime.now(UTC) - timedelta(days=1)
    for server_of, ca_file, said in (
        (over_tls(authority, security, "mail.example.org"), authority.file, "IP address mismatch"),
        (over_tls(authority, security, not_after=past), authority.file, "expired"),
        (over_tls(authority, security), "", "unable to get local issuer"),
    ):
        changes = {"imap_security": security, "imap_ca_file": ca_file}
        with server_of.serve() as server, post(tmp_path, changes=imap_of(server, **changes)) as p:
            with pytest.raises(DigestError, match=f"the certificate is not to be trusted: .*{said}") as caught:
                mailbox.read(p.app)
            assert "_ssl.c" not in str(caught.value)
            assert "\n" not in str(caught.value)
            assert not {"LOGIN", "AUTHENTICATE"} & set(server.commands)


@pytest.mark.parametrize("refused", ["UID STORE", "UID EXPUNGE"])
def test_a_login_that_may_not_delete_is_told(tmp_path: Path, refused: str) -> None:
    """A server that answers NO leaves the message there: that is said, or it were read again for ever."""
    with Imap(refuse=(refused,)).serve() as server, post(tmp_path, changes=imap_of(server)) as p:
        server.add(p.bounced(p.mailed()))
        with pytest.raises(DigestError, match=r"not for you; may this login flag and delete"):
            mailbox.read(p.app)
        assert p.status() is Status.SUPPRESSED
        server.refuse = ()
        mailbox.read(p.app)
        assert len(returned.listed(p.app, limit=9)) == 1


def test_without_a_mailbox_the_command_says_what_is_missing(tmp_path: Path) -> None:
    """It is a matter of configuration, and of exit code 2."""
    with post(tmp_path) as p, pytest.raises(UsageError, match="neither maildir nor imap_host"):
        mailbox.read(p.app)


def imap_of(server: Imap, **more: Any) -> dict[str, Any]:
    return {
        "bounces": {
            "imap_host": "127.0.0.1",
            "imap_port": server.port,
            "imap_security": "none",
            "imap_username": "bounces",
            "imap_password": server.password,
            **more,
        }
    }


@contextmanager
def lmtp(p: Post, folder: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """`digest bounces serve` as a process of its own."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    process = command_of(p, folder, {"listen": f"127.0.0.1:{port}"}, "bounces", "serve")
    try:
        assert process.stdout is not None
        assert "Taking mail by LMTP" in process.stdout.readline()
        yield port, process
    finally:
        process.kill()
        process.wait()


def command_of(p: Post, folder: Path, bounces: dict[str, Any], *arguments: str) -> subprocess.Popen[str]:
    config = p.app.config.tables.publication
    made = settings(folder)
    made["bounces"] = made["bounces"] | bounces
    made["publication"] = {
        "name": config.name, "url": config.url, "from": config.sender, "postal_address": config.postal_address,
        "public_url": config.public_url,
    }  # fmt: skip
    made["feeds"] = [{"url": "https://observatory.example.org/feed/"}]
    path = folder / "config.toml"
    path.write_text(as_toml(made), encoding="utf-8")
    return subprocess.Popen(
        [str(Path(sys.executable).parent / "digest"), "--config", str(path), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")},
    )  # fmt: skip


def test_lmtp_takes_what_is_ours_and_nothing_else(tmp_path: Path) -> None:
    """ "250" means that it is in the database; another address, a second recipient and a huge message are refused."""
    with post(tmp_path) as p:
        slug = p.mailed()
        with lmtp(p, tmp_path) as (port, _):
            with smtplib.LMTP("127.0.0.1", port) as client:
                client.ehlo_or_helo_if_needed()
                assert client.docmd("MAIL", "FROM:<>")[0] == 250
                assert client.docmd("RCPT", "TO:<somebody@news.example.org>")[0] == 550
                assert client.docmd("RCPT", "TO:<bounces@elsewhere.example.org>")[0] == 550
                assert client.docmd("RCPT", f"TO:<{p.address(slug)}>")[0] == 250
                assert client.docmd("RCPT", f"TO:<{RETURN}>")[0] == 452
                assert client.docmd("DATA")[0] == 354
                # The envelope alone says whose it is: the headers name no return address.
                client.send(dsn(to="undisclosed@example.org").replace(b"\n", b"\r\n") + b".\r\n")
                assert client.getreply()[0] == 250
                assert p.status() is Status.SUPPRESSED
            with smtplib.SMTP("127.0.0.1", port) as client:  # who does not speak LMTP
                client.sendmail(
                    "", [p.leaving()], b"Subject: a letter\r\n\r\nwith a line of " + b"x" * 20_000 + b"\r\n"
                )
                assert client.docmd("MAIL", "FROM:<> SIZE=99000000")[0] == 552


def test_lmtp_defers_while_the_database_is_away(tmp_path: Path) -> None:
    """The relay is told to come again, and when it does the bounce counts."""
    with post(tmp_path) as p, lmtp(p, tmp_path) as (port, _):
        slug = p.mailed()
        raw = p.bounced(slug)
        with p.app.database.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE bounces RENAME TO hidden")
        with smtplib.LMTP("127.0.0.1", port) as client, pytest.raises(smtplib.SMTPDataError) as caught:
            client.sendmail("", [p.address(slug)], raw)
        assert caught.value.smtp_code == 451
        with p.app.database.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE hidden RENAME TO bounces")
        with smtplib.LMTP("127.0.0.1", port) as client:
            client.sendmail("", [p.address(slug)], raw)
        assert p.status() is Status.SUPPRESSED


def test_lmtp_that_is_killed_in_the_middle_of_a_message_is_told_again(tmp_path: Path) -> None:
    """SIGKILL before the final dot, or before the answer to it: the relay comes again to the next process, and the
    bounce counts once."""
    with post(tmp_path) as p:
        slug = p.mailed()
        raw = p.bounced(slug, "5.2.2", "mailbox full").replace(b"\n", b"\r\n")
        for sent in (raw[:400], raw + b".\r\n"):
            with lmtp(p, tmp_path) as (port, process), smtplib.LMTP("127.0.0.1", port) as client:
                client.ehlo_or_helo_if_needed()
                client.docmd("MAIL", "FROM:<>")
                client.docmd("RCPT", f"TO:<{p.address(slug)}>")
                assert client.docmd("DATA")[0] == 354
                client.send(sent)
                process.send_signal(signal.SIGKILL)
                process.wait()
                client.close()
            assert len(p.strikes()) <= (sent != raw[:400])
        with lmtp(p, tmp_path) as (port, _), smtplib.LMTP("127.0.0.1", port) as client:
            client.sendmail("", [p.address(slug)], raw)
        assert len(p.strikes()) == 1
        assert len(returned.listed(p.app, limit=9)) == 1


def test_lmtp_takes_as_many_messages_as_a_relay_has(tmp_path: Path) -> None:
    """A session has no end of its own, a monstrous message ends nothing, and nested parts are not followed down."""
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (depth, depth) for depth in range(10_000)
    )
    with post(tmp_path) as p, lmtp(p, tmp_path) as (port, process):
        slug = p.mailed()
        with smtplib.LMTP("127.0.0.1", port, timeout=60) as client:
            with pytest.raises(smtplib.SMTPResponseException) as caught:
                client.sendmail("", [p.address(slug)], b"Subject: vast\r\n\r\n" + (b"x" * 998 + b"\r\n") * 50_000)
            assert caught.value.smtp_code == 552
            for number in range(60):
                client.sendmail("", [p.address(slug)], answer(f"Letter {number}", to=p.address(slug)))
            client.sendmail("", [p.address(slug)], deep)
            client.sendmail("", [p.address(slug)], p.bounced(slug))
        assert p.status() is Status.SUPPRESSED
        assert len(returned.listed(p.app, limit=99)) == 3  # the letters have one Message-ID
        assert peak_memory(process) < 300_000


def peak_memory(process: subprocess.Popen[str]) -> int:
    """In kilobytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def test_lmtp_keeps_what_nobody_understood(tmp_path: Path) -> None:
    """There is no mailbox to leave it in: it is a file, for a person to look at."""
    with post(tmp_path) as p, lmtp(p, tmp_path) as (port, _):
        with smtplib.LMTP("127.0.0.1", port) as client:
            client.sendmail("somebody@example.org", [RETURN], answer("A letter"))
        (kept,) = (tmp_path / "returned").iterdir()
        assert b"A letter" in kept.read_bytes()


def test_a_reader_that_is_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """SIGKILL at any moment of a reading: in the end each bounce is written down once, and the mailbox is empty."""
    count = 60
    with post(tmp_path) as p:
        readers = [f"reader-{n}@example.org" for n in range(count)]
        p.subscribe(*readers)
        slug = p.mailed(*readers)
        box = maildir(tmp_path / "mail", *(p.bounced(slug, "5.2.2", "mailbox full", one) for one in readers))
        kills = 0
        deadline = time.monotonic() + PATIENCE * 3
        while names(box) and kills < 3:
            left = len(names(box))
            process = command_of(p, tmp_path, {"maildir": str(box)}, "bounces", "read")
            while process.poll() is None and len(names(box)) > left - 12 and time.monotonic() < deadline:
                time.sleep(0.002)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait()
        process = command_of(p, tmp_path, {"maildir": str(box)}, "bounces", "read")
        _, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, error
        assert kills > 1
        assert names(box) == []
        assert len(returned.listed(p.app, limit=1_000)) == count
        assert all(len(p.strikes(one)) == 1 for one in readers)


def test_what_came_back_is_listed(tmp_path: Path) -> None:
    """For people a line each, for programs one document; the newest first, and never an address."""
    with post(tmp_path, changes={"bounces": {"maildir": str(tmp_path / "mail")}}) as p:
        slug = p.mailed()
        maildir(tmp_path / "mail", p.bounced(slug, "5.2.2", f"<{READER}> mailbox full"), answer(to=p.address(slug)))
        mailbox.read(p.app)
        process = command_of(p, tmp_path, {}, "bounces", "list", "--json")
        out, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, error
        found = json.loads(out)
        assert {(one["kind"], one["verdict"]) for one in found} == {("bounce", "soft"), ("auto-reply", "")}
        assert READER not in out
        process = command_of(p, tmp_path, {}, "bounces", "list", "--kind", "bounce")
        out, _ = process.communicate(timeout=PATIENCE)
        assert "maildir   bounce, soft: delivery 1 counts until a mail gets through [5.2.2" in out
        assert out.count("\n") == 1
        process = command_of(p, tmp_path, {}, "bounces", "list", "--kind", "bonce")
        _, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
        assert "it is one of bounce" in error
