"""Verifiers of DKIM that are not ours: dkimpy, and the library of opendkim; and keys to sign with."""

from __future__ import annotations

import ctypes
import ctypes.util
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import dkim

from digest.delivery import signing_keys
from digest.delivery.signing import Signer
from digest.delivery.signing_keys import KeyType, record_name

DOMAIN = "news.example.org"
DKIMPY_KNOWS_ED25519 = find_spec("nacl") is not None  # dkimpy[ed25519] brings PyNaCl
_PASSED, _BODY_MATCHES = 0x04, 0  # DKIM_SIGFLAG_PASSED and DKIM_SIGBH_MATCH of opendkim's dkim.h
_SET, _METHOD, _INFO, _FILE = 1, 6, 7, 1  # DKIM_OP_SETOPT, DKIM_OPTS_QUERYMETHOD, _QUERYINFO, DKIM_QUERY_FILE


def signer(folder: Path, *kinds: KeyType, domain: str = DOMAIN) -> Signer:
    """New keys in that folder; the selector is the kind."""
    keys = []
    for kind in kinds:
        path = folder / f"{kind}.pem"
        signing_keys.make(path, kind)
        keys.append(signing_keys.load(kind, path))
    return Signer(domain, tuple(keys))


def records(signer: Signer) -> dict[str, str]:
    """What DNS would say: name to text."""
    return {record_name(key.selector, signer.domain): key.record for key in signer.keys}


def dkimpy_verifies(message: bytes, published: dict[str, str], index: int = 0) -> bool:
    """Whether dkimpy takes the signature with that number, counted from the top."""

    def ask(name: bytes, timeout: float = 5) -> bytes | None:
        found = published.get(name.decode().rstrip("."))
        return found.encode() if found is not None else None

    try:
        return bool(dkim.DKIM(message).verify(idx=index, dnsfunc=ask))
    except (dkim.DKIMException, ValueError):
        return False


class OpenDkim:
    """libopendkim, which `opendkim` and `opendkim-testmsg` verify with; here it takes the keys from a file instead of
    DNS."""

    def __init__(self, library: ctypes.CDLL) -> None:
        pointer, number = ctypes.c_void_p, ctypes.c_int
        for name, returned, *taken in (
            ("dkim_init", pointer, pointer, pointer),
            ("dkim_close", None, pointer),
            ("dkim_free", number, pointer),
            ("dkim_options", number, pointer, number, number, pointer, ctypes.c_size_t),
            ("dkim_verify", pointer, pointer, ctypes.c_char_p, pointer, pointer),
            ("dkim_chunk", number, pointer, ctypes.c_char_p, ctypes.c_size_t),
            ("dkim_eom", number, pointer, pointer),
            ("dkim_getsiglist", number, pointer, pointer, pointer),
            ("dkim_sig_process", number, pointer, pointer),
            ("dkim_sig_getflags", ctypes.c_uint, pointer),
            ("dkim_sig_getbh", number, pointer),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = returned, taken
        self._library = library

    def verifies(self, message: bytes, published: dict[str, str]) -> list[bool]:
        """Of each signature, from the top, whether it holds."""
        library = self._library
        handle = library.dkim_init(None, None)
        with tempfile.NamedTemporaryFile("w") as file:
            file.writelines(f"{name} {text}\n" for name, text in published.items())
            file.flush()
            method = ctypes.c_int(_FILE)
            path = file.name.encode()
            assert library.dkim_options(handle, _SET, _METHOD, ctypes.byref(method), ctypes.sizeof(method)) == 0
            assert library.dkim_options(handle, _SET, _INFO, path, len(path)) == 0
            status = ctypes.c_int()
            mail = library.dkim_verify(handle, b"test", None, ctypes.byref(status))
            try:
                library.dkim_chunk(mail, message, len(message))
                library.dkim_chunk(mail, None, 0)
                library.dkim_eom(mail, None)
                found, count = ctypes.POINTER(ctypes.c_void_p)(), ctypes.c_int()
                library.dkim_getsiglist(mail, ctypes.byref(found), ctypes.byref(count))
                for number in range(count.value):
                    library.dkim_sig_process(mail, found[number])
                return [_holds(library, found[number]) for number in range(count.value)]
            finally:
                library.dkim_free(mail)
                library.dkim_close(handle)


def _holds(library: ctypes.CDLL, signature: int | None) -> bool:
    """The flag speaks of the header alone, the other of the body's hash."""
    passed = library.dkim_sig_getflags(signature) & _PASSED
    return bool(passed) and library.dkim_sig_getbh(signature) == _BODY_MATCHES


@cache
def opendkim() -> OpenDkim | None:
    """None where Debian's opendkim-tools is not installed."""
    name = ctypes.util.find_library("opendkim")
    return OpenDkim(ctypes.CDLL(name)) if name else None
