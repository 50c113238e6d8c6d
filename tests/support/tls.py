"""An authority that nobody knows, and what its servers speak TLS with."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme


@dataclass(frozen=True)
class Authority:
    """`file` holds its own certificate, in PEM: whoever names that one trusts it."""

    ca: trustme.CA
    file: str

    def serving(self, name: str = "localhost", **more: Any) -> ssl.SSLContext:
        """With a certificate for this host; `more` goes to trustme."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name, **more).configure_cert(context)
        return context


def authority_in(folder: Path) -> Authority:
    """A new one, with its certificate in this folder."""
    made = Authority(trustme.CA(), str(folder / "authority.pem"))
    made.ca.cert_pem.write_to_path(made.file)
    return made
