"""What goes into a rendition and what comes out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Publication:
    """The publication as its mails and pages show it; plain values from the configuration.

    `language` is a BCP 47 tag; `timezone` an IANA name; `links` label → https URL, in the order of the
    footer; `region_names` slug → name of every configured region (and "global"), in order."""

    name: str
    url: str
    language: str
    timezone: str
    postal_address: str
    public_url: str
    reply_to: str = ""
    links: dict[str, str] = field(default_factory=dict)
    region_names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Design:
    """Logo, colours and fonts. Colours are 6-digit hex; "" or a missing region means: our default."""

    logo: str = ""
    logo_width: int = 0
    logo_height: int = 0
    masthead: str = ""
    tagline: str = ""
    ink: str = ""
    paper: str = ""
    accent: str = ""
    focus_ground: str = ""
    focus_accent: str = ""
    region_colours: dict[str, str] = field(default_factory=dict)
    heading_font: str = ""
    body_font: str = ""


PLACE = "DIGESTPLACE"
"""Every personal place in a rendition is PLACE + a name + "END": letters only, so that no tool rewrites
it."""


def place(name: str) -> str:
    """The placeholder that the sender fills for each recipient, e.g. `place("UNSUBSCRIBE")`."""
    return f"{PLACE}{name}END"


PLACES = ("UNSUBSCRIBE", "PREFERENCES", "SINCE")
"""UNSUBSCRIBE and PREFERENCES: https URLs. SINCE: what `i18n.since` says, such as ` on March 3, 2013`, or
""."""

MAIL_PLACES = (*PLACES, "CONFIRM")
"""CONFIRM, in a confirmation alone: the https URL of the page with its button."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """An edition (or another mail) rendered for one choice of regions, with its personal places still open.

    `regions` is () for all. `html` and `text` have LF line ends."""

    subject: str
    html: str
    text: str
    preheader: str = ""
    regions: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """SHA-256 in hex of subject, HTML and text."""
        digest = hashlib.sha256()
        for part in (self.subject, self.html, self.text):
            digest.update(len(part.encode()).to_bytes(8, "big") + part.encode())
        return digest.hexdigest()
