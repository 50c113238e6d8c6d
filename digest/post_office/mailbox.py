"""The bounce mailbox, read: each message taken, and only then taken away."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import get_ident

from digest.app import App
from digest.bounces import lmtp
from digest.bounces.boxes import Box, Maildir
from digest.bounces.imap import Imap, ImapSettings
from digest.bounces.model import Kind
from digest.errors import UsageError
from digest.logger import Logger
from digest.post_office import returns

log = Logger("digest.bounces")

_KEPT = 1_000
"""Messages taken by LMTP that nobody understood, kept on this machine."""


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What a reading came to: how many messages of each kind, and of each verdict among the bounces."""

    read: int = 0
    again: int = 0
    kept: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)

    def sentence(self) -> str:
        if not self.read:
            return "Nothing has come back."
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(self.verdicts.items()))
        parts = [f"{self.read} read: {kinds}" + (f" ({verdicts})" if verdicts else "")]
        if self.again:
            parts.append(f"{self.again} were here before")
        if self.kept:
            parts.append(f"{self.kept} kept in the mailbox, flagged: look at them")
        return "; ".join(parts) + "."


def is_configured(app: App) -> bool:
    """Whether there is a mailbox to be read from time to time."""
    return bool(app.config.bounces.maildir or app.config.bounces.imap_host)


def open_box(app: App, *, patience: float = 60.0) -> Box:
    """The mailbox of the configuration. Raises UsageError without one, DigestError where it cannot be opened.

    One answer of a server may take `patience` seconds."""
    table = app.config.bounces
    if table.maildir:
        return Maildir(app.config.resolve(table.maildir))
    if not table.imap_host:
        raise UsageError(
            f"{app.config.path} [bounces] has neither maildir nor imap_host",
            mend="see docs/howto/bounces.md; by LMTP it is `digest bounces serve`",
        )
    return Imap(
        ImapSettings(
            table.imap_host,
            table.imap_port,
            table.imap_security,
            table.imap_username,
            table.imap_password.get_secret_value(),
            table.imap_folder,
            str(app.config.resolve(table.imap_ca_file)) if table.imap_ca_file else "",
            patience,
        )
    )


def read(app: App, *, stop: Callable[[], bool] = lambda: False) -> ReadReport:
    """Read what waits. Raises DigestError where the mailbox or the database is away: what was not read stays there."""
    box = open_box(app)
    done = again = kept = 0
    kinds: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    try:
        for key, raw in box.waiting():
            taken = returns.take_mail(app, raw, source=box.name)
            done, again = done + 1, again + (not taken.fresh)
            kinds[taken.kind.value] += 1
            if taken.kind is Kind.BOUNCE and taken.fresh:
                verdicts[taken.verdict or "without a reason"] += 1
            if taken.understood:
                box.remove(key)
            else:
                box.keep(key)
                kept += 1
            if stop():
                break
    finally:
        box.close()
    return ReadReport(done, again, kept, kinds, verdicts)


def serve(app: App, *, ready: Callable[[str], object]) -> None:
    """Take mail by LMTP until it is interrupted. Raises UsageError where the configuration does not say where."""
    table = app.config.bounces
    if not table.listen or not table.address:
        raise UsageError(f"{app.config.path} [bounces] needs `listen` and `address` for this", mend="set both")
    host, _, port = table.listen.rpartition(":")
    host = host.strip("[]")

    def take(raw: bytes, envelope: Sequence[str]) -> None:
        taken = returns.take_mail(app, raw, source="lmtp", envelope=envelope)
        if not taken.understood:
            _keep(app.config.state_folder() / "returned", raw)

    with suppress(KeyboardInterrupt):
        asyncio.run(
            lmtp.listen(host, int(port), address=table.address, take=take, ready=lambda at: ready(f"{host}:{at}"))
        )


def _keep(folder: Path, raw: bytes) -> None:
    """A message that nobody understood, for a person to look at: in a file, durable before its sender is told."""
    folder.mkdir(parents=True, exist_ok=True)
    name = folder / f"{sha256(raw).hexdigest()[:32]}.eml"
    if name.exists():
        return
    if sum(1 for _ in folder.iterdir()) >= _KEPT:
        log.warning("return", reason=f"{folder} holds {_KEPT} messages that nobody understood: one more is not kept")
        return
    part = name.with_suffix(f".{get_ident()}.part")  # the same one may come by two sessions at once
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    part.replace(name)
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)
