"""Showing files in the browser until Ctrl-C."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


def serve_folder(folder: Path, port: int = 0) -> None:
    """Serve the files of `folder` on loopback and say where; returns at Ctrl-C."""
    _serve(functools.partial(_Quiet, directory=str(folder)), port)


def serve_demo(folder: Path, port: int = 0) -> None:
    """Serve the preview and the inbox of a demo on loopback and say where; returns at Ctrl-C."""
    from digest.demo.browse import Browser, handler

    _serve(handler(Browser(folder)), port)


def _serve(handler: Callable[..., Any], port: int) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"Look at http://127.0.0.1:{server.server_address[1]}/ (Ctrl-C ends it)", flush=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            thread.join()
        except KeyboardInterrupt:
            server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {  # noqa: RUF012 - as its base declares it
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".eml": "text/plain; charset=utf-8",
    }

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base names it
        """Say nothing: the terminal is for the summary."""
