"""Addresses: normalised once, on the way in."""

from __future__ import annotations

import re
from functools import lru_cache

from digest.errors import UsageError

ROLES = frozenset(
    [
        "abuse",
        "admin",
        "administrator",
        "hostmaster",
        "mailer-daemon",
        "majordomo",
        "noc",
        "no-reply",
        "noreply",
        "nobody",
        "postmaster",
        "root",
        "security",
        "spam",
        "undisclosed-recipients",
        "usenet",
        "uucp",
        "webmaster",
    ]
)
"""Local parts that belong to a function and not to a reader; nobody can sign them up."""


_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[a-z0-9.-]{3,180}")
"""Nearly every address: an ASCII local part, and a domain of which many readers have the same."""


class AddressError(UsageError):
    """An address that cannot be mailed. `address` is what was given."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"{address!r} is no address: {why}", mend="write it as name@example.org")
        self.address = address


def normalise(text: str) -> str:
    """An address as it is stored: the domain in lower case and as A-labels (RFC 5890), the local part as given.

    Raises AddressError. Nothing is asked of the network."""
    given = text.strip()
    local, _, domain = given.rpartition("@")
    if len(local) <= 64 and _PLAIN.fullmatch(given) and (known := _domain(domain)):
        return f"{local}@{known}"
    return _looked_at(given)


@lru_cache(maxsize=10_000)
def _domain(domain: str) -> str:
    """A domain as it is stored; "" for one that is none."""
    try:
        return _looked_at(f"a@{domain}").partition("@")[2]
    except AddressError:
        return ""


def _looked_at(given: str) -> str:
    from email_validator import EmailNotValidError, validate_email  # it takes long to load, and many never ask

    try:
        valid = validate_email(
            given,
            check_deliverability=False,
            strict=True,
            allow_smtputf8=True,
            test_environment=True,
            globally_deliverable=True,
        )
    except EmailNotValidError as error:
        raise AddressError(given[:100], str(error).rstrip(".")) from None
    return f"{valid.local_part}@{(valid.ascii_domain or valid.domain).lower()}"


def match_key(address: str) -> str:
    """What two spellings of one mailbox share: providers ignore the case of the local part, and so do we."""
    local, _, domain = address.rpartition("@")
    return f"{local.casefold()}@{domain.lower()}"


def is_role(address: str) -> bool:
    """Whether it belongs to a function (abuse@, postmaster@; with a +tag, too), not to a reader."""
    return address.rpartition("@")[0].casefold().partition("+")[0] in ROLES
