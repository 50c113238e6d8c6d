"""Running the pages: uvicorn in a thread of its own, with a clean end."""

from __future__ import annotations

import errno
import socket
import threading
import time
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from digest.errors import DigestError
from digest.web.promptness import Prompt


@dataclass(frozen=True, slots=True)
class Running:
    """A server at work. `url` is where it listens, with the port it really has."""

    url: str
    _server: uvicorn.Server
    _thread: threading.Thread

    def stop(self) -> None:
        """Finish the requests at hand (at most 5 s), then end. Twice is the same as once."""
        self._server.should_exit = True
        self._thread.join(timeout=15)


def start(app: ASGIApp, host: str, port: int, *, protocol: type[Prompt] = Prompt) -> Running:
    """Serve `app`; port 0 takes any free one. Raises DigestError where that address cannot be had.

    No access log of uvicorn's own: its lines would hold tokens. No trust in X-Forwarded headers: nothing here needs
    to know the reader's address."""
    listening = _bind(host, port)
    config = uvicorn.Config(
        app,
        http=protocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws="none",
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
        limit_concurrency=500,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="web", daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    if not server.started:
        raise DigestError(f"the web server on {host}:{port} did not start", mend="see the log above")
    bound_host, bound_port = listening.getsockname()[:2]
    shown = f"[{bound_host}]" if ":" in bound_host else bound_host
    return Running(f"http://{shown}:{bound_port}", server, thread)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise DigestError(f"[web] listen: there is no address {host!r} here", mend="use 127.0.0.1") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(512)
    except OSError as error:
        listening.close()
        why = {
            errno.EADDRINUSE: ("is already taken", "stop what listens there, or set another `[web] listen`"),
            errno.EACCES: ("is for root alone", "use a port from 1024 up, behind a proxy"),
            errno.EADDRNOTAVAIL: ("is not an address of this machine", "set `[web] listen` to 127.0.0.1:8000"),
        }
        reason, mend = why.get(error.errno or 0, (error.strerror or str(error), "set another `[web] listen`"))
        raise DigestError(f"the address {host}:{port} {reason}", mend=mend) from error
    return listening
