"""`digest doctor` tells what is well and what is not, against real servers, before a send needs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.app import App, open_app
from digest.config import load
from digest.config.placeholders import POSTAL_ADDRESS
from digest.delivery import signing_keys
from digest.doctor import Finding, examine
from digest.feeds import store as feeds
from digest.feeds.model import Feed
from tests.support.imap import Imap
from tests.support.smtp import Keeper, aiosmtpd_server
from tests.support.tls import authority_in
from tests.support.workspace import Workspace, workspace

OURS = {
    "from": "The Roundup <roundup@gazette.localdomain>",
    "postal_address": "1 Harbour Walk, Example City",
    "public_url": "https://roundup.gazette.localdomain",
}


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[Workspace]:
    changes = {"publication": OURS, "design": {"accent": "", "logo": ""}}
    with workspace(tmp_path, changes=changes, database_url=database_url) as made:
        yield made


def findings(home: Workspace, **changes: Any) -> dict[str, list[Finding]]:
    """By what was looked at; the network is left alone."""
    if changes:
        home.configure(changes)
    found: dict[str, list[Finding]] = {}
    for finding in examine(load(home.path, {}), dns=False):
        found.setdefault(finding.what, []).append(finding)
    return found


def bad(found: dict[str, list[Finding]], what: str) -> str:
    """The sentences of what failed, and nothing else did."""
    failed = {name for name, those in found.items() if any(not one.ok for one in those)}
    assert failed == {what}, found
    return " ".join(one.sentence for one in found[what] if not one.ok)


def test_all_is_well(home: Workspace) -> None:
    """Where everything stands, every check says so, and no mail has gone."""
    found = findings(home)
    assert {"configuration", "database", "clock", "keys", "journals", "templates", "smtp"} <= set(found)
    assert all(one.ok for those in found.values() for one in those), found
    assert home.sink.received == []


def test_what_init_left_open(home: Workspace) -> None:
    """A placeholder is told key by key until it is filled in."""
    open_still = {
        "postal_address": POSTAL_ADDRESS,
        "from": "roundup@example.org",
        "public_url": "https://roundup.example.com",
    }
    said = bad(findings(home, publication=open_still), "configuration")
    assert all(f"[publication] {key}" in said for key in open_still)


def test_no_relay(home: Workspace) -> None:
    """A relay that is away, or wants another kind of encryption, is told with the key to mend."""
    assert "cannot be reached" in bad(findings(home, smtp={"port": 1}), "smtp")
    said = bad(findings(home, smtp={"port": home.sink.port, "security": "starttls"}), "smtp")
    assert "offers no STARTTLS" in said
    assert "[smtp] security" in said


def test_a_certificate_that_nobody_knows(home: Workspace) -> None:
    """A relay whose certificate cannot be trusted fails here, not in a send; its authority may be named."""
    authority = authority_in(home.folder)
    with aiosmtpd_server(Keeper(), starttls=authority.serving()) as port:
        said = bad(findings(home, smtp={"host": "localhost", "port": port, "security": "starttls"}), "smtp")
        assert "the certificate is not to be trusted" in said
        assert "correct [smtp] security or ca_file, or the relay's certificate" in said
        (found,) = findings(home, smtp={"ca_file": "authority.pem"})["smtp"]
        assert found.ok, found


def test_unlawful(home: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """To a relay elsewhere, no digest goes without https or with the placeholder of a postal address."""
    home.configure({"smtp": {"host": "relay.invalid"}, "publication": {"postal_address": POSTAL_ADDRESS}})
    why = load(home.path, {}).lawful_for_sending
    assert why is not None
    assert "postal_address is still the placeholder" in why
    home.configure({"publication": {**OURS, "public_url": "http://roundup.gazette.localdomain"}})
    why = load(home.path, {}).lawful_for_sending
    assert why is not None
    assert "is not https" in why


def test_a_template_with_an_error(home: Workspace) -> None:
    """A template that cannot be read, or asks for what there is not, is named with its file."""
    folder = home.folder / "templates" / "email" / "staff-draft"
    folder.mkdir(parents=True)
    (folder / "body.txt").write_text("fine\n{% for %}\n")
    said = bad(findings(home), "templates")
    assert f"{folder / 'body.txt'}:2" in said
    (folder / "body.txt").unlink()
    mine = home.folder / "templates" / "email" / "digest"
    mine.mkdir()
    (mine / "subject.txt").write_text("{{ nothing_of_that_name }}")
    assert "nothing_of_that_name" in bad(findings(home), "templates")


def test_a_design_that_cannot_be_read(home: Workspace) -> None:
    """A colour without contrast is told with its ratio."""
    assert "contrast" in bad(findings(home, design={"accent": "#ffffee"}), "templates")


def test_keys_open_to_others(home: Workspace) -> None:
    """A key file that others can read is told with the command that closes it."""
    findings(home)
    (home.folder / "keys").chmod(0o644)
    assert "chmod 600" in bad(findings(home), "keys")


def test_no_database(home: Workspace) -> None:
    """A database that cannot be opened ends the examination with what to mend."""
    url = "postgresql://nobody@127.0.0.1:1/none"
    said = bad(findings(home, database={"url": url}), "database")
    assert "refused" in said


def test_a_clock_that_went_back(tmp_path: Path) -> None:
    """A pull that was made in the future means that the clock is wrong now, or was then."""
    with workspace(tmp_path, changes={"publication": OURS}) as home:
        app: App = open_app(load(home.path, {}))
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        with app.database.begin() as connection:
            feeds.sync(connection, [Feed(home.site.url("/feed/"))], now=tomorrow)
            feeds.record(connection, home.site.url("/feed/"), at=tomorrow, ok=True)
        app.close()
        assert "set the clock" in bad(findings(home, design={"accent": ""}), "clock")


def test_what_comes_back_must_agree(home: Workspace) -> None:
    """An envelope sender below the domain of From is well; one beside it is not."""
    found = findings(home, bounces={"address": "bounces@back.gazette.localdomain"})
    assert [one.ok for one in found["bounces"]] == [True]
    said = bad(findings(home, bounces={"address": "bounces@elsewhere.localdomain"}), "bounces")
    assert "gazette.localdomain or below" in said


def test_a_bounce_mailbox_that_cannot_be_read(home: Workspace) -> None:
    """The mailbox is opened as it is for reading, with its login: what is wrong is told before a bounce waits there."""
    mail = home.folder / "mail"
    said = bad(findings(home, bounces={"maildir": str(mail)}), "mailbox")
    assert f"maildir {mail} is no maildir" in said
    for part in ("new", "cur", "tmp"):
        (mail / part).mkdir(parents=True)
    (mail / "new" / "1.M1.mx").write_bytes(b"Subject: a letter\n\n")
    assert [one.ok for one in findings(home)["mailbox"]] == [True]
    assert (mail / "new" / "1.M1.mx").exists()
    with Imap(password="correct horse").serve() as server:
        server.add(b"Subject: a letter\n\n")
        (home.folder / "wrong").write_text("wrong\n")
        (home.folder / "right").write_text("correct horse\n")
        there = {"imap_host": "127.0.0.1", "imap_port": server.port, "imap_security": "none", "imap_username": "b"}
        home.configure({"bounces": {"maildir": "", "imap_password_file": "wrong", **there}})
        said = bad(findings(home), "mailbox")
        assert f"[bounces] b at 127.0.0.1:{server.port}: " in said
        assert "are its login, password and folder right?" in said
        assert "\n" not in said
        found = findings(home, bounces={"imap_password_file": "right", **there})
        assert [one.sentence for one in found["mailbox"]] == ["the mailbox of what comes back (imap) can be read"]
        assert server.flags() == {1: set()}


def test_what_proves_a_call_cannot_be_read(home: Workspace) -> None:
    """A webhook whose secret is missing, empty or no key would refuse every call: that is told here."""
    for table, said in (
        ({"postmark_file": "none"}, "No such file"),
        ({"postmark_file": "empty"}, "does not hold user:password"),
        ({"mailgun_file": "empty"}, "does not hold the key"),
        ({"sendgrid_file": "no-key"}, "holds no public key"),
        ({"ses_topic": "bounces"}, "no ARN of a topic"),
    ):
        (home.folder / "empty").write_text("\n")
        (home.folder / "no-key").write_text("no key\n")
        assert said in bad(findings(home, bounces={"webhooks": table}), "webhooks"), table
        home.configure({"bounces": {"webhooks": dict.fromkeys(table, "")}})


def test_proxies(home: Workspace) -> None:
    """A proxy that is not named makes all readers one; one that is everybody makes each whoever they like to be."""
    (said,) = findings(home)["web"]
    assert said.ok
    assert "name it in [web] proxies" in said.sentence
    assert "0.0.0.0/0 lets every machine say which reader it is" in bad(
        findings(home, web={"proxies": ["0.0.0.0/0"]}), "web"
    )
    (said,) = findings(home, web={"proxies": ["127.0.0.1"]})["web"]
    assert "by way of 127.0.0.1" in said.sentence


def test_a_password_in_the_clear(home: Workspace) -> None:
    """A login without encryption at a relay or a mailbox elsewhere is told: everybody on the way could read it."""
    imap = {"imap_host": "mail.invalid", "imap_security": "none", "imap_username": "bounces"}
    assert "hears the password of bounces in the clear" in bad(findings(home, bounces=imap), "mailbox")
    home.configure({"bounces": {"imap_host": ""}})
    relay = {"host": "relay.invalid", "security": "none", "username": "editor"}
    assert "hears the password of editor in the clear" in bad(findings(home, smtp=relay), "smtp")


def test_keys_of_signatures(home: Workspace) -> None:
    """A signing key that can be used is told with its selector; one that is not there, with how to make it."""
    home.configure({"dkim": {"keys": [{"selector": "s1", "key_file": "s1.pem"}]}})
    assert "digest dkim make s1" in bad(findings(home), "dkim")
    signing_keys.make(home.folder / "s1.pem", "ed25519")
    (told,) = findings(home)["dkim"]
    assert told.ok
    assert told.sentence.endswith("signed as gazette.localdomain under s1")
