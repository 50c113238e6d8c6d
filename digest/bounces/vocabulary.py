"""The words of the world's mail programs, by what they mean; looked for in a reply without its addresses."""

from __future__ import annotations

import re

from digest.delivery.policy import Phase

BLOCK = re.compile(
    r"spam|\bube\b|unsolicited|junk|block[ -]?list|black[ -]?list|deny[ -]?list|\bblock(?:ed|ing)?\b"
    r"|(?<!not )\blisted (?:in|on|at|by)\b|dnsbl|\brbl|uribl|spamhaus|spamcop|abuseat|barracuda|reputation"
    r"|\bpolic(?:y|ies)\b|\bbanned\b|\bdmarc\b|\bspf\b|\bdkim\b|virus|malware|phish|suspicious|reverse dns"
    r"|\brdns\b|\bptr\b|unauthenticated|authentication|not authori[sz]ed|unauthori[sz]ed"
    r"|relay(?:ing)?\s+(?:access )?(?:denied|not|prohibited)|(?:to|mail) relay\b|relay quota"
    r"|insecure mail relay|frequency limit|rate limit|too many (?:recipients|messages|connections)|volume"
    r"|content (?:rejected|filter)|message (?:filtered|rejected|not allowed)|header error|not rfc"
    r"|duplicate header|from: header|access forbidden|forbidden|client host|network not allowed|sending ip"
    r"|smtp server of your isp|not accepting connections|support tls|potential security|security issue"
    r"|\bcomplain",
    re.IGNORECASE,
)
BLOCK_AROUND = re.compile(
    r"spam\b|block[ -]?list|black[ -]?list|reputation|\bpolic(?:y|ies)\b|\bdmarc\b|\bspf\b|spamhaus|unsolicited",
    re.IGNORECASE,
)
SENDER = re.compile(
    r"sender(?:'s)? (?:address |domain |verify |verification )?(?:rejected|denied"
    r"|unknown|failed|does not exist|invalid)|unroutable sender|verify (?:the )?sender|call(?:back|out)"
    r"|sender address|domain of sender|valid sender|return path",
    re.IGNORECASE,
)
QUOTA = re.compile(
    r"quota|mail ?box .{0,30}\bfull|full mailbox|is full\b|exceeded .{0,40}(?:storage|local limit)|out of storage"
    r"|storage (?:limit|space)|messages in recipient's mailbox exceeded|over limit",
    re.IGNORECASE,
)
UNKNOWN = re.compile(
    r"\b(?:user|recipient|mailbox|account|address|local part|member|addressee)(?: name)?\s+(?:is\s+"
    r"|was\s+)?(?:unknown|not found|does not exist|doesn'?t exist|do not exist"
    r"|not known|no longer (?:exists|valid|on server)|not recogni[sz]ed|not exist\b)"
    r"|\b(?:unknown|no such|non-?existent|invalid|illegal|bad)\s+(?:or illegal\s+)?(?:local\s+"
    r"|final delivery\s+|destination\s+)?(?:user(?:id)?|recipient|mail ?box|account"
    r"|addressee|person|address)\b|\bno (?:mailbox|user|account) (?:here )?by that name"
    r"|doe?s ?n[o']t have an? .{0,60}account"
    r"|(?:account|mailbox|address|user) (?:that )?you (?:tried to reach|have sent to"
    r"|entered) (?:does not|doesn'?t) exist"
    r"|(?:is )?not (?:a )?(?:our|registered|valid|known) (?:gateway )?(?:user"
    r"|customer|mailbox|recipient|account)\b|not listed in .{0,60}directory|recip(?:ient)?notfound"
    r"|not a valid mailbox|rcpt-to .{0,20}not exist|destinataire inconnu|destinataire invalide"
    r"|usuario (?:desconocido|no existe)|utilisateur inconnu|benutzer unbekannt"
    r"|unbekannter (?:empf|benutzer)|utente sconosciuto|пользователь не найден|宛先不明"
    r"|ユーザー?が?(?:不明|存在しません|見つかりません)|見つかりませんでした|用户不存在|收件人不存在",
    re.IGNORECASE,
)
DISABLED = re.compile(
    r"(?:account|mailbox|user|recipient|address)(?: has been| is| was)?\s+(?:temporarily )?"
    r"(?:disabled|discontinued|inactive|suspended|frozen|locked|deactivated|closed|expired)"
    r"|disabled (?:recipient|account|mailbox|user)|inactive (?:user|account|mailbox)|has moved",
    re.IGNORECASE,
)
NO_DOMAIN = re.compile(
    r"host (?:name )?(?:is )?(?:unknown|not found)|unknown host"
    r"|(?:unknown|no such|invalid|illegal) (?:host/)?domain"
    r"|domain (?:name )?(?:does not exist|not found|unknown)|nxdomain|host or domain name not found"
    r"|name service error|no mx record|couldn't find (?:a mail exchanger|any host)|dns lookup failure"
    r"|illegal host/domain|domain is not reachable|could not find a gateway|name or service not known"
    r"|unrouteable (?:address|mail domain)|unroutable (?:address|mail domain)",
    re.IGNORECASE,
)
NULL_MX = re.compile(r"null mx|(?:doesn't|does not) (?:receive|accept) e?-?mail|rfc ?7505", re.IGNORECASE)
SIZE = re.compile(
    r"too (?:big|large)|message too long|(?:message|mail) (?:size|length)|size limit|maximum size"
    r"|exceeds .{0,30}(?:size|limit)",
    re.IGNORECASE,
)
EXPIRED = re.compile(
    r"timed? ?out|time-?out|expired|too long|could not be delivered for|for the last \d+|given up"
    r"|giving up|retry time|failing for a long time|no route to host"
    r"|(?:connection|connect).{0,30}(?:refused|reset|lost|failed)|unable to connect"
    r"|wasn't able to establish|could not connect|not accept our requests to connect|not reachable"
    r"|unreachable|hop count|too many hops|mail loop|loops? back|temporar(?:y|ily)|try again later"
    r"|not reach(?:ed)? the following|host unreachable|aborted after",
    re.IGNORECASE,
)
PHASES: tuple[tuple[Phase, re.Pattern[str]], ...] = (
    ("mail", re.compile(
    r"in reply to mail from|after mail from|>>> mail from|\[mail_from\]|did not like our mail from", re.IGNORECASE)),
    ("connect", re.compile(
    r"after initial connection|in reply to (?:initial|ehlo|helo)|refused to talk to me"
    r"|after (?:ehlo|helo)", re.IGNORECASE)),
    ("dot", re.compile(
    r"in reply to end of data|after end of data|failed after i sent the message|>>> \."
    r"|did not like our data", re.IGNORECASE)),
    ("rcpt", re.compile(
    r"in reply to rcpt to|after rcpt to|>>> rcpt to|\[rcpt_to\]|rcpt host|does not like recipient"
    r"|did not like our rcpt", re.IGNORECASE)),
    ("data", re.compile(r"in reply to data|after data|>>> data|\(data\)", re.IGNORECASE)),
)  # fmt: skip
