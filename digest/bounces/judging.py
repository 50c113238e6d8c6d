"""What a report means for an address: the table of docs/reference/replies.md, for what comes back later.

What speaks of policy, blocklists or spam never costs an address anything, whatever status stands beside it. Beyond
that the words of a reply go over a status that says nothing, and the milder meaning over the harder one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from digest.bounces import vocabulary
from digest.bounces.dsn import NOT_THE_END
from digest.bounces.model import Failure, Kind, Report
from digest.delivery.model import Verdict
from digest.delivery.policy import Phase, verdict_of

_MILD = (Verdict.FAULT, Verdict.BLOCK, Verdict.SOFT, Verdict.HARD_SECOND, Verdict.HARD)

_ADDRESS = re.compile(r"<[^<>\s]{1,400}>|[^\s<>(\[]{1,200}@[^\s<>)\]]{1,200}")
_URL = re.compile(r"https?://\S{1,1000}")
_CANNED = re.compile(r"^.{0,60}?\b5\.[\dx]\.\d{1,3} - [A-Za-z() ]{3,60}(?=[45]\d\d[ \-])")
"""What a gateway writes for a class of status, before the reply that it got."""
_REPLY = re.compile(r"(?<![\w.])([245]\d\d)[ -](?:[245]\d\d[ -])?[ '\"#(<]{0,3}([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?:^|[\s;:(\[>'])([45]\d\d)(?=[\s\-:'\"]|$)")
_STATUS = re.compile(r"(?<![\d.])([245]\.[0-7]\.\d{1,3})(?![\d.])")

_VAGUE = re.compile(r"[245]\.0\.0|5\.7\.1|5\.2\.0|5\.5\.0|5\.3\.[05]|5\.1\.0|4\.\d+\.\d+|5\.4\.\d+|5\.1\.\d{3}|")


@dataclass(frozen=True, slots=True)
class Judgement:
    """`verdict` is None where nothing is to be done, or nothing can be said; `why` says which in a sentence."""

    verdict: Verdict | None
    status: str = ""
    diagnostic: str = ""
    why: str = ""


def judge(report: Report) -> Judgement:
    """What it means; of several recipients the mildest counts, for they may be somebody behind the reader's address."""
    if report.kind is not Kind.BOUNCE:
        return Judgement(None, why=report.why)
    found = [judged(one) for one in report.failures if one.action not in NOT_THE_END]
    known = [one for one in found if one.verdict is not None]
    if not known:
        first = found[0] if found else Judgement(None)
        return Judgement(None, first.status, first.diagnostic, "a bounce that gives no reason which the table knows")
    return min(known, key=lambda one: _MILD.index(one.verdict or Verdict.FAULT))


def judged(failure: Failure) -> Judgement:
    """One recipient's failure."""
    said = _CANNED.sub("", failure.diagnostic) or failure.context
    code, status = _numbers(failure)
    phase = _phase(failure)
    verdict = _verdict(phase, code, status, said)
    if verdict in (Verdict.HARD, Verdict.HARD_SECOND) and vocabulary.BLOCK_AROUND.search(
        _ADDRESS.sub(" ", failure.context)
    ):
        verdict = Verdict.BLOCK
    return Judgement(verdict, status, said[:1_000], "")


def _numbers(failure: Failure) -> tuple[int, str]:
    """The reply's own code and status where it quotes them; else what the fields say."""
    text, given = failure.diagnostic, failure.status if _STATUS.fullmatch(failure.status) else ""
    pair = _REPLY.search(text)
    if pair is not None:
        return int(pair[1]), pair[2]
    plain = _ADDRESS.sub(" ", text)
    code = _CODE.search(plain)
    own = _STATUS.search(plain)
    status = own[1] if own and (not given or given.endswith(".0.0")) else given
    if not status and own:
        status = own[1]
    if code is not None:
        return int(code[1]), status
    return (int(status[0]) * 100 + 50 if status else 0), status


def _phase(failure: Failure) -> Phase | None:
    for text in (failure.diagnostic, failure.context):
        for phase, pattern in vocabulary.PHASES:
            if pattern.search(text):
                return phase
    return None


def _verdict(phase: Phase | None, code: int, status: str, said: str) -> Verdict | None:
    plain = _ADDRESS.sub(" ", said)
    if vocabulary.BLOCK.search(plain):
        return Verdict.BLOCK
    if phase in ("mail", "connect") or status in ("5.1.7", "5.1.8"):
        return Verdict.BLOCK if not status.startswith("5.1.") else Verdict.FAULT
    if vocabulary.SENDER.search(plain):
        return Verdict.FAULT
    words = _URL.sub(" ", plain)
    by_words = _by_words(words)
    if by_words is not None and (_VAGUE.fullmatch(status) or _milder(by_words, Verdict.SOFT)):
        return by_words
    if status or code:
        return _by_table(phase, code, status, words)
    return None


def _milder(one: Verdict, other: Verdict) -> bool:
    return _MILD.index(one) <= _MILD.index(other)


def _by_words(text: str) -> Verdict | None:
    for verdict, pattern in (
        (Verdict.FAULT, vocabulary.SIZE),
        (Verdict.SOFT, vocabulary.QUOTA),
        (Verdict.HARD, vocabulary.NULL_MX),
        (Verdict.HARD_SECOND, vocabulary.DISABLED),
        (Verdict.HARD, vocabulary.UNKNOWN),
        (Verdict.HARD_SECOND, vocabulary.NO_DOMAIN),
        (Verdict.SOFT, vocabulary.EXPIRED),
    ):
        if pattern.search(text):
            return verdict
    return None


def _by_table(phase: Phase | None, code: int, status: str, text: str) -> Verdict:
    """The table for replies; what would be tried again has come to its end here."""
    if status.startswith("4.") or code < 500:
        return Verdict.BLOCK if status.startswith("4.7.") else Verdict.SOFT
    found = verdict_of(phase or ("data" if code == 554 else "rcpt"), code, status, text)
    if found in _MILD:
        return found
    return Verdict.BLOCK
