"""Amazon SES, by way of SNS: a signed envelope around a notice."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from digest.bounces import notices
from digest.bounces.calls import Call, Event, ForgedError, bracketed, check_fresh, loaded
from digest.bounces.model import Kind, Report
from digest.bounces.values import rows, table, text

Fetch = Callable[[str], bytes]
"""Gets a small document over https, without following redirects."""

_CERTIFICATE = re.compile(r"/SimpleNotificationService[0-9A-Za-z-]*\.pem")
_ARN = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]{3,40}):\d{12}:[A-Za-z0-9_.-]{1,256}")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - SNS's version 1


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Amazon asks whether we want the topic: `url` says yes."""

    url: str


def read(call: Call, *, topic: str, fetch: Fetch) -> Event | Confirmation:
    """Raises ForgedError for whatever is not signed by Amazon, or is about another topic."""
    envelope = {key: value for key, value in table(loaded(call.body)).items() if isinstance(value, str)}
    kind = envelope.get("Type", "")
    if kind not in _SIGNED:
        raise ForgedError("the call is no message of Amazon SNS")
    if envelope.get("TopicArn") != topic:
        raise ForgedError("the call is about another topic than [bounces.webhooks] ses_topic")
    check_fresh(_moment(envelope.get("Timestamp", "")), call.at)
    _check_signature(envelope, host_of(topic), fetch, call.at)
    if kind == "SubscriptionConfirmation":
        url = envelope.get("SubscribeURL", "")
        _check_url(url, host_of(topic))
        return Confirmation(url)
    return _event(envelope)


def _event(envelope: dict[str, str]) -> Event:
    notice = notices.read(envelope.get("Message", ""))
    number = envelope.get("MessageId", "")
    if notice is None:
        return Event(number, Report(Kind.UNKNOWN, reader="Amazon SES", why="a message of SNS that is no notice of SES"))
    email = next((one.recipient for one in notice.failures if one.recipient), "")
    email = email or _complainer(envelope.get("Message", ""))
    return Event(number, notices.with_original(notice, bracketed(notice.original_id)), email)


def _complainer(message: str) -> str:
    complaint = table((notices.loads(message) or {}).get("complaint"))
    named = rows(complaint.get("complainedRecipients"))
    return text(table(named[0]).get("emailAddress")) if named else ""


def host_of(topic: str) -> str:
    """The host of SNS in the topic's region: nothing else is asked for certificates. Raises ForgedError for what is no
    topic."""
    found = _ARN.fullmatch(topic)
    if found is None:
        raise ForgedError("[bounces.webhooks] ses_topic is no ARN of a topic")
    china = ".cn" if topic.startswith("arn:aws-cn:") else ""
    return f"sns.{found[1]}.amazonaws.com{china}"


def _check_url(url: str, host: str) -> None:
    """At Amazon's host, by https, and nowhere else."""
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and parts.netloc.lower() == host
    except ValueError:
        good = False
    if not good:
        raise ForgedError("the call names a URL that is not Amazon's")


def _check_signature(envelope: dict[str, str], host: str, fetch: Fetch, now: datetime) -> None:
    algorithm = _HASHES.get(envelope.get("SignatureVersion", ""))
    where = envelope.get("SigningCertURL", "")
    # A query would make SNS's own interface answer there, with what somebody else has stored in it.
    there = f"https://{host}"
    if not where.startswith(there) or not _CERTIFICATE.fullmatch(where, len(there)):
        raise ForgedError("the call names a certificate that is not Amazon's")
    if algorithm is None:
        raise ForgedError("the call has no signature of a version that we know")
    said = "".join(f"{key}\n{envelope[key]}\n" for key in _SIGNED[envelope["Type"]] if key in envelope)
    try:
        certificate = x509.load_pem_x509_certificate(fetch(where))
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise ForgedError("the certificate holds no RSA key")
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise ForgedError("the certificate is not valid today")
        signature = base64.b64decode(envelope.get("Signature", ""), validate=True)
        key.verify(signature, said.encode(), padding.PKCS1v15(), algorithm)
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise ForgedError("the signature is not Amazon's") from error


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ForgedError("the call has no time") from error
    if moment.tzinfo is None:
        raise ForgedError("the call has no time zone")
    return moment
