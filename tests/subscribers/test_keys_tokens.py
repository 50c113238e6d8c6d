"""Keys are made once and kept; tokens cannot be forged and work for ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import ConfigError
from subscribers import tokens
from subscribers.addresses import AddressError, is_role, match_key, normalise
from subscribers.keys import Keys, load_keys
from tests.support.subscribers import KEYS

numbers = st.integers(1, 2**62)


@given(numbers)
def test_there_and_back(number: int) -> None:
    """A token gives its number back for its purpose alone, in letters that every mail program leaves alone."""
    token = tokens.make(KEYS, "unsubscribe", number)
    assert tokens.read(KEYS, "unsubscribe", token) == number
    assert tokens.read(KEYS, "preferences", token) is None
    assert len(token) <= 40
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(numbers, st.binary(min_size=32, max_size=200))
def test_a_key_of_any_length(number: int, secret: bytes) -> None:
    """What makes tokens and what reads them agree, whatever the length of the key."""
    keys = Keys({"1": secret}, b"s" * 32)
    assert tokens.read(keys, "preferences", tokens.make(keys, "preferences", number)) == number


@given(numbers)
def test_mail_programs_keep_it_whole(number: int) -> None:
    """A token ends in a letter or a digit, as programs that find links in text expect."""
    assert tokens.make(KEYS, "unsubscribe", number)[-1].isalnum()


def test_older_tokens() -> None:
    """A token that was made when they could end in a hyphen or an underscore still works."""
    keys = Keys({"1": b"k" * 32}, b"s" * 32)
    older = {62: "1-wYpXwfM6yPgmSXDXzWg_L7TY1cQ-", 127: "1-O-qfFd1tZEBvuME8vW94nAVElxh_"}
    for number, token in older.items():
        assert tokens.read(keys, "unsubscribe", token) == number


@given(numbers, st.data())
def test_any_change_is_a_forgery(number: int, data: st.DataObject) -> None:
    """One changed, missing or added letter makes a token nobody's."""
    token = tokens.make(KEYS, "unsubscribe", number)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("AZaz09-_ =.é\n"))
    for other in (token[:place] + letter + token[place + 1 :], token[:place] + token[place + 1 :], token + letter):
        assert other == token or tokens.read(KEYS, "unsubscribe", other) is None


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    """No text makes reading fail, and none is anybody's token."""
    assert tokens.read(KEYS, "unsubscribe", text) is None


def test_rotation() -> None:
    """After a new key has come, it signs, and links that were sent before still work; a removed key's do not."""
    old = tokens.make(KEYS, "unsubscribe", 7)
    rotated = Keys(KEYS.tokens | {"2": bytes(32)}, KEYS.suppression)
    assert tokens.read(rotated, "unsubscribe", old) == 7
    new = tokens.make(rotated, "unsubscribe", 7)
    assert new != old
    assert tokens.read(KEYS, "unsubscribe", new) is None


def test_made_once(tmp_path: Path) -> None:
    """The key file is made with mode 0600, its folder too, and is the same ever after."""
    path = tmp_path / "var" / "keys"
    first = load_keys(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_keys(path) == first
    assert [name.name for name in path.parent.iterdir()] == ["keys"]
    assert first.suppression.hex() not in repr(first)
    assert load_keys(tmp_path / "elsewhere", path.read_text().replace("\n", ";")) == first


def test_never_replaced(tmp_path: Path) -> None:
    """Where there were keys, a missing file is an error and no new one."""
    with pytest.raises(ConfigError, match="is missing"):
        load_keys(tmp_path / "keys", may_make=lambda: False)
    assert list(tmp_path.iterdir()) == []


def test_race(tmp_path: Path) -> None:
    """Processes that all find no key file end with the same keys."""
    code = (
        "import sys, pathlib; from subscribers.keys import load_keys; sys.stdin.read();"
        "print(load_keys(pathlib.Path(sys.argv[1])).suppression.hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "keys")]
    racing = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(5)]
    for process in racing:
        assert process.stdin
        process.stdin.close()
    found = {process.stdout.read() for process in racing if process.stdout}
    assert [process.wait() for process in racing] == [0] * 5
    assert len(found) == 1


@pytest.mark.parametrize("content", ["", "token 1 short\n", "suppression 1 " + "A" * 44, "\xff\xfe", "hello\n" * 3])
def test_malformed(tmp_path: Path, content: str) -> None:
    """A key file that makes no sense is an error that names it, and is never written over."""
    path = tmp_path / "keys"
    path.write_text(content, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="keys"):
        load_keys(path)
    assert path.read_text(encoding="latin-1") == content


def test_open_to_others(tmp_path: Path) -> None:
    """A key file that others can read is refused, with the command that mends it."""
    path = tmp_path / "keys"
    load_keys(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_keys(path)
    with pytest.raises(ConfigError):
        load_keys(tmp_path)


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        (" Ann.Lee@EXAMPLE.org ", "Ann.Lee@example.org"),
        ("ann@bücher.example.org", "ann@xn--bcher-kva.example.org"),
        ("jörg@example.org", "jörg@example.org"),
        ("o'neil+news@example.org", "o'neil+news@example.org"),
    ],
)
def test_addresses(given_text: str, stored: str) -> None:
    """An address is stored with its domain in lower case and as A-label, its local part as given."""
    assert normalise(given_text) == stored
    assert normalise(stored) == stored


@pytest.mark.parametrize(
    "text",
    ["", "ann", "ann@", "@example.org", "a b@example.org", "ann@example.org\nBcc: x@example.org", "ann@@example.org",
     "ann@exa\u200bmple.org", "ann@-example.org", f"{'a' * 65}@example.org", "Ann <ann@example.org>",
     "ann@[127.0.0.1]"],
)  # fmt: skip
def test_no_addresses(text: str) -> None:
    """What could not be mailed, or would break a header, is refused."""
    with pytest.raises(AddressError):
        normalise(text)


@given(st.text(max_size=80))
def test_any_address(text: str) -> None:
    """Whatever is accepted has no space, no control character and an ASCII domain, and stays as it is."""
    try:
        address = normalise(text)
    except AddressError:
        return
    assert address.isprintable()
    assert " " not in address
    assert address.rpartition("@")[2].isascii()
    assert normalise(address) == address
    assert match_key(match_key(address)) == match_key(address)


def test_roles() -> None:
    """Addresses of an office are known, also with a tag; a reader's is not one of them."""
    assert all(
        is_role(address) for address in ("abuse@example.org", "Postmaster@example.org", "no-reply+x@example.org")
    )
    assert not is_role("rooth@example.org")
