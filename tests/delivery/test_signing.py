"""DKIM: others verify what we sign, and nothing in it can be changed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.delivery import message as mail_message
from digest.delivery import signing_keys
from digest.delivery.canonical import split_fields
from digest.delivery.message import Filled, fill
from digest.delivery.model import Delivery, Mail, Ready
from digest.delivery.signing import Signer
from digest.delivery.verp import ReturnPath
from digest.errors import ConfigError, RefusedError
from digest.rendering.model import Rendition, place
from tests.delivery.samples import KEY, NOW, RENDITION, SETTINGS, places
from tests.support import dkim
from tests.support.dkim import DKIMPY_KNOWS_ED25519, dkimpy_verifies, opendkim, records

LATER = datetime(2024, 3, 1, 9, 0, tzinfo=UTC)  # no verifier takes a signature of the future
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=200)
VALUE = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=120)
OVERSIGNED = (
    "from", "to", "cc", "subject", "date", "message-id", "reply-to", "mime-version", "content-type", "list-id",
    "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip

Verifier = Callable[[bytes, Signer], list[bool]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return dkim.signer(tmp_path_factory.mktemp("keys"), "rsa", "ed25519")


@pytest.fixture(scope="module", params=["dkimpy", "opendkim"])
def verify(request: pytest.FixtureRequest) -> Verifier:
    """Which of the signatures hold, in the eyes of a verifier that is not ours."""
    if request.param == "dkimpy":
        return lambda raw, signer: [
            dkimpy_verifies(raw, records(signer), index)
            for index, key in enumerate(signer.keys)
            if DKIMPY_KNOWS_ED25519 or key.algorithm == "rsa-sha256"
        ]
    library = opendkim()
    if library is None:
        if os.environ.get("DIGEST_TESTS_SKIP_NOTHING"):
            pytest.fail("libopendkim is not installed: apt-get install opendkim-tools")
        pytest.skip("libopendkim is not installed: apt-get install opendkim-tools")
    return lambda raw, signer: library.verifies(raw, records(signer))


def filled(
    signer: Signer,
    *,
    rendition: Rendition = RENDITION,
    mail: Mail = "digest",
    address: str = "reader@example.org",
    values: dict[str, str] | None = None,
    return_path: ReturnPath | None = None,
) -> Filled:
    compiled = mail_message.compile(
        rendition, headers=SETTINGS, mail=mail, key=KEY, signer=signer, return_path=return_path
    )
    row = Delivery(
        7, mail, KEY, address, rendition.hash, "<abc123@news.example.org>", subscriber=3, first_attempt_at=NOW
    )
    return fill(compiled, Ready(row, address, places() | (values or {})))


def signed(signer: Signer, **what: object) -> bytes:
    return b"".join(filled(signer, **what).signed(LATER))  # type: ignore[arg-type]


@pytest.mark.parametrize("mail", ["digest", "welcome", "confirmation", "test", "staff"])
def test_others_verify_it(mail: Mail, both: Signer, verify: Verifier) -> None:
    """Each kind of mail carries one signature of each key, and every one of them holds."""
    held = verify(signed(both, mail=mail), both)
    assert held
    assert all(held)


@given(before=TEXT, after=TEXT, value=VALUE)
@settings(max_examples=25, deadline=None)
def test_whatever_it_says(before: str, after: str, value: str, both: Signer, verify: Verifier) -> None:
    """Blanks at the ends of lines, runs of them, empty lines at the end: what is hashed in pieces is the whole."""
    text = f"{before}{place('SINCE')}{after}"
    raw = signed(both, rendition=replace(RENDITION, text=text, html=text + "\n\n\n"), values={"SINCE": value})
    assert all(verify(raw, both))


def test_an_address_that_is_not_ascii(both: Signer, verify: Verifier) -> None:
    """A reader who needs SMTPUTF8, and one with an international domain, get signatures that hold."""
    for address in ("żaneta@example.org", "reader@bücher.example"):
        assert all(verify(signed(both, address=address), both))


def test_what_is_signed(both: Signer) -> None:
    """h= names twice what must stand once, and once the other list headers; there is no l=; t= is the moment."""
    raw = signed(both, return_path=ReturnPath("bounces@news.example.org", {"1": b"k" * 32}))
    for field in split_fields(raw.partition(b"\r\n\r\n")[0] + b"\r\n")[:2]:
        tags = dict(
            part.strip().split("=", 1) for part in re.sub(r"\s+", "", field.decode()).split(":", 1)[1].split(";")
        )
        assert (tags["v"], tags["c"], tags["d"], tags["t"]) == (
            "1",
            "relaxed/relaxed",
            "news.example.org",
            "1709283600",
        )
        assert "l" not in tags
        named = tags["h"].split(":")
        assert {name: named.count(name) for name in OVERSIGNED} == dict.fromkeys(OVERSIGNED, 2)
        for name in ("list-help", "list-subscribe", "list-archive", "list-owner", "feedback-id"):
            assert named.count(name) == 1


def test_lines_stay_short(both: Signer) -> None:
    """A signature's lines have at most 78 octets, and are seven bit."""
    raw = signed(both)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78


def test_the_size_is_told_beforehand(both: Signer) -> None:
    """SIZE counts the signatures too: never less than what goes out, and at most 200 octets more."""
    made = filled(both)
    assert 0 <= made.size - len(b"".join(made.signed(LATER))) <= 200


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_octet_of_the_body(data: st.DataObject, both: Signer, verify: Verifier) -> None:
    """A letter of the body changed, put in or taken out, and no signature holds."""
    raw = signed(both)
    start = raw.index(b"\r\n\r\n") + 4
    at = data.draw(st.integers(start, len(raw) - 1).filter(lambda at: raw[at : at + 1] not in b" \r\n"))
    letter = data.draw(st.sampled_from(b"ABxyz019=.-<>").filter(lambda letter: letter != raw[at]))
    changed = data.draw(
        st.sampled_from(
            [
                raw[:at] + bytes([letter]) + raw[at + 1 :],
                raw[:at] + bytes([letter]) + raw[at:],
                raw[:at] + raw[at + 1 :],
            ]
        )
    )
    held = verify(changed, both)
    assert not any(held), changed[start:]


def _signed_fields(raw: bytes) -> list[bytes]:
    fields = split_fields(raw.partition(b"\r\n\r\n")[0] + b"\r\n")
    named = re.sub(rb"\s", b"", re.search(rb" h=([^;]+);", raw)[1]).split(b":")  # type: ignore[index]
    return [one for one in fields if one.partition(b":")[0].lower() in named]


def test_every_signed_header(both: Signer, verify: Verifier) -> None:
    """Each header that h= names: its value changed, or the header taken out, and no signature holds."""
    raw = signed(both)
    fields = _signed_fields(raw)
    assert len(fields) == 18
    for field in fields:
        name, _, value = field.partition(b":")
        other = name + b":" + value[:-2].rstrip() + b"x\r\n"
        assert not any(verify(raw.replace(field, other, 1), both)), field
        assert not any(verify(raw.replace(field, b"", 1), both)), field


@pytest.mark.parametrize("name", OVERSIGNED)
def test_a_second_header(name: str, both: Signer, verify: Verifier) -> None:
    """A second From, or any other that must stand once, above the signatures or below, and no signature holds."""
    raw = signed(both)
    second = f"{name.title()}: somebody@evil.example\r\n".encode()
    assert not any(verify(raw.replace(b"Date: ", second + b"Date: ", 1), both))
    assert not any(verify(raw.replace(b"\r\n\r\n", b"\r\n" + second + b"\r\n", 1), both))


def test_parts_exchanged(both: Signer, verify: Verifier) -> None:
    """Text and HTML in the other order, or one of them twice, and no signature holds."""
    head, _, body = signed(both).partition(b"\r\n\r\n")
    boundary = body.partition(b"\r\n")[0]
    _, text, html, end = body.split(boundary)
    for parts in ((html, text, end), (text, text, end), (html, html, end), (text, html, end + b"\r\n--more")):
        assert not any(verify(head + b"\r\n\r\n" + boundary + boundary.join(parts), both))


def test_signatures_exchanged(both: Signer, verify: Verifier) -> None:
    """One reader's signatures do not hold over another reader's mail."""
    ours, theirs = (filled(both, address=f"{name}@example.org").signed(LATER) for name in "ab")
    assert not any(verify(b"".join([*ours[:2], *theirs[2:]]), both))


def test_the_parent_may_sign(tmp_path: Path, verify: Verifier) -> None:
    """d= may be the parent of From's domain."""
    parent = dkim.signer(tmp_path, "rsa", domain="example.org")
    raw = signed(parent)
    assert b" d=example.org;" in raw
    assert verify(raw, parent) == [True]


def test_keys_rotate(tmp_path: Path, verify: Verifier) -> None:
    """While an old key goes out, both sign: who knows only one of them, has one that holds."""
    for name in ("old", "new"):
        signing_keys.make(tmp_path / name, "rsa")
    pair = Signer("news.example.org", tuple(signing_keys.load(name, tmp_path / name) for name in ("old", "new")))
    raw = signed(pair)
    assert verify(raw, pair) == [True, True]
    only = replace(pair, keys=pair.keys[1:])
    assert dkimpy_verifies(raw, records(only), 1)
    assert not dkimpy_verifies(raw, records(only), 0)


def test_what_we_sign_is_what_the_ledger_says(both: Signer) -> None:
    """Signatures are no part of the content hash: a retry signs anew, and is the same mail."""
    made = filled(both)
    compiled = mail_message.compile(RENDITION, headers=SETTINGS, mail="digest", key=KEY, signer=both)
    for moment in (NOW, LATER):
        assert mail_message.verify(b"".join(made.signed(moment)), compiled) == made.content_hash


def pem(private: rsa.RSAPrivateKey | dsa.DSAPrivateKey, password: bytes = b"") -> bytes:
    locked: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    )
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)


def test_keys_that_cannot_be_used(tmp_path: Path) -> None:
    """A key that is missing, short, locked, of another kind, or no key, is one clear line that says how to mend it."""
    path = tmp_path / "key.pem"
    with pytest.raises(ConfigError, match=r"cannot be read.*digest dkim make s1"):
        signing_keys.load("s1", path)
    for content, said in (
        (b"", "is no private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is no private key in PEM"),
        (pem(rsa.generate_private_key(65537, 1024)), "has 1024 bits"),
        (pem(dsa.generate_private_key(2048)), "neither an RSA nor an Ed25519 key"),
        (pem(rsa.generate_private_key(65537, 2048), b"tiger"), "locked with a password"),
    ):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(ConfigError, match=said) as found:
            signing_keys.load("s1", path)
        assert "\n" not in str(found.value)
        assert str(path) in str(found.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_can_read(mode: int, tmp_path: Path) -> None:
    """A private key is private."""
    path = tmp_path / "key.pem"
    signing_keys.make(path, "ed25519")
    assert path.stat().st_mode & 0o777 == 0o600
    signing_keys.load("s1", path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        signing_keys.load("s1", path)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """Making a key where there is one is refused, and leaves it, and nothing else, there."""
    path = tmp_path / "secrets" / "key.pem"
    signing_keys.make(path, "ed25519")
    before = path.read_bytes()
    with pytest.raises(RefusedError, match="is there already"):
        signing_keys.make(path, "rsa")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_published_keys_are_read(both: Signer) -> None:
    """Our own records, and others with their tags in another order and blanks in the key, are read alike."""
    for key, kind in zip(both.keys, ("rsa", "ed25519"), strict=True):
        published = key.record.split("p=", 1)[1]
        assert signing_keys.public_key(key.record) == (kind, published)
        spaced = f"p={published[:20]} {published[20:]} ; t=s; k={kind} ;v=DKIM1"
        assert signing_keys.public_key(spaced) == (kind, published)
    assert signing_keys.public_key("v=DKIM1; p=") == ("rsa", "")
