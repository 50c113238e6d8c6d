"""Taking mail ourselves, by LMTP (RFC 2033) or SMTP: "250" only when what a message said is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, syntax

from digest.errors import DigestError

log = structlog.get_logger("digest.bounces")

LARGEST = 20_000_000
"""Octets of a message; a larger one is refused (552)."""

Take = Callable[[bytes, Sequence[str]], object]
"""The bytes and whom the envelope named. Returns when it is durable; DigestError where it cannot be just now."""


class _Server(SMTP):
    line_length_limit = 100_000  # what comes back is not always within RFC 5322

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802
        """The greeting of LMTP; a transaction has one recipient, so the replies are those of SMTP."""
        await self.smtp_EHLO(arg)


class _Handler:
    def __init__(self, address: str, take: Take) -> None:
        self.local, _, self.domain = address.lower().rpartition("@")
        self.take = take

    async def handle_RCPT(  # noqa: N802 - the names and arguments of both are aiosmtpd's
        self,
        server: Any,  # noqa: ARG002
        session: Any,  # noqa: ARG002
        envelope: Any,
        address: str,
        options: list[str],  # noqa: ARG002
    ) -> str:
        local, _, domain = address.lower().rpartition("@")
        if domain != self.domain or local.partition("+")[0] != self.local:
            return "550 5.1.1 no such mailbox here"
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
        try:
            await asyncio.to_thread(self.take, envelope.content, tuple(envelope.rcpt_tos))
        except DigestError as error:
            log.error("return", reason=str(error))  # noqa: TRY400 - its sentence says it all
            return "451 4.3.0 not just now; try again"
        return "250 2.0.0 taken"

    async def handle_exception(self, error: Exception) -> str:
        log.error("return", reason="unexpected; please report it", exc_info=error)
        return "451 4.3.0 not just now; try again"


async def listen(host: str, port: int, *, address: str, take: Take, ready: Callable[[int], object]) -> None:
    """Take mail for `address` and its extensions until it is cancelled; `ready` is told the port."""
    loop = asyncio.get_running_loop()

    def made() -> SMTP:
        return _Server(
            _Handler(address, take),
            hostname=address.rpartition("@")[2],
            ident="digest",
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            loop=loop,
        )

    try:
        server = await loop.create_server(made, host, port)
    except OSError as error:
        raise DigestError(
            f"[bounces] listen {host}:{port}: {error.strerror}",
            mend="another program listens there, or this user may not; choose another port",
        ) from error
    async with server:
        ready(server.sockets[0].getsockname()[1])
        await server.serve_forever()
