"""What a relay's log says of our mails: Postfix, Exim, Sendmail and OpenSMTPD, line by line, however long it is.

A mail counts as accepted where the log says that the relay took it into its queue, or what it then did with it. That
its Message-ID was read proves nothing: Postfix writes it down before the end of the message has come."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Trail:
    """What the log says of one mail: the relay's number for it, and the words that decide."""

    queued_as: str = ""
    accepted: str = ""
    refused: str = ""
    last: str = ""

    @property
    def sent(self) -> bool:
        """The relay took it over."""
        return bool(self.accepted) and not self.refused

    def sentence(self) -> str:
        words = f"in the relay's log as {self.queued_as}: {self.refused or self.last or self.accepted}"
        return words[:300]


@dataclass(slots=True)
class _Reader:
    wanted: Mapping[str, int]
    trails: dict[int, Trail] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)  # the relay's number of a mail, to ours

    def read(self, line: str) -> None:
        entry = _entry(line)
        if entry is None:
            return
        number, rest = entry
        ours = self._named(rest)
        if ours is None and rest.startswith(_BEGINS):
            self.numbers.pop(number, None)  # Postfix says nothing of a mail that it forgets when we are cut off
        ours = ours or self.numbers.get(number)
        if ours is None:
            return
        self.numbers[number] = ours
        trail = self.trails.setdefault(ours, Trail(number))
        said = " ".join(rest.split())
        if _DONE.search(rest):  # first: what it tried later may have been refused by somebody else
            trail.accepted = trail.accepted or said
            trail.last = said
        elif _REFUSED.search(rest):
            trail.refused = trail.refused or said
        elif _QUEUED.search(rest):
            trail.accepted = trail.accepted or said
        if rest.startswith(("removed", "Completed")):
            del self.numbers[number]  # the relay may give it to another mail now

    def _named(self, rest: str) -> int | None:
        for address in _ADDRESS.findall(rest):
            found = self.wanted.get(address.lower())
            if found is not None:
                return found
        return None


def trails(lines: Iterable[str], wanted: Mapping[str, int]) -> dict[int, Trail]:
    """What the log says of each mail that it names. `wanted`: Message-IDs without their brackets, or envelope senders
    of one mail each, in lower case, and which mail that is."""
    reader = _Reader(wanted)
    for line in lines:
        reader.read(line)
    return reader.trails


_ADDRESS = re.compile(r"[^\s<>=,;:()\[\]\"]+@[^\s<>=,;:()\[\]\"]+")
_SYSLOG = re.compile(r"\]: (?:\[ID \d+ \S+\] )?([0-9A-Za-z]{5,24}):? (.*)")
_EXIM = re.compile(
    r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4})?(?: \[\d+\])? (\w{6}-\w{6,11}-\w{2,4}) (.*)"
)
_ENVELOPE = re.compile(r"\bevpid=([0-9a-f]{8})[0-9a-f]{8}\b|\bmsgid=([0-9a-f]{8})\b")

_BEGINS = ("client=", "message-id=")
"""What Postfix says first of a mail."""
_QUEUED = re.compile(
    r"\(queue active\)"  # Postfix
    r"|^<= "  # Exim
    r"|^from=.*\bmsgid=<.*\bproto="  # Sendmail
    r"|^smtp message msgid="  # OpenSMTPD
)
_DONE = re.compile(
    r"\bstatus=(?:sent|deferred|bounced|expired|undeliverable)\b"
    r"|^(?:=>|->|==|\*\*) "
    r"|\bstat=(?!queued\b)"
    r"|\bresult=\"?(?:Ok|TempFail|PermFail)"
)
_REFUSED = re.compile(
    r"reject[:=]|rejected\b|milter-discard|\bdiscard\b|queue file write error|lost connection|premature EOM"
    r"|unexpected close|smtp failed-command",
    re.IGNORECASE,
)


def _entry(line: str) -> tuple[str, str] | None:
    """The relay's number of the mail that a line is about, and what it says."""
    if found := _EXIM.search(line):
        return found[1], found[2]
    found = _SYSLOG.search(line)
    if found is None:
        return None
    envelope = _ENVELOPE.search(found[2])  # OpenSMTPD: the number before it is the session's
    if envelope is not None:
        return envelope[1] or envelope[2], found[2]
    return found[1], found[2]
