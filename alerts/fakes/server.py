"""The fake provider's server: one port of localhost, all interfaces, a journal to read and modes to change meanwhile.

GET /journal: what was taken. POST /modes: `{"drop": 0.02}`. GET /health.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from alerts.fakes import providers
from alerts.fakes.faults import RETRY_AFTER, TAKES, Faults
from alerts.fakes.hooks import Posting
from alerts.fakes.journal import Journal

SLOW = 5.0  # seconds


class FakeProvider:
    """A server in threads of this process. Use it as a context manager; `url` is where it listens."""

    def __init__(
        self,
        port: int = 0,
        *,
        shares: dict[str, float] | None = None,
        slow: float = SLOW,
        seed: int = 1,
        journal: Path | None = None,
        posting: Posting | None = None,
    ) -> None:
        self.posting = posting
        self.journal = Journal(journal, then=posting.add if posting else None)
        self.faults = Faults(shares, seed=seed)
        self.slow = slow
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.fake = self
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def start(self) -> None:
        if self.posting:
            self.posting.start()
        self._thread.start()

    def stop(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()
        if self.posting:
            self.posting.stop()

    def __enter__(self) -> FakeProvider:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # kept connections of the other side must not hold us up
    fake: FakeProvider

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up is nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        fake = self.server.fake
        if self.path == "/health":
            return self._write(200, {})
        if self.path == "/journal":
            return self._write(200, {"taken": [asdict(message) for message in fake.journal.all()]})
        said = providers.answer(self._call(b""), fake.journal)
        return self._write(said.status, said.content)

    def do_POST(self) -> None:
        fake = self.server.fake
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/modes":
            try:
                fake.faults.set({str(mode): float(share) for mode, share in json.loads(body).items()})
            except (ValueError, TypeError, AttributeError) as error:
                return self._write(400, {"message": str(error)})
            return self._write(200, {})
        mode = fake.faults.draw()
        if mode in TAKES:
            return self._take(mode, body)
        if mode == "deaf":
            return self._hang_up()
        headers = {"Retry-After": str(RETRY_AFTER)} if mode == "429" else {}
        return self._write(int(mode), {"code": mode, "message": "not now"}, headers)

    def _take(self, mode: str, body: bytes) -> None:
        fake = self.server.fake
        said = providers.answer(self._call(body), fake.journal)
        if mode == "drop":
            return self._hang_up()
        if mode == "slow":
            fake.over.wait(fake.slow)
        return self._write(said.status, said.content, half=mode == "garbled")

    def _call(self, body: bytes) -> providers.Call:
        return providers.call(self.command, self.path, dict(self.headers.items()), body)

    def _hang_up(self) -> None:
        self.close_connection = True

    def _write(
        self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None, *, half: bool = False
    ) -> None:
        body = json.dumps(content).encode()
        body = body[: len(body) // 2] if half else body
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: thousands of calls, with telephone numbers in them."""
