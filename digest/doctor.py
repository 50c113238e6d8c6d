"""Looking at everything that a send needs, before it needs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path

import sqlalchemy as sa

from digest.app import App, open_app
from digest.config import Config
from digest.config.model import is_loopback
from digest.config.placeholders import is_reserved, still_open
from digest.delivery.session import RelaySettings, SessionError
from digest.delivery.smtp import Client
from digest.errors import DigestError
from digest.feeds import store as feeds


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is well, and a sentence."""

    what: str
    ok: bool
    sentence: str


def examine(config: Config, *, dns: bool = True) -> list[Finding]:
    """Every check, in the order in which one would mend them; none of them changes anything for readers.

    Without `dns` the name servers are not asked."""
    found = [Finding("configuration", True, f"{config.path} is valid")]
    found += [Finding("configuration", False, sentence) for sentence in still_open(config)]
    try:
        app = open_app(config)
    except DigestError as error:
        return [*found, Finding("database", False, str(error))]
    try:
        checks = {what: check for what, check in _CHECKS.items() if dns or what != "dns"}
        for what, check in checks.items():
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
    """This machine's clock beside the database server's, or beside the last pull: time does not go back."""
    now = app.now
    with app.database.read() as connection:
        if app.database.is_sqlite:
            pulls = feeds.states(connection, now=now, stale_after=app.config.fetching.stale_after)
            other = max((state.last.at for state in pulls if state.last), default=now)
            beside, off = "the last pull was made", max(0.0, (other - now).total_seconds())
        else:
            other = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
            beside, off = "the database server has", abs((other - now).total_seconds())
    here = f"{now.astimezone(app.zone):%A %d %B %Y, %H:%M %Z}"
    if off > _CLOCKS_APART:
        yield False, f"it is {here} here, but {beside} {other.astimezone(app.zone):%d %B %Y, %H:%M}; set the clock"
    else:
        yield True, f"it is {here} for the publication"


_CLOCKS_APART = 60.0
"""Seconds that the clocks of two machines may differ."""


def _keys(app: App) -> Iterator[tuple[bool, str]]:
    yield bool(app.keys), f"the keys of links and of suppression are in {app.config.key_path()}"


def _templates(app: App) -> Iterator[tuple[bool, str]]:
    """An edition with one of everything is rendered, and every other template read."""
    from digest.rendering.palette import check_design
    from digest.rendering.render import render
    from digest.specimen import specimen

    render(
        specimen(app.now, app.publication.region_names),
        publication=app.publication,
        design=app.design,
        templates=app.templates,
    )
    problems = [*_unreadable(app), *check_design(app.design, app.publication.region_names)]
    for problem in problems:
        yield False, problem
    if not problems:
        yield True, "they can be filled, and the colours have contrast in both schemes"


def _unreadable(app: App) -> Iterator[str]:
    from jinja2 import TemplateSyntaxError

    from digest.rendering.environment import environment

    env = environment(app.templates, app.publication.language, app.publication.timezone)
    for name in env.list_templates(extensions=["html", "txt", "css"]):
        try:
            env.get_template(name)
        except TemplateSyntaxError as error:
            yield f"{app.templates.source(name)}:{error.lineno}: {error.message}"


def _folder(app: App) -> Iterator[tuple[bool, str]]:
    folder: Path = app.journals
    yield os.access(folder, os.W_OK), f"the sender writes its journals in {folder}"


def _smtp(app: App) -> Iterator[tuple[bool, str]]:
    """A whole session with each relay as the sender opens it, with TLS and the password; no mail is sent."""
    for relay in app.config.relays():
        yield _relay(replace(relay, connect_timeout=_PATIENCE, command_timeout=_PATIENCE))
    if why := app.config.lawful_for_sending:
        yield False, why


def _relay(relay: RelaySettings) -> tuple[bool, str]:
    if relay.security == "none" and (relay.username or relay.token_file) and not is_loopback(relay.host):
        return False, f'{relay.name} hears the password of {relay.username} in the clear; set security = "starttls"'
    try:
        Client(relay).quit()
    except SessionError as error:
        what, mend = _TROUBLE[error.reply.phase if error.reply.phase in _TROUBLE else "connect"]
        said = " ".join(part for part in (str(error.reply.code or ""), error.reply.text) if part)
        return False, f"{relay.name} {what} ({said}); {mend}"
    how = {"none": "without encryption", "starttls": "with STARTTLS", "tls": "over TLS"}[relay.security]
    return True, f"{relay.name} answers {how}" + (f", and lets {relay.username} in" if relay.username else "")


_PATIENCE = 10.0
_TROUBLE = {
    "connect": ("cannot be reached", "correct [smtp] host and port, or start the relay"),
    "ehlo": ("does not greet us", "look into the relay's log"),
    "starttls": ("cannot be spoken to in secret", "correct [smtp] security or ca_file, or the relay's certificate"),
    "auth": ("does not let us in", "correct [smtp] username and the password"),
}


def _signatures(app: App) -> Iterator[tuple[bool, str]]:
    """Every key can be read, and signs."""
    if app.signer is not None:
        selectors = ", ".join(key.selector for key in app.signer.keys)
        yield True, f"mails are signed as {app.signer.domain} under {selectors}"


def _bounces(app: App) -> Iterator[tuple[bool, str]]:
    """An envelope sender elsewhere makes SPF pass for somebody else."""
    path = app.return_path
    if path is None:
        return
    sender, domain = app.config.sender_domain(), path.address.rpartition("@")[2]
    if f".{domain}".endswith(f".{sender}"):
        yield True, f"what comes back goes to {path.address}"
    else:
        yield (
            False,
            f"[bounces] address is at {domain}: let it be at {sender} or below, or SPF will not agree with From",
        )


def _mailbox(app: App) -> Iterator[tuple[bool, str]]:
    """The mailbox of what comes back is opened as it is for reading, and nothing in it is touched."""
    from digest.post_office import mailbox

    table = app.config.bounces
    if not table.maildir and table.imap_host and table.imap_security == "none" and not is_loopback(table.imap_host):
        who = f"[bounces] {table.imap_host} hears the password of {table.imap_username}"
        yield False, f'{who} in the clear; set imap_security = "tls"'
    elif mailbox.is_configured(app):
        box = mailbox.open_box(app, patience=_PATIENCE)
        box.close()
        yield True, f"the mailbox of what comes back ({box.name}) can be read"


def _webhooks(app: App) -> Iterator[tuple[bool, str]]:
    """What proves a provider's call can be read."""
    from digest.post_office import hooks

    if providers := hooks.examine(app):
        yield True, f"calls can be proved of {', '.join(providers)}"


def _web(app: App) -> Iterator[tuple[bool, str]]:
    """Whom readers seem to be: behind a reverse proxy that nobody named, all of them are the proxy."""
    web, public = app.config.web, app.config.publication.public_url
    everybody = [one for one in web.proxies if ip_network(one, strict=False).prefixlen == 0]
    if everybody:
        yield (
            False,
            f"[web] proxies {everybody[0]} lets every machine say which reader it is; name the proxy's own address",
        )
    elif web.proxies:
        yield True, f"readers reach it at {public}, by way of {', '.join(web.proxies)}"
    elif public.startswith("https:"):
        what = f"where a proxy speaks https for {web.listen}, name it in [web] proxies, or all readers seem to be one"
        yield True, f"readers reach it at {public}; {what}"


def _dns(app: App) -> Iterator[tuple[bool, str]]:
    """SPF, DKIM and DMARC, where a resolver answers."""
    from digest.delivery import published

    sender = app.config.sender_domain()
    if is_reserved(sender):
        return
    envelope = app.return_path.address.rpartition("@")[2] if app.return_path else sender
    yield from published.examine(ask_dns, sender=sender, envelope=envelope, signer=app.signer)


def ask_dns(name: str, kind: str) -> list[str]:
    import dns.exception
    import dns.resolver

    from digest.delivery.published import CannotTellError

    try:
        answers = dns.resolver.get_default_resolver().resolve(name, kind, lifetime=_PATIENCE_WITH_DNS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise CannotTellError from error
    if kind == "TXT":
        return [b"".join(record.strings).decode(errors="replace") for record in answers]
    return [record.to_text() for record in answers]


_PATIENCE_WITH_DNS = 5.0


def _readers(app: App) -> Iterator[tuple[bool, str]]:
    from digest.post_office.dropped import sentence

    yield True, sentence(app) or "each reader's choice is one of regions that there are"


_CHECKS: dict[str, Callable[[App], Iterator[tuple[bool, str]]]] = {
    "database": _database,
    "clock": _clock,
    "keys": _keys,
    "journals": _folder,
    "templates": _templates,
    "readers": _readers,
    "dkim": _signatures,
    "web": _web,
    "bounces": _bounces,
    "mailbox": _mailbox,
    "webhooks": _webhooks,
    "smtp": _smtp,
    "dns": _dns,
}
