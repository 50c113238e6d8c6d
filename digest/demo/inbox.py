"""The demo's mailbox: a real SMTP server on the loopback that keeps every message as it came."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session


class Inbox:
    """A context manager: an SMTP server (no TLS, no login) on a free port, for as long as its block.

    Each message goes, bytes unchanged, to `folder/NNNN-address.eml`; to `staff_folder` where the recipient is
    one of `staff`. A file is there whole or not at all, and before the server says that it took the message."""

    def __init__(self, folder: Path, staff_folder: Path, staff: set[str]) -> None:
        self.folder = folder
        self.staff_folder = staff_folder
        self.staff = {address.lower() for address in staff}
        self.host = "127.0.0.1"
        self.port = 0
        self.received = 0
        self._numbers = {folder: 0, staff_folder: 0}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo-inbox", daemon=True)
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        for folder in (self.folder, self.staff_folder):
            folder.mkdir(parents=True, exist_ok=True)
        listener = socket.create_server((self.host, 0))
        self.port = listener.getsockname()[1]
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(listener), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self, listener: socket.socket) -> None:
        self._server = await self._loop.create_server(
            lambda: SMTP(self, hostname="inbox.example.org", ident="demo inbox", loop=self._loop),
            sock=listener,
        )

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:  # the sessions of clients that did not say goodbye
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Keep the message, once for each recipient."""
        content: Any = envelope.original_content
        for recipient in envelope.rcpt_tos:
            self._keep(recipient, bytes(content))
        return "250 2.0.0 kept"

    def _keep(self, recipient: str, content: bytes) -> None:
        folder = self.staff_folder if recipient.lower() in self.staff else self.folder
        self._numbers[folder] += 1
        self.received += 1
        name = f"{self._numbers[folder]:04d}-{re.sub(r'[^A-Za-z0-9@._+-]', '_', recipient)}.eml"
        part = folder / f".{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)
