"""Calls as the providers make them, in the shapes they document, signed with keys of our own."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:eu-west-1:000000000000:bounces"
HOST = "sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"https://{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
LOGIN = "hooks:a long password"
MAILGUN_KEY = "key-0123456789"
SES_KEY = rsa.generate_private_key(65537, 2048)
SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(now: datetime, key: rsa.RSAPrivateKey = SES_KEY) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def sns(message: Any, now: datetime, *, version: str = "2", key: Any = SES_KEY, **fields: str) -> bytes:
    """A message of SNS, signed; `fields` change it before that."""
    made = {
        "Type": "Notification",
        "MessageId": "9c3f1f5a-0000-5000-8000-000000000001",
        "TopicArn": TOPIC,
        "Subject": "Amazon SES Email Event Notification",
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
    } | fields
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if made["Type"] != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        del made["Subject"]
    said = "".join(f"{name}\n{made[name]}\n" for name in names if name in made)
    algorithm: hashes.HashAlgorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    made["Signature"] = base64.b64encode(key.sign(said.encode(), padding.PKCS1v15(), algorithm)).decode()
    return json.dumps(made).encode()


def ses_bounce(source: str, recipient: str, *, message_id: str = "", kind: str = "Permanent") -> dict[str, Any]:
    return {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": recipient,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }
            ],
            "feedbackId": "0102-1",
        },
        "mail": {"source": source, "messageId": "0102-0", "commonHeaders": {"messageId": message_id}},
    }


def ses_complaint(source: str, recipient: str) -> dict[str, Any]:
    return {
        "notificationType": "Complaint",
        "complaint": {"complainedRecipients": [{"emailAddress": recipient}], "complaintFeedbackType": "abuse"},
        "mail": {"source": source, "messageId": "0102-0"},
    }


def postmark(kind: str = "HardBounce", *, record: str = "Bounce", email: str, details: str = "", **more: Any) -> bytes:
    made = {
        "RecordType": record,
        "ID": 42,
        "Type": kind,
        "TypeCode": 1,
        "MessageID": "00000000-0000-4000-8000-000000000042",
        "Email": email,
        "Details": details,
        "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
        "BouncedAt": "2026-11-23T14:00:00Z",
        "Metadata": {},
    }
    return json.dumps(made | more).encode()


def login(value: str = LOGIN) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(value.encode()).decode()}


def mailgun(data: Mapping[str, Any], now: datetime, *, token: str = "t" * 50, key: str = MAILGUN_KEY) -> bytes:
    moment = str(int(now.timestamp()))
    signature = hmac.new(key.encode(), f"{moment}{token}".encode(), sha256).hexdigest()
    signed = {"timestamp": moment, "token": token, "signature": signature}
    return json.dumps({"signature": signed, "event-data": dict(data)}).encode()


def mailgun_failed(recipient: str, message_id: str, **more: Any) -> dict[str, Any]:
    return {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "recipient": recipient,
        "envelope": {"sender": "someone@example.org", "targets": recipient},
        "message": {"headers": {"message-id": message_id.strip("<>")}},
        "delivery-status": {"code": 550, "message": "5.1.1 no such user", "attempt-no": 1},
    } | more


def sendgrid(events: list[dict[str, Any]], now: datetime, *, key: ec.EllipticCurvePrivateKey = SENDGRID_KEY) -> Any:
    """The body, and the headers that prove it."""
    body = json.dumps(events).encode()
    moment = str(int(now.timestamp()))
    signature = key.sign(moment.encode() + body, ec.ECDSA(hashes.SHA256()))
    return body, {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": moment,
    }


def sendgrid_event(what: str, email: str, message_id: str, number: str = "e-1", **more: Any) -> dict[str, Any]:
    return {"event": what, "email": email, "smtp-id": message_id, "sg_event_id": number, "timestamp": 1} | more


def sendgrid_public() -> str:
    """The verification key as the dashboard shows it."""
    return base64.b64encode(
        SENDGRID_KEY.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).decode()
