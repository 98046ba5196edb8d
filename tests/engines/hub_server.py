"""A hub on the loopback: serves the files of a folder as one repository, and breaks connections off when told to."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

REPOSITORY = "tiny/model"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """A running hub: ``fetched`` are the files that were asked for, with the first byte asked for.

    ``break_off`` says how many downloads of a file are still to end after half of what was asked for. With ``hold``
    they stay open there until it is set, and ``halfway`` is set once every other file of ``wanted`` was asked for.
    """

    folder: Path
    url: str = ""
    fetched: list[tuple[str, int]] = field(default_factory=list)
    break_off: dict[str, int] = field(default_factory=dict)
    hold: threading.Event | None = None
    wanted: frozenset[str] = frozenset()
    halfway: threading.Event = field(default_factory=threading.Event)
    asked: threading.Condition = field(default_factory=threading.Condition)

    @property
    def names(self) -> set[str]:
        """The files that were asked for."""
        return {name for name, _ in self.fetched}

    def listing(self) -> list[dict[str, object]]:
        """Return every file as the hub's API lists it."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [
            {
                "type": "file",
                "path": path.relative_to(self.folder).as_posix(),
                "size": path.stat().st_size,
                "oid": hashlib.sha1(path.read_bytes()).hexdigest(),
            }
            for path in paths
        ]


@contextmanager
def running_hub(folder: Path) -> Iterator[Hub]:
    """Serve ``folder`` as the repository until the block ends."""
    hub = Hub(folder)
    handler = type("BoundHandler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, name="hub")
    thread.start()
    try:
        yield hub
    finally:
        if hub.hold is not None:
            hub.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()


def only_this_hub(hub: Hub, cache: Path) -> dict[str, str]:
    """Return the variables of a process that knows no hub but this one and keeps what it fetches in ``cache``."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    mine = {
        "HF_HOME": str(cache),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "NO_PROXY": "127.0.0.1",
    }
    return {**others, **mine}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: ClassVar[Hub]

    def do_HEAD(self) -> None:
        self._resolve(with_body=False)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == f"/api/models/{REPOSITORY}/revision/main":
            siblings = [{"rfilename": each["path"]} for each in self.hub.listing()]
            self._answer({"id": REPOSITORY, "sha": COMMIT, "siblings": siblings})
        elif path == f"/api/models/{REPOSITORY}/tree/{COMMIT}":
            self._answer(self.hub.listing())
        else:
            self._resolve(with_body=True)

    def _resolve(self, *, with_body: bool) -> None:
        prefix = f"/{REPOSITORY}/resolve/{COMMIT}/"
        name = self.path.partition("?")[0].removeprefix(prefix)
        path = self.hub.folder / name
        if not self.path.startswith(prefix) or not path.is_file():
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound" if self.path.startswith(prefix) else "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = path.read_bytes()
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if with_body:
            with self.hub.asked:
                self.hub.fetched.append((name, start))
                self.hub.asked.notify_all()
            self._send(name, content[start:])

    def _send(self, name: str, content: bytes) -> None:
        if self.hub.break_off.get(name, 0) == 0:
            self.wfile.write(content)
            return
        self.hub.break_off[name] -= 1
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        if self.hub.hold is not None:
            with self.hub.asked:
                self.hub.asked.wait_for(lambda: self.hub.names >= self.hub.wanted, 30)
            self.hub.halfway.set()
            self.hub.hold.wait(30)
        self.close_connection = True

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # named by the library
        """Keep quiet."""
