"""The private keys of DKIM: read from PEM files, made, and their public halves as DNS publishes them."""

from __future__ import annotations

import base64
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, utils

from digest.delivery.signing import SigningKey
from digest.errors import ConfigError, RefusedError

KeyType = Literal["rsa", "ed25519"]

SHORTEST = 2048
_LONGEST = 4096
_DER = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def load(selector: str, path: Path) -> SigningKey:
    """Raises ConfigError where the file cannot be read, can be read by others, or holds no key that we may sign
    with."""
    where = f"[[dkim.keys]] key_file {path}"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except OSError as error:
        mend = f"make one with `digest dkim make {selector}`" if not path.exists() else "give this user access to it"
        raise ConfigError(where, f"cannot be read: {error.strerror}", mend=mend) from error
    if mode & 0o077:
        raise ConfigError(where, "others can read it", mend=f"run `chmod 600 {path}`")
    try:
        private = serialization.load_pem_private_key(content, password=None)
    except TypeError as error:
        raise ConfigError(where, "is locked with a password", mend="save it without one, mode 0600") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        mend = f"make one with `digest dkim make {selector}`"
        raise ConfigError(where, "is no private key in PEM", mend=mend) from error
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return _ed25519(selector, private)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ConfigError(where, "is neither an RSA nor an Ed25519 key", mend="make one with `digest dkim make`")
    if not SHORTEST <= private.key_size <= _LONGEST:
        raise ConfigError(
            where, f"has {private.key_size} bits, and verifiers want {SHORTEST} to {_LONGEST} (RFC 8301)",
            mend=f"make another with `digest dkim make {selector}`",
        )  # fmt: skip
    return _rsa(selector, private)


def make(path: Path, kind: KeyType) -> None:
    """A new private key in a new file that only its owner can read. Raises RefusedError where there is one."""
    private = (
        ed25519.Ed25519PrivateKey.generate()
        if kind == "ed25519"
        else rsa.generate_private_key(public_exponent=65537, key_size=SHORTEST)
    )
    content = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # whole or not at all, and never over another
    except FileExistsError as error:
        raise RefusedError(f"{path} is there already", mend="choose another selector, or remove the file") from error
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def _rsa(selector: str, private: rsa.RSAPrivateKey) -> SigningKey:
    how, digest = padding.PKCS1v15(), utils.Prehashed(hashes.SHA256())

    def sign(hashed: bytes) -> bytes:
        return private.sign(hashed, how, digest)

    public = private.public_key().public_bytes(*_DER)
    return SigningKey(selector, "rsa-sha256", sign, private.key_size // 8, _record("rsa", public))


def _ed25519(selector: str, private: ed25519.Ed25519PrivateKey) -> SigningKey:
    public = private.public_key().public_bytes_raw()
    return SigningKey(selector, "ed25519-sha256", private.sign, 64, _record("ed25519", public))


def _record(kind: KeyType, public: bytes) -> str:
    return f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"


def record_name(selector: str, domain: str) -> str:
    return f"{selector}._domainkey.{domain}"


def public_key(record: str) -> tuple[str, str]:
    """The type and the key of a published record, whatever its spacing and its other tags; "" where it has none."""
    tags: dict[str, str] = {}
    for part in record.split(";"):
        name, _, value = part.partition("=")
        tags[name.strip()] = "".join(value.split())
    return tags.get("k", "rsa") or "rsa", tags.get("p", "")
