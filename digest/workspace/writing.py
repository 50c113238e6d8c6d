"""The text of a first config.toml."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from digest.config.placeholders import DOMAIN, POSTAL_ADDRESS
from digest.config.values import BaseUrl, Language, ListId, Mailbox, Topic, Url
from digest.workspace.harmless import accepted, line, lines
from digest.workspace.survey import Survey

_WANTED = 5
"""Articles that a first edition should have, if the feed holds them."""
_OLDEST = timedelta(days=3650)


def configuration(found: Survey, *, now: datetime, allow_private: bool = False) -> str:
    """A valid config.toml for what was found, with a comment on what is a guess.

    What the feed and the site say is hostile: each text is a line, each value one that the configuration takes."""
    parts = [
        ["# What each key means: docs/reference/configuration.md. Guesses are marked; look at them once."],
        _publication(found),
        ["[staff]", "mail = []  # fill in: who is told of drafts, holds and trouble"],
        ["[[feeds]]", f"url = {_q(found.feed)}"],
        ["[fetching]", "allow_private_addresses = true  # the feed is on this machine"] if allow_private else [],
        _editions(found, now),
        ["[schedule]", 'pull = "every 1h"', 'compose = "thu 16:00"', 'send = "fri 09:00"'],
        _focus(found, now),
        *_regions(found),
        _kinds(found),
        _links(found),
        _design(found),
        [
            "[smtp]",
            'host = "127.0.0.1"  # fill in: your relay',
            "port = 25",
            'security = "none"  # none, starttls, tls',
        ],
        _topics(found),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def domain_of(found: Survey) -> str:
    """The publication's domain in ASCII; an address or a bare host name is nobody's, so `example.org` stands for it."""
    page = _page(found.site) or found.feed
    host = (urlsplit(page).hostname or "").removeprefix("www.")
    try:
        domain = host.encode("idna").decode().lower()
    except UnicodeError:
        return DOMAIN
    fits = accepted(Mailbox, f"roundup@{domain}") and accepted(ListId, f"roundup.{domain}")
    return domain if fits and not domain.replace(".", "").isdigit() else DOMAIN


def _page(url: str) -> str | None:
    """An address that the configuration takes: no secret is in it."""
    return url if accepted(Url, url) and not urlsplit(url).username and not urlsplit(url).password else None


def _publication(found: Survey) -> list[str]:
    domain = domain_of(found)
    name = line(found.name) or "The publication"
    sender = accepted(Mailbox, f"{_display(name)} <roundup@{domain}>") or f"roundup@{domain}"
    site = _page(found.site) or f"https://{domain}/"
    public = accepted(BaseUrl, f"https://roundup.{domain}") or f"https://roundup.{DOMAIN}"
    return [
        "[publication]",
        f"name = {_q(name)}",
        f"url = {_q(site)}",
        f"from = {_q(sender)}  # a guess: the address that mails come from",
        f"reply_to = {_q(f'editors@{domain}')}  # a guess: a mailbox that is read",
        f"postal_address = {_q(POSTAL_ADDRESS)}  # fill in: the law wants it in every mail",
        f"language = {_q(_language(found.language))}",
        'timezone = "UTC"  # fill in, e.g. "Europe/Paris"',
        f"public_url = {_q(public)}  # a guess: where `digest serve` is reached from outside",
        f"list_id = {_q(f'roundup.{domain}')}",
    ]


def _language(given: str) -> str:
    """As far as it is one: `en-us` and `EN_us` are `en-US`, and `fr-x` is `fr`."""
    first, *rest = line(given).replace("_", "-").split("-")
    whole = "-".join([first.lower(), *(part.upper() if len(part) == 2 else part.title() for part in rest)])
    return accepted(Language, whole) or accepted(Language, first.lower()) or "en"


def lookback_for(found: Survey, now: datetime) -> timedelta:
    """How far the first pull must look so that a feed that rests makes a first edition, too: a week if it can."""
    wanted = found.published[:_WANTED]
    needed = timedelta(days=(now - wanted[-1]).days + 1) if wanted else timedelta(days=7)
    return max(timedelta(days=7), min(needed, _OLDEST))


def _editions(found: Survey, now: datetime) -> list[str]:
    days = lookback_for(found, now).days
    part = ["[editions]", 'approval = "required"  # or "automatic"']
    if days > 7:
        part.append(f'lookback = "{days}d"  # what the first pull takes: this feed has little that is newer')
    return part


def _focus(found: Survey, now: datetime) -> list[str]:
    taken = {name.lower() for name in found.regions} | set(found.kinds)
    subjects = [topic for topic in lines(found.topics) if topic.lower() not in taken and accepted(Topic, topic)]
    subject = subjects[0] if subjects else "peace processes"
    part = [
        f'[focus."{now:%Y-%m}"]',
        f"title = {_q(subject[:1].upper() + subject[1:])}  # a guess: the topic used most",
        f"topics = [{_q(subject)}]",
    ]
    head = ["# The topic of a month; its articles stand first. Without one the edition has no such section."]
    return head + (part if subjects else [f"# {each}" for each in part])


def _regions(found: Survey) -> Iterable[list[str]]:
    for name in found.regions:
        yield ["[[regions]]", f"name = {_q(name)}", f"topics = [{_q(name.lower())}]"]


def _kinds(found: Survey) -> list[str]:
    return ["[kinds]  # category = label", *(f"{_q(k)} = {_q(label)}" for k, label in found.kinds.items())]


def _links(found: Survey) -> list[str]:
    fine = {line(name, 40): _page(url) for name, url in found.links.items()}
    return ["[links]", *(f"{_q(name)} = {_q(url)}" for name, url in fine.items() if name and url)]


def _design(found: Survey) -> list[str]:
    logo = found.logo
    if logo is None or not _page(logo.url):
        return ["[design]"]
    width, height = logo.shown
    part = [f"logo = {_q(logo.url)}", f"logo_width = {width}", f"logo_height = {height}"]
    if logo.is_masthead:
        return ["[design]", f"{part[0]}  # a guess: it stands instead of the name", *part[1:]]
    return [
        "[design]",
        "# The site's mark; a wide logo, over https, could stand instead of the name:",
        *(f"# {p}" for p in part),
    ]


def _topics(found: Survey) -> list[str]:
    topics = lines(found.topics)
    return ["# Topics that the feed uses, most used first:", *(f"#   {topic}" for topic in topics)] if topics else []


def _q(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _display(name: str) -> str:
    """A name as it may stand before an address."""
    plain = line("".join(c for c in name if c not in '"<>\\'), 60)
    return f'"{plain}"' if any(c in plain for c in "()[]:;@,.") else plain
