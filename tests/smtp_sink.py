"""A real mail server on localhost that keeps what it accepts, and fails on demand."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller


class Sink:
    """`mails` is what was accepted, in order. What to answer can be set: `rcpt`, `data`, and `vanish`, `hold`."""

    def __init__(self) -> None:
        # Kept for as long as this lives: bound, never listening. While the server is away its port refuses whoever
        # connects, and nobody else gets it.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.port: int = self._place.getsockname()[1]
        self.mails: list[EmailMessage] = []
        self.rcpt: Callable[[str], str] | None = None  # the answer to RCPT by address
        self.data: str | None = None  # the answer to the final dot; None: accepted
        self.mail = "250 OK"  # the answer to MAIL
        self.stall = False  # never answer the final dot
        self.slow = 0.0  # seconds that the answers to MAIL, RCPT and the final dot take
        self.connections = 0
        self.vanish: str | None = None  # "rcpt" or "data": close the connection instead of answering
        self.hold_after: int | None = None  # after so many mails the next one is held before it is accepted …
        self.holding = threading.Event()  # … and this says that it is
        self._controller: Controller | None = None

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=60)
        self._controller.start()

    def stop(self) -> None:
        if self._controller:
            self._controller.stop()
            self._controller = None

    def close(self) -> None:
        self.stop()
        self._place.close()

    def addresses(self) -> list[str]:
        """Who got mail, one entry for each mail."""
        return sorted(mail["To"] for mail in self.mails)

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any) -> Any:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        await asyncio.sleep(self.slow)
        if self.mail.startswith("250"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.mail

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        await asyncio.sleep(self.slow)
        if self.vanish == "rcpt":
            server.transport.close()
            return "250 OK"
        if self.hold_after is not None and len(self.mails) >= self.hold_after:
            self.holding.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            return "451 held"
        answer = self.rcpt(address) if self.rcpt else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.slow)
        if self.vanish == "data":
            server.transport.close()
            return "250 OK"
        if self.stall:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
        if self.data is not None:
            return self.data
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        return "250 OK"


@pytest.fixture
def sink(settings) -> Iterator[Sink]:
    """A mail server that runs, and to which this process sends."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every line of every session
    server = Sink()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_TIMEOUT = 30
    settings.DEFAULT_FROM_EMAIL = "Byeol <points@byeol.example>"
    server.start()
    yield server
    server.close()
