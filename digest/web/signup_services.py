"""What signing up needs from the application: plain values and plain calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody sent with the form. `address` is as it was typed; `regions` are slugs, () for all.

    `evidence` is what consent is proved with: ip, user_agent, form, and the exact wording that was shown."""

    address: str
    regions: tuple[str, ...]
    language: str
    evidence: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SignUpView:
    """What the button of a confirmation is about. `subscribed`: it has been pressed. `welcome` is whether the latest
    edition is on its way; `preferences` the reader's own token, once they are subscribed."""

    regions: tuple[str, ...]
    language: str
    subscribed: bool
    welcome: bool = False
    preferences: str = ""


class SignUpServices(Protocol):
    """Asked anew for every request. All may raise DigestError: the page then says "try again", with 503."""

    @property
    def open(self) -> bool:
        """Whether people can sign up by themselves."""

    @property
    def origins(self) -> Sequence[str]:
        """The sites whose pages may carry the form, as `https://observatory.example.org`."""

    @property
    def proxies(self) -> Sequence[str]:
        """Addresses or networks of the proxies whose `X-Forwarded-For` is believed."""

    def stamp(self, *, head_start: timedelta = timedelta(0)) -> str:
        """A signed time for a form, of now, or of so long ago."""

    def age(self, stamp: str) -> timedelta | None:
        """How old a stamp is, or None for a forged one."""

    def ask(self, sign_up: SignUp) -> None:
        """Write the wish down. What becomes of it is decided later, and told by mail alone."""

    def look(self, token: str) -> SignUpView | None:
        """What this token's button would do, or None where it does nothing (any more)."""

    def confirm(self, token: str, evidence: Mapping[str, str]) -> SignUpView | None:
        """The button was pressed. Twice is the same as once. None as above."""
