"""A reverse proxy that shows a server below a path, as people put it behind another web server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

PREFIX = "/apps/speech"
_OWN = {"connection", "transfer-encoding", "content-length", "date", "server"}


@contextmanager
def behind_prefix(target: str) -> Iterator[str]:
    """Serve ``target`` below ``PREFIX`` on another port; nothing is to be found outside it."""

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            url = target + self.path.removeprefix(PREFIX)
            with httpx.stream(self.command, url, headers=headers, content=body, timeout=60) as answer:
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name not in _OWN:
                        self.send_header(name, value)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for piece in answer.iter_raw():
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_DELETE = forward  # noqa: N815  # as the base class looks for them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base class
            """Say nothing."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=proxy.serve_forever, name="proxy")
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}"
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
