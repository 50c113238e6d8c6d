"""What DNS says of the domains that our mails come from, and whether receivers will find that all of it agrees: SPF
(RFC 7208), DKIM (RFC 6376), DMARC (RFC 9989)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from digest.delivery.signing import Signer
from digest.delivery.signing_keys import public_key, record_name

Ask = Callable[[str, str], Sequence[str]]
"""The records of a name and a type, none where there are none. Raises CannotTellError where nobody answers."""
Said = Iterator[tuple[bool, str]]

_MOST_LABELS = 8  # RFC 9989 section 4.10: a longer name is walked from its seventh label


class CannotTellError(Exception):
    """No resolver answers, or one that knows nothing."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The DMARC record that holds for a domain, where it stands, and the organisational domain."""

    at: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    organisation: str = ""


def examine(ask: Ask, *, sender: str, envelope: str, signer: Signer | None) -> Said:
    """`sender` is the domain of From, `envelope` that of the envelope sender. Each finding is a sentence."""
    if not _is_any_use(ask):
        yield True, f"SPF, DKIM and DMARC of {sender} cannot be told: no resolver here knows even the root"
        return
    for found in (
        _spf(ask, envelope),
        _dkim(ask, sender, signer),
        _dmarc(ask, sender, envelope, signer),
        _returns(ask, sender, envelope),
    ):
        try:
            yield from found
        except CannotTellError as error:
            yield True, f"{error} was not looked at: no resolver answers"


def _is_any_use(ask: Ask) -> bool:
    """A resolver that says of everything that there is no such name knows nothing of us either."""
    try:
        return bool(ask(".", "SOA"))
    except CannotTellError:
        return False


def _asked(ask: Ask, name: str, kind: str, what: str) -> Sequence[str]:
    try:
        return ask(name, kind)
    except CannotTellError:
        raise CannotTellError(what) from None


def _spf(ask: Ask, domain: str) -> Said:
    what = f"SPF of {domain}"
    found = [text for text in _asked(ask, domain, "TXT", what) if text.lower().split(" ")[0] == "v=spf1"]
    if not found:
        yield False, f"{what} is missing: publish a TXT record at {domain} that names your relay"
    elif len(found) > 1:
        yield False, f"{what} is published {len(found)} times, and counts for nothing so (RFC 7208, section 4.5)"
    elif {"all", "+all"} & set(found[0].lower().split()):
        yield False, f"{what} lets everybody send (+all): end it with ~all or -all"
    else:
        yield True, f"{what} is published: {found[0]}"


def _dkim(ask: Ask, sender: str, signer: Signer | None) -> Said:
    if signer is None:
        yield True, f"DKIM: we have no key, so the relay must sign as {sender}"
        return
    for key in signer.keys:
        name = record_name(key.selector, signer.domain)
        texts = _asked(ask, name, "TXT", f"DKIM at {name}")
        keys = [public_key(text) for text in texts if "p=" in text]
        if not keys:
            yield False, f"DKIM: nothing is published at {name}; `digest dkim record` prints it"
        elif len(keys) > 1:
            yield False, f"DKIM: {name} has {len(keys)} records; leave one"
        elif not keys[0][1]:
            yield False, f"DKIM: the key at {name} is revoked; take it out of [[dkim.keys]]"
        elif keys[0] != public_key(key.record):
            yield False, f"DKIM: another key is published at {name}; `digest dkim record` prints ours"
        else:
            yield True, f"DKIM: our key is published at {name}"


def _dmarc(ask: Ask, sender: str, envelope: str, signer: Signer | None) -> Said:
    policy = discover(ask, sender)
    if not policy.at:
        yield False, f"DMARC of {sender} is missing: publish a TXT record at _dmarc.{sender}"
        return
    word = policy.tags.get("p", "none")
    if policy.at != sender:
        word = policy.tags.get("sp", word)
    yield True, f"DMARC of {sender} is published at _dmarc.{policy.at}: {word}"
    for what, domain, tag in (
        ("the signatures", signer.domain if signer else "", "adkim"),
        ("the envelope", envelope, "aspf"),
    ):
        if domain and domain != sender:
            strict = policy.tags.get(tag, "r").lower() == "s"
            same = not strict and discover(ask, domain).organisation == policy.organisation
            agrees = "agrees" if same else f"does not agree{f' ({tag}=s)' if strict else ''}"
            yield same, f"DMARC: the domain of {what}, {domain}, {agrees} with {sender}"


def discover(ask: Ask, domain: str) -> Policy:
    """The tree walk of RFC 9989, section 4.10: from the domain towards the root."""
    what = f"DMARC of {domain}"
    labels = domain.split(".")
    names = [domain]
    while len(labels) > 1:
        labels = labels[-(_MOST_LABELS - 1) :] if len(labels) > _MOST_LABELS else labels[1:]
        names.append(".".join(labels))
    records: dict[str, dict[str, str]] = {}
    organisation = ""
    for number, name in enumerate(names):
        texts = [text for text in _asked(ask, f"_dmarc.{name}", "TXT", what) if text.startswith("v=DMARC1")]
        if len(texts) != 1:
            continue
        tags = records[name] = _tags(texts[0])
        if tags.get("psd") == "n":
            organisation = name
            break
        if tags.get("psd") == "y" and number:
            organisation = names[number - 1]
            break
    if not records:
        return Policy(organisation=domain)
    organisation = organisation or list(records)[-1]
    at = next(name for name in (domain, organisation, list(records)[-1]) if name in records)
    return Policy(at, records[at], organisation)


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def _returns(ask: Ask, sender: str, envelope: str) -> Said:
    """Whether what comes back can come back at all."""
    if envelope == sender:
        return
    what = f"MX of {envelope}"
    if not any(_asked(ask, envelope, kind, what) for kind in ("MX", "A", "AAAA")):
        yield False, f"{envelope} takes no mail, so nothing can come back: publish an MX record"
