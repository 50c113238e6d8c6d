"""Bounces in no format: what was said by the many programs that never heard of RFC 3464."""

from __future__ import annotations

import re

from digest.bounces.model import Failure

_RETURNED = re.compile(
    r"^[ \t>]*(?:"
    r"[-=*|_ ]{2,}.{0,60}\b(?:copy|original|returned|unsent|below|message text|enclosed)\b.{0,60}"
    r"|(?:below (?:this line )?is|included is|this is) a copy of .{0,60}"
    r"|(?:original )?message (?:headers )?follows?\b.{0,20}|original message\s*:?|message headers follow.{0,5}"
    r"|the header of the original .{0,60}"
    r")$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADERS = re.compile(
    r"^(?:Received|Return-Path|DKIM-Signature|X-Received|X-Originating-IP|X-Google-[A-Za-z-]+|Message-ID)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_REPLY = re.compile(
    r"(?<![\w.\-#/=:@\[])(?:error:? ?|code ?:? ?)?([45]\d\d)(?:[ \-:]|: )\s?(?:[45]\d\d[ -])?"
    r"(?=[A-Za-z<'\"(\[#]|[245]\.\d{1,3}\.\d{1,3})"
)
_HASH = re.compile(r"\(?#(\d\.\d{1,3}\.\d{1,3})\b")
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_NEXT = re.compile(
    r"\n[ \t]*(?:<[^<>\s]{3,200}>[ \t]*:|giving up on |i'm not going to try|[45]\d\d[ -]"
    r"|>>> |<<< |\.\.\. while|this has been a perm|[-=*#]{4,})",
    re.IGNORECASE,
)
_BOILERPLATE = re.compile(
    r"this (?:message|mail|e-?mail) was created automatically[^\n]*"
    r"|a message (?:that )?(?:you |sent )(?:have )?(?:sent )?(?:by)?[^:]{0,200}?could not be delivered[^:]{0,200}?:?"
    r"|this is a permanent error[^\n:]{0,60}"
    r"|i'm (?:sorry|afraid)[^:]{0,200}?following address(?:es)?\.?"
    r"|hi\. this is the [^\n]*"
    r"|(?:undelivered mail )?return(?:ed|ing)[^\n]{0,30}to (?:the )?sender"
    r"|the following address(?:\(es\)|es)? (?:had|failed)[^\n]{0,60}"
    r"|please do not reply[^\n]*",
    re.IGNORECASE,
)
_DAEMON = re.compile(
    r"mailer[-_. ]?daemon|post_?master|mail[-. ]?delivery|delivery (?:sub)?system|system administrator"
    r"|sysadmin@|mail[-_ ]?system|bounce|mmsc|^\s*<>",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"undeliver|delivery (?:status|fail|has failed)|failure notice|returned mail"
    r"|mail (?:could not|delivery)|deliver(?:y|ed) to|not be delivered|permanent delivery|mail failed"
    r"|mail failure|mail system error|non[- ]?delivery|delayed mail|failed delivery|could not send"
    r"|error sending|rejected mail|returning message|mail delayed|not delivered",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"will (?:be retried|keep trying|continue to (?:try|be))|has been delayed|not yet been delivered"
    r"|warning (?:message )?only|still being retried|you do not need to resend|do not resend"
    r"|delivery delayed|delay(?:ed)? (?:mail|message)|\bwill be retried\b",
    re.IGNORECASE,
)
_UNDELIVERED = re.compile(
    r"(?:could not|cannot|was not|wasn't able to|unable to) (?:be )?deliver"
    r"|addresses had (?:permanent|delivery|transient)|(?:mail|message) .{0,40}\bundeliverable",
    re.IGNORECASE,
)
_GIVEN_UP = re.compile(
    r"giv(?:en|ing) up|failed permanently|permanent(?:ly)? (?:error|fail|fatal)|not going to try|no further",
    re.IGNORECASE,
)
_CHATTER = re.compile(
    r"503\b|[45]\d\d (?:5\.0\.0 )?(?:service unavailable|remote protocol error|need rcpt)", re.IGNORECASE
)
_MOST = 10


def human(text: str) -> tuple[str, str]:
    """What the program says, and what it returns of the mail it is about."""
    ends = [found.start() for found in (_RETURNED.search(text), _HEADERS.search(text)) if found and found.start() > 20]
    end = min(ends, default=len(text))
    return text[:end], text[end:]


def looks_like_bounce(sender: str, subject: str) -> bool:
    """Whether a program speaks, and of delivery."""
    return bool(_DAEMON.search(sender) or _SUBJECT.search(subject))


def says_undelivered(text: str) -> bool:
    """Whether a message without any sign of a program in its headers is one by its words."""
    return bool(_UNDELIVERED.search(text[:4_000]))


def is_delayed(subject: str, text: str) -> bool:
    return bool(_DELAYED.search(subject) or _DELAYED.search(text)) and not _GIVEN_UP.search(text)


def failures(said: str) -> list[Failure]:
    """One for each SMTP reply that it quotes, else one of what it says, its phrases of courtesy left out."""
    replies: list[str] = []
    for found in _REPLY.finditer(said):
        rest = said[found.start() : found.start() + 800]
        ends = [end.start() for end in (_PARAGRAPH.search(rest, 8), _NEXT.search(rest, 8)) if end]
        reply = " ".join(rest[: min(ends, default=len(rest))].split())[:500]
        if reply[:30] not in {one[:30] for one in replies}:
            replies.append(reply)
        if len(replies) >= _MOST:
            break
    telling = [one for one in replies if not _CHATTER.match(one)] or replies[:1]
    context = _tidy(said)
    if telling:
        return [Failure(diagnostic=one, context=context) for one in telling]
    statuses = _HASH.findall(said)
    return [Failure(status=statuses[0] if statuses else "", context=context)] if context else []


def _tidy(said: str) -> str:
    return " ".join(_BOILERPLATE.sub(" ", said[:6_000]).split())[:2_000]


def headers_in(text: str) -> int | None:
    """Where in what is returned its headers begin."""
    found = _HEADERS.search(text)
    return found.start() if found else None
