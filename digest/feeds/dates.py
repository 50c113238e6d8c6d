"""Dates as feeds write them, to aware UTC: RFC 822 with all its variants, ISO 8601, and zones by name.

feedparser reads "CEST" as UTC and gives up on "GMT+9" or on "4:35:5"; this reads those itself."""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime, timedelta, timezone
from time import struct_time

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january janv janvier ene enero januar",
            "feb february févr fevr février febrero februar",
            "mar march mars marzo mär märz mrz",
            "apr april avr avril abr abril",
            "may mai mayo",
            "jun june juin junio juni",
            "jul july juil juillet julio juli",
            "aug august août aout ago agosto",
            "sep sept september septembre septiembre",
            "oct october octobre octubre okt oktober",
            "nov november novembre noviembre",
            "dec december déc décembre dic diciembre dez dezember",
        ),
        start=1,
    )
    for name in names.split()
}

_ZONES = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "mez": 60, "cest": 120,
    "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "trt": 180, "sast": 120, "cat": 120, "eat": 180,
    "wat": 60, "gst": 240, "pkt": 300, "ist": 330, "npt": 345, "ict": 420, "wib": 420, "sgt": 480, "hkt": 480,
    "myt": 480, "pht": 480, "awst": 480, "jst": 540, "kst": 540, "acst": 570, "aest": 600, "aedt": 660,
    "nzst": 720, "nzdt": 780, "nst": -210, "ndt": -150, "ast": -240, "adt": -180, "brt": -180, "art": -180,
    "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
    "akst": -540, "akdt": -480, "hst": -600,
}  # fmt: skip
"""Minutes east of Greenwich. RFC 822's own names first; the rest as news sites use them."""

_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,]\d+)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
_ZONE = r"\s*(?P<zone>[A-Za-z]{0,5}\s?[+-]\d{1,2}:?\d{0,2}|[A-Za-z]{1,5})?\s*(?:\([^()]{0,40}\))?\s*"
_RFC822 = re.compile(
    r"\s*(?:[^\W\d_]{2,12}\.?\s*,?\s*)?(?P<day>\d{1,2})[\s-]+(?P<month>[^\W\d_]{3,12})\.?[\s,-]+"
    rf"(?P<year>\d{{4}}|\d{{2}})(?:[\s,T]+(?:{_TIME}{_ZONE})?)?"
)
_AMERICAN = re.compile(
    r"\s*(?:[^\W\d_]{2,12}\.?[\s,]+)?(?P<month>[^\W\d_]{3,12})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+"
    rf"(?P<year>\d{{4}})(?:[\s,T]+(?:{_TIME}{_ZONE})?)?"
)
_ISO = re.compile(rf"\s*(?P<year>\d{{4}})[-/](?P<month>\d{{1,2}})[-/](?P<day>\d{{1,2}})(?:[T\s]+(?:{_TIME}{_ZONE})?)?")


def read_date(text: str, parsed: struct_time | None = None) -> datetime | None:
    """The moment that `text` names, aware UTC; without a zone it is UTC. None where there is no such moment.

    `parsed` is what feedparser made of it (UTC), taken for the formats that are unknown here.
    RFC 822, 5.1; RFC 3339."""
    text = text[:100]
    for pattern in (_RFC822, _ISO, _AMERICAN):
        match = pattern.fullmatch(text)
        moment = _moment(match) if match else None
        if moment is not None:
            return moment
    if parsed is not None:
        try:
            return datetime.fromtimestamp(timegm(parsed), UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return None


def is_placeholder(moment: datetime) -> bool:
    """Whether a program wrote this date because it had none: the epoch of Unix, or the year 1."""
    return moment.year <= 1970


def _moment(match: re.Match[str]) -> datetime | None:
    part = match.groupdict()
    month = part["month"]
    number = int(month) if month.isdigit() else _MONTHS.get(month.lower())
    offset = _offset(part["zone"] or "")
    if number is None or offset is None:
        return None
    year = int(part["year"])
    if len(part["year"]) == 2:  # RFC 2822, 4.3
        year += 2000 if year < 50 else 1900
    hour = int(part["hour"] or 0)
    if part["half"]:
        hour = hour % 12 + (12 if part["half"].lower().startswith("p") else 0)
    second = min(int(part["second"] or 0), 59)  # a leap second
    try:
        whole_day = timedelta(days=1) if hour == 24 else timedelta()  # ISO 8601's end of day
        local = datetime(
            year,
            number,
            int(part["day"]),
            0 if whole_day else hour,
            int(part["minute"] or 0),
            second,
            tzinfo=timezone(offset),
        )
        return (local + whole_day).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str) -> timedelta | None:
    """East of Greenwich. An unknown name is UTC (RFC 2822, 4.3); an impossible number is None."""
    match = re.fullmatch(r"\s*(?P<name>[A-Za-z]*)\s?(?:(?P<sign>[+-])(?P<digits>\d{1,2}:?\d{0,2}))?\s*", zone)
    if match is None:
        return None
    minutes = 0 if match["sign"] else _ZONES.get(match["name"].lower(), 0)
    if match["sign"]:
        digits = match["digits"]
        if ":" in digits:
            hours, _, rest = digits.partition(":")
        else:
            hours, rest = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "")
        minutes = int(hours) * 60 + int(rest or 0)
        if minutes >= 24 * 60:
            return None
        minutes = -minutes if match["sign"] == "-" else minutes
    return timedelta(minutes=minutes)
