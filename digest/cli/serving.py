"""Showing a folder in the browser until Ctrl-C."""

from __future__ import annotations

import functools
import http.server
import threading
from pathlib import Path


def serve_folder(folder: Path, port: int = 0) -> None:
    """Serve the files of `folder` on loopback and say where; returns at Ctrl-C."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"Look at http://127.0.0.1:{server.server_address[1]}/ (Ctrl-C ends it)", flush=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            thread.join()
        except KeyboardInterrupt:
            server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".eml": "text/plain; charset=utf-8",
    }

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal is for the summary."""
