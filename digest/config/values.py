"""The types of single values: what a setting may be, and the sentence when it is something else."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from email.headerregistry import Address as MailAddress
from email.utils import parseaddr
from ipaddress import ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field

_DURATION = re.compile(r"(\d{1,6})\s*([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SIZE = re.compile(r"(\d{1,9})\s*(B|KB|MB)?", re.ASCII | re.IGNORECASE)
_SIZES = {"B": 1, "KB": 1000, "MB": 1_000_000}
_WEEKLY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)[a-z]* +(\d{1,2}):(\d{2})", re.ASCII)
_EVERY = re.compile(r"every +([1-9]\d{0,3}) *([mhd])", re.ASCII)
_RATE = re.compile(r"([1-9]\d{0,8}) */ *(s|sec|min|hour)", re.ASCII)
_SECONDS = {"s": 1, "sec": 1, "min": 60, "hour": 3600}
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE)  # RFC 6376, section 3.1
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)
_LIST_ID = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)+", re.ASCII)
_SPECIAL = re.compile(r'[()<>\[\]:;@\\,"]', re.ASCII)  # RFC 5322, section 3.2.3: a name with one of these is quoted
PLAIN_ADDRESS = re.compile(
    r"[a-z0-9]+(?:[.-][a-z0-9]+)*@[a-z0-9]+(?:\.[a-z0-9]+)*\.(?:com|edu|gov|int|net|org)", re.ASCII
)
SHORT_ADDRESS = 60
"""An address like that, and no longer, is right whatever the other rules say (RFC 5321, section 4.5.3.1)."""
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class SettingError(ValueError):
    """A value that cannot be taken, and how to mend it."""

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend


def _text(value: str) -> str:
    value = value.strip()
    if not value:
        raise SettingError("is empty")
    if any(ord(c) < 32 and c not in "\n\t" for c in value):
        raise SettingError("holds a control character")
    return value


def _line(value: str) -> str:
    if "\n" in _text(value):
        raise SettingError("must be one line")
    return value.strip()


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or int(match[1]) == 0:
        raise SettingError(f"{value!r} is no duration", 'write a number with s, m, h, d or w: "90m", "12h", "7d"')
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _size(value: Any) -> int:
    match = (
        _SIZE.fullmatch(str(value).strip()) if isinstance(value, str | int) and not isinstance(value, bool) else None
    )
    if match is None or int(match[1]) == 0:
        raise SettingError(f"{value!r} is no size", 'write a number with KB or MB: "5MB"')
    return int(match[1]) * _SIZES[(match[2] or "B").upper()]


def _weekly(value: str) -> str:
    match = _WEEKLY.fullmatch(value.strip().lower())
    full = value.strip().lower().split(" ")[0]
    if match is None or int(match[2]) > 23 or int(match[3]) > 59 or not (full == match[1] or full in _DAYS):
        raise SettingError(f"{value!r} is no weekly moment", 'write a day and a time: "fri 09:00"')
    return f"{match[1]} {int(match[2]):02d}:{match[3]}"


def _every(value: str) -> str:
    match = _EVERY.fullmatch(value.strip().lower())
    if match is None:
        raise SettingError(f"{value!r} is no interval", 'write it as "every 1h" or "every 30m"')
    return f"every {match[1]}{match[2]}"


def _rate(value: str) -> str:
    if value.strip().lower() == "unlimited":
        return "unlimited"
    if per_second(value) is None:
        raise SettingError(f"{value!r} is no rate", 'write "unlimited", or messages in a time: "600/min"')
    return value.strip().lower()


def per_second(rate: str) -> float | None:
    """Messages a second of a rate such as "600/min"; None for "unlimited"."""
    match = _RATE.fullmatch(rate.strip().lower())
    return int(match[1]) / _SECONDS[match[2]] if match else None


def selector_name(value: str) -> str:
    if not _SELECTOR.fullmatch(value):
        raise SettingError(f"{value!r} is no selector", 'write letters, digits and hyphens: "rsa2026"')
    return value


def _month(value: str) -> str:
    if not _MONTH.fullmatch(value):
        raise SettingError(f"{value!r} is no month", 'write year and month: [focus."2013-11"]')
    return value


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")
    except ValueError:
        raise SettingError(f"{str(value)!r} is no date", 'write year, month and day: "2026-12-25"') from None


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (OSError, ValueError, LookupError):
        import difflib

        near = difflib.get_close_matches(value, available_timezones(), n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else "write an IANA name such as 'America/New_York'"
        raise SettingError(f"{value!r} is no time zone", hint) from None
    return value


def _language(value: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        Locale.parse(value, sep="-")
    except (UnknownLocaleError, ValueError):
        raise SettingError(f"{value!r} is no language", 'write a BCP 47 tag: "en", "fr", "pt-BR"') from None
    return value


def _url(value: str) -> str:
    value = value.strip()
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or any(c.isspace() or ord(c) < 32 for c in value):
        raise SettingError(f"{value!r} is no URL", 'write the whole address: "https://example.org/page"')
    return value


def _base_url(value: str) -> str:
    url = _url(value)
    if urlsplit(url).query or urlsplit(url).fragment:
        raise SettingError(f"{url!r} has a query or a fragment", "write only scheme, host and path")
    return url.rstrip("/")


def _address(value: str) -> str:
    if len(value) <= SHORT_ADDRESS and PLAIN_ADDRESS.fullmatch(value):
        return value
    from email_validator import EmailNotValidError, validate_email  # its rules take longer to load than to ask

    try:
        domain = value.strip().rpartition("@")[2]
        if domain.lower() in (
            "localhost",
            "localhost.localdomain",
        ):  # staff may read their mail on this machine
            return str(MailAddress(addr_spec=value.strip()))
        found = validate_email(value.strip(), check_deliverability=False, test_environment=True)
    except (EmailNotValidError, ValueError, IndexError) as error:
        reason = str(error).rstrip(".")
        raise SettingError(f"{value!r} is no mail address", reason[:1].lower() + reason[1:]) from None
    return found.normalized


def _mailbox(value: str) -> str:
    value = _line(value)
    name, address = parseaddr(value)
    if not address or ("<" in value) != value.endswith(">"):
        raise SettingError(f"{value!r} is no mailbox", 'write "Name <address@example.org>"')
    address = _address(address)
    if _SPECIAL.search(name):  # written so that whoever reads it again finds the same name
        name = '"' + name.replace("\\", r"\\").replace('"', r"\"") + '"'
    return f"{name} <{address}>" if name else address


def _list_id(value: str) -> str:
    value = value.strip().lower()
    if not _LIST_ID.fullmatch(value):
        raise SettingError(
            f"{value!r} is no list identifier (RFC 2919)",
            'write a name under your domain: "weekly.example.org"',
        )
    return value


def _colour(value: str) -> str:
    if not _COLOUR.fullmatch(value.strip()):
        raise SettingError(f"{value!r} is no colour", 'write six hexadecimal digits: "#12344d"')
    return value.strip().lower()


def _font(value: str) -> str:
    value = _line(value)
    if any(c in value for c in ";{}<>\\()"):
        raise SettingError(f"{value!r} is no list of fonts", 'write names with commas: "Georgia, serif"')
    return value


def _network(value: str) -> str:
    value = _line(value)
    try:
        ip_network(value, strict=False)
    except ValueError as error:
        raise SettingError(
            f"{value!r} is no address of a machine or a network", 'write "127.0.0.1" or "10.0.0.0/8"'
        ) from error
    return value


def _listen(value: str) -> str:
    host, colon, port = value.strip().rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise SettingError(f"{value!r} is no address to listen on", 'write host and port: "127.0.0.1:8000"')
    return value.strip()


def _topic(value: str) -> str:
    return " ".join(_line(value).lower().split())


Text = Annotated[str, AfterValidator(_text)]
Line = Annotated[str, AfterValidator(_line)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Size = Annotated[int, BeforeValidator(_size)]
Weekly = Annotated[str, AfterValidator(_weekly)]
Every = Annotated[str, AfterValidator(_every)]
Rate = Annotated[str, AfterValidator(_rate)]
Month = Annotated[str, AfterValidator(_month)]
Day = Annotated[date, BeforeValidator(_day)]
Zone = Annotated[str, AfterValidator(_zone)]
Language = Annotated[str, AfterValidator(_language)]
Url = Annotated[str, AfterValidator(_url)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Address = Annotated[str, AfterValidator(_address)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
ListId = Annotated[str, AfterValidator(_list_id)]
Selector = Annotated[str, AfterValidator(selector_name)]
Colour = Annotated[str, AfterValidator(_colour)]
Font = Annotated[str, AfterValidator(_font)]
Listen = Annotated[str, AfterValidator(_listen)]
Network = Annotated[str, AfterValidator(_network)]
Topic = Annotated[str, AfterValidator(_topic)]
Port = Annotated[int, Field(ge=1, le=65535)]
