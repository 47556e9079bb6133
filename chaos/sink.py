"""A mail server that takes messages and writes down whose they are; now and then it puts off, or loses its answer."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from email import message_from_bytes
from random import Random
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller

from devstack.ports import HOST, any_free

LATENCY = 0.02  # seconds a message takes; a server elsewhere takes longer
PUT_OFF, LOST = 0.05, 0.02  # of all messages: answered with "come back later"; taken without an answer


class Sink:
    """Use as a context manager. `taken` counts the messages that it took, by the key in their Message-ID."""

    def __init__(self, seed: int) -> None:
        self.port = any_free()
        self.web_port: int | None = None  # it reports nothing
        self.taken: Counter[str] = Counter()
        self.put_off = self.lost = 0
        self._rng = Random(seed)
        self._controller = Controller(self, hostname=HOST, port=self.port)

    def __enter__(self) -> Self:
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd tells every line of every session
        self._controller.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._controller.stop()

    @property
    def environment(self) -> dict[str, str]:
        return {"EMAIL_URL": f"smtp://{HOST}:{self.port}", "EMAIL_TRANSPORT": "smtp"}

    @property
    def faults(self) -> str:
        return f"put off {self.put_off} messages, lost {self.lost} answers"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(LATENCY)
        chance = self._rng.random()
        if chance < PUT_OFF:
            self.put_off += 1
            return "451 4.3.0 come back later"
        self.taken[key_of(envelope.content)] += 1
        if chance < PUT_OFF + LOST:
            self.lost += 1
            server.transport.abort()
        return "250 2.0.0 taken"


def key_of(message: bytes) -> str:
    """What stands before the @ in its Message-ID: the delivery's id."""
    return str(message_from_bytes(message)["Message-ID"]).strip().strip("<>").partition("@")[0]
