"""Looking at everything that a send needs, before it needs it."""

from __future__ import annotations

import os
import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path

from digest.app import App, open_app
from digest.config import Config
from digest.errors import DigestError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is well, and a sentence."""

    what: str
    ok: bool
    sentence: str


def examine(config: Config) -> list[Finding]:
    """Every check, in the order in which one would mend them; none of them changes anything for readers."""
    found = [Finding("configuration", True, f"{config.path} is valid")]
    try:
        app = open_app(config)
    except DigestError as error:
        return [*found, Finding("database", False, str(error))]
    try:
        for what, check in _CHECKS.items():
            try:
                found += [Finding(what, ok, sentence) for ok, sentence in check(app)]
            except (DigestError, OSError) as error:
                found.append(Finding(what, False, str(error)))
    finally:
        app.close()
    return found


def _database(app: App) -> Iterator[tuple[bool, str]]:
    with app.database.begin():
        yield (
            True,
            f"{app.database.url.render_as_string(hide_password=True)} can be written, its tables are current",
        )


def _clock(app: App) -> Iterator[tuple[bool, str]]:
    sane = abs(time.time() - datetime.now(UTC).timestamp()) < 1 and app.now.year >= 2024
    yield sane, f"it is {app.now.astimezone(app.zone):%A %d %B %Y, %H:%M %Z} for the publication"


def _keys(app: App) -> Iterator[tuple[bool, str]]:
    yield bool(app.keys), f"the keys of links and of suppression are in {app.config.key_path()}"


def _templates(app: App) -> Iterator[tuple[bool, str]]:
    from digest.editions.model import Edition
    from digest.rendering.palette import check_design
    from digest.rendering.render import render

    render(
        Edition(app.now.astimezone(app.zone).date(), ()),
        publication=app.publication,
        design=app.design,
        templates=app.templates,
    )
    problems = check_design(app.design, app.publication.region_names)
    yield (
        not problems,
        "; ".join(problems) or "they can be filled, and the colours have contrast in both schemes",
    )


def _folder(app: App) -> Iterator[tuple[bool, str]]:
    folder: Path = app.journals
    yield os.access(folder, os.W_OK), f"the sender writes its journals in {folder}"


def _smtp(app: App) -> Iterator[tuple[bool, str]]:
    smtp = app.config.smtp
    make: Callable[..., smtplib.SMTP] = smtplib.SMTP_SSL if smtp.security == "tls" else smtplib.SMTP
    try:
        with make(smtp.host, smtp.port, timeout=10) as relay:
            relay.ehlo()
            offers = "STARTTLS" in {name.upper() for name in relay.esmtp_features}
    except (OSError, smtplib.SMTPException) as error:
        yield False, f"{smtp.host}:{smtp.port} cannot be used: {error}; correct [smtp], or start the relay"
        return
    if smtp.security == "starttls" and not offers:
        yield False, f"{smtp.host}:{smtp.port} offers no STARTTLS; set [smtp] security, or use another relay"
    else:
        yield True, f"{smtp.host}:{smtp.port} answers"
    why = app.config.lawful_for_sending
    if why:
        yield False, why


def _dns(app: App) -> Iterator[tuple[bool, str]]:
    """SPF and DMARC of the From domain, where a resolver answers."""
    import dns.exception
    import dns.resolver

    domain = parseaddr(app.config.publication.sender)[1].rpartition("@")[2]
    for what, name, mark in (("SPF", domain, "v=spf1"), ("DMARC", f"_dmarc.{domain}", "v=DMARC1")):
        try:
            answers = dns.resolver.resolve(name, "TXT", lifetime=5)
            texts = [b"".join(record.strings).decode(errors="replace") for record in answers]
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            texts = []
        except dns.exception.DNSException:
            yield True, f"{what} of {domain} was not looked at: no resolver answers here"
            continue
        there = any(text.startswith(mark) for text in texts)
        yield (
            there,
            f"{what} of {domain} is " + ("published" if there else f"missing: publish a TXT record at {name}"),
        )


_CHECKS: dict[str, Callable[[App], Iterator[tuple[bool, str]]]] = {
    "database": _database,
    "clock": _clock,
    "keys": _keys,
    "journals": _folder,
    "templates": _templates,
    "smtp": _smtp,
    "dns": _dns,
}
