"""What DNS says of us, asked of a real name server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.resolver
import pytest

from digest import doctor
from digest.delivery import published
from digest.delivery.signing import Signer
from digest.doctor import ask_dns
from tests.support import dkim
from tests.support.dns import NameServer, name_server

SENDER = "news.gazette.example"
GOOD: dict[str, str | list[str]] = {
    SENDER: ["v=spf1 include:relay.example -all", "another text"],
    f"bounces.{SENDER}": "v=spf1 include:relay.example -all",
    f"_dmarc.{SENDER}": "v=DMARC1; p=reject",
}


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return dkim.signer(tmp_path_factory.mktemp("keys"), "rsa", "ed25519", domain=SENDER)


@pytest.fixture
def server(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """Where everything is as it should be."""
    with name_server() as made:
        made.texts({**GOOD, **dkim.records(signer)})
        made.records[f"bounces.{SENDER}", "MX"] = ["10 mx.gazette.example."]
        monkeypatch.setattr(dns.resolver, "default_resolver", made.resolver())
        yield made


def findings(signer: Signer | None, envelope: str = SENDER) -> list[tuple[bool, str]]:
    return list(published.examine(ask_dns, sender=SENDER, envelope=envelope, signer=signer))


def bad(signer: Signer | None, envelope: str = SENDER) -> str:
    """The one sentence that says what is not well."""
    (said,) = [sentence for ok, sentence in findings(signer, envelope) if not ok]
    return said


def test_all_is_well(server: NameServer, signer: Signer) -> None:
    """SPF, both keys, DMARC and what agrees with it: each is told, and is well."""
    found = findings(signer, f"bounces.{SENDER}")
    assert all(ok for ok, _ in found), found
    said = " ".join(sentence for _, sentence in found)
    for words in ("SPF of bounces.news", "published at rsa._domainkey", "published at ed25519._domainkey", "reject",
                  "agrees with"):  # fmt: skip
        assert words in said


@pytest.mark.parametrize("fault", ["silent", "broken", "knows nothing"])
def test_a_resolver_that_is_no_use(
    fault: str, server: NameServer, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody who answers, an error, or a resolver that denies even the root: it cannot be told, and nothing fails."""
    if fault == "knows nothing":
        server.records.clear()
    server.broken = fault == "broken"
    if fault == "silent":
        monkeypatch.setattr(doctor, "_PATIENCE_WITH_DNS", 1.0)
        dns.resolver.get_default_resolver().port = 1
    ((ok, said),) = findings(signer)
    assert ok
    assert "cannot be told" in said


def test_a_resolver_that_breaks_off(server: NameServer, signer: Signer) -> None:
    """What could not be asked is told as that, and not as missing."""

    def ask(name: str, kind: str) -> list[str]:
        if name.startswith("_dmarc"):
            raise published.CannotTellError
        return list(ask_dns(name, kind))

    found = list(published.examine(ask, sender=SENDER, envelope=SENDER, signer=signer))
    assert all(ok for ok, _ in found)
    assert f"DMARC of {SENDER} was not looked at" in found[-1][1]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([], "is missing"),
        (["v=spf1 -all", "v=spf1 ~all"], "published 2 times"),
        (["v=spf1 +all"], "lets everybody send"),
        (["v=spf10 -all"], "is missing"),
    ],
)
def test_spf(texts: list[str], said: str, server: NameServer, signer: Signer) -> None:
    """None, two, or one that lets everybody send, is told with what to publish."""
    server.texts({SENDER: texts or ["something else"]})
    assert said in bad(signer)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "nothing is published at rsa._domainkey"),
        ("v=DKIM1; k=rsa; p=", "is revoked"),
        ("v=DKIM1; k=rsa; p=AAAA", "another key is published"),
    ],
)
def test_dkim(text: str | None, said: str, server: NameServer, signer: Signer) -> None:
    """A key that is not published, was revoked, or is another one: mails would fail, so it is told before."""
    name = f"rsa._domainkey.{SENDER}"
    server.records.pop((name, "TXT"))
    if text is not None:
        server.texts({name: text})
    assert said in bad(signer)


def test_without_keys(server: NameServer) -> None:
    """Where we do not sign, the relay must, and that is said."""
    assert any("the relay must sign" in sentence for _, sentence in findings(None))


def test_dmarc_of_the_parent(server: NameServer, signer: Signer) -> None:
    """Without a record of its own a domain has its organisation's, and that one's word for subdomains."""
    server.records.pop((f"_dmarc.{SENDER}", "TXT"))
    assert "is missing" in bad(signer)
    server.texts({"_dmarc.gazette.example": "v=DMARC1; p=none; sp=quarantine"})
    assert any(s.endswith("published at _dmarc.gazette.example: quarantine") for _, s in findings(signer))


def test_who_agrees(server: NameServer, tmp_path: Path) -> None:
    """The parent may sign where alignment is relaxed and both are one organisation, and not where it is strict."""
    parent = dkim.signer(tmp_path, "ed25519", domain="gazette.example")
    server.texts({**dkim.records(parent), "_dmarc.gazette.example": "v=DMARC1; p=reject"})
    assert all(ok for ok, _ in findings(parent))
    server.texts({f"_dmarc.{SENDER}": "v=DMARC1; p=reject; adkim=s"})
    assert "does not agree (adkim=s)" in bad(parent)
    server.texts({f"_dmarc.{SENDER}": "v=DMARC1; p=reject; psd=n"})
    assert "gazette.example, does not agree with" in bad(parent)


def test_organisations(server: NameServer) -> None:
    """RFC 9989: the walk ends at psd=n, and below psd=y; else at the last record, whatever a name's length."""

    def organisation(domain: str) -> str:
        return published.discover(ask_dns, domain).organisation

    server.texts({"_dmarc.gazette.example": "v=DMARC1; p=none"})
    assert organisation(SENDER) == "gazette.example"
    server.texts({"_dmarc.example": "v=DMARC1; p=reject; psd=y"})
    assert organisation("deep.other.example") == "other.example"
    assert organisation(SENDER) == "gazette.example"
    assert organisation("a.b.c.d.e.f.g.h.gazette.example") == "gazette.example"
    server.texts({f"_dmarc.{SENDER}": "v=DMARC1; p=none; psd=n"})
    assert organisation(SENDER) == SENDER
    server.texts({f"_dmarc.{SENDER}": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]})
    assert organisation(SENDER) == "gazette.example"


def test_nothing_can_come_back(server: NameServer, signer: Signer) -> None:
    """A bounce domain that takes no mail is told."""
    server.records.pop((f"bounces.{SENDER}", "MX"))
    assert "takes no mail" in bad(signer, f"bounces.{SENDER}")
