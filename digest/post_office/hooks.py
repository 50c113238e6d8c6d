"""What providers report over HTTP, joined: proved, understood, done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from digest.app import App
from digest.bounces import mailgun, postmark, sendgrid, ses
from digest.bounces import store as bounces
from digest.bounces.calls import Call, Event, ForgedError
from digest.bounces.identity import Whose, whose
from digest.errors import DigestError
from digest.logger import Logger
from digest.post_office import returns
from digest.web.hooks import Provider
from subscribers import store as subscribers

log = Logger("digest.hooks")

_NOT_AGAIN: Mapping[Provider, int] = {"mailgun": 406, "postmark": 403}
"""What makes a provider stop sending a call again that was here before; else 409."""
_CERTIFICATE = 20_000
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Hooks:
    """`digest.web.hooks.HookServices`: each event of a call is one transaction."""

    current: Callable[[], App]
    fetch: ses.Fetch

    def called(self, provider: Provider, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        app = self.current()
        call = Call(headers, body, app.now)
        try:
            events = self._events(app, provider, call)
        except postmark.UnauthorizedError as error:
            return self._refused(provider, error, 401)
        except ForgedError as error:
            return self._refused(provider, error, 403)
        if events is None:
            return 404, "not configured"
        taken = [_take(app, provider, event) for event in events]
        if taken and not any(one.fresh for one in taken):
            return _NOT_AGAIN.get(provider, 409), "it was here before"
        return 200, "taken"

    def _refused(self, provider: Provider, error: ForgedError, status: int) -> tuple[int, str]:
        log.warning("refused", provider=provider, reason=str(error))
        return status, "refused"

    def _events(self, app: App, provider: Provider, call: Call) -> list[Event] | None:
        """None where the provider is not configured."""
        table = app.config.bounces.webhooks
        if provider == "ses" and table.ses_topic:
            made = ses.read(call, topic=table.ses_topic, fetch=self.fetch)
            if isinstance(made, ses.Confirmation):
                self.fetch(made.url)
                log.info("subscribed", provider=provider, topic=table.ses_topic)
                return []
            return [made]
        if provider == "postmark" and table.postmark_file:
            return [postmark.read(call, login=_secret(app, "postmark_file"))]
        if provider == "mailgun" and table.mailgun_file:
            return [mailgun.read(call, key=_secret(app, "mailgun_file"))]
        if provider == "sendgrid" and table.sendgrid_file:
            return sendgrid.read(call, key=sendgrid.public_key(_secret(app, "sendgrid_file")))
        return None


def examine(app: App) -> list[str]:
    """The providers that are configured. Raises DigestError where what proves their calls cannot be read."""
    table = app.config.bounces.webhooks
    found = [name for name in ("postmark", "mailgun", "sendgrid") if getattr(table, f"{name}_file")]
    for name in found:
        secret = _secret(app, f"{name}_file")
        if not secret or (name == "postmark" and ":" not in secret):
            what = "user:password" if name == "postmark" else "the key"
            raise DigestError(f"[bounces.webhooks] {name}_file does not hold {what}", mend="copy it anew")
        if name == "sendgrid":
            sendgrid.public_key(secret)
    if table.ses_topic:
        ses.host_of(table.ses_topic)
        found.append("ses")
    return found


def hooks(current: Callable[[], App]) -> Hooks:
    """The services over whatever `current` says is the application."""
    return Hooks(current, fetched)


def _take(app: App, provider: Provider, event: Event) -> returns.Taken:
    return returns.take(app, event.report, _whose(app, provider, event), event=event.hash(provider), source=provider)


def _whose(app: App, provider: Provider, event: Event) -> Whose:
    """By our return address where the provider repeats it; else by the Message-ID, among the mails of who it names.

    Postmark repeats the Message-ID of our mails as their metadata. Where that is missing (somebody pressed a button at
    Postmark itself) its login stands for its word, and its last mail to that reader is meant."""
    found = whose(event.report, app.return_path)
    if found.delivery is not None or not event.email:
        return replace(found, leaver=None, forged=False)
    with app.database.read() as connection:
        reader = subscribers.find(connection, event.email)
        if reader is None:
            return Whose()
        if event.report.original_id:
            delivery = bounces.delivery_to(connection, reader.id, event.report.original_id)
        else:
            delivery = bounces.newest_to(connection, reader.id) if provider == "postmark" else None
    return Whose(delivery=delivery.id if delivery else None)


def _secret(app: App, name: str) -> str:
    path = app.config.resolve(getattr(app.config.bounces.webhooks, name))
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise DigestError(
            f"[bounces.webhooks] {name} {path}: {reason}", mend="name a file this user can read"
        ) from error


def fetched(url: str) -> bytes:
    """A small document of Amazon's; a certificate is remembered: its address changes when it does."""
    return _certificate(url) if url.endswith(".pem") else _got(url)


@lru_cache(maxsize=16)
def _certificate(url: str) -> bytes:
    body = _got(url)
    if b"-----BEGIN CERTIFICATE-----" not in body:  # something between us and Amazon answered
        raise DigestError(f"{url}: what answers there is no certificate", mend="can this machine reach Amazon?")
    return body


def _got(url: str) -> bytes:
    import httpx2

    try:
        with (
            httpx2.Client(follow_redirects=False, timeout=_PATIENCE, trust_env=False) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > _CERTIFICATE:
                    raise DigestError(f"{url}: the answer is too large", mend="can this machine reach Amazon?")
            return body
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise DigestError(f"{url}: {error}", mend="can this machine reach Amazon over https?") from error
