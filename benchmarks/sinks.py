"""Where the messages go: a mail server and a provider that take everything, in a process of their own.

They do next to nothing, so that both sides are measured and not the sink; and they keep what they took, so that the
yardstick sends the very same messages again. Nothing of Django in here.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import NamedTuple, Self

HOST = "127.0.0.1"
STARTS_WITHIN = 10  # seconds

LINE, END_OF_MAIL, END_OF_HEAD = b"\r\n", b"\r\n.\r\n", b"\r\n\r\n"


class Request(NamedTuple):
    """A request that the provider took; names of headers are in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes


class _Session(asyncio.Protocol):
    """One connection: what came and was not dealt with yet."""

    transport: asyncio.Transport

    def __init__(self, taken: list[bytes | Request]) -> None:
        self.taken = taken
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport


class MailSession(_Session):
    """As much SMTP as a client needs to hand over messages."""

    mail_follows = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while True:
            one, end, rest = self.rest.partition(END_OF_MAIL if self.mail_follows else LINE)
            if not end:
                return
            self.rest = rest
            self.transport.write(self._take(one) if self.mail_follows else self._answer(one[:4].upper()))

    def _take(self, mail: bytes) -> bytes:
        self.taken.append((LINE + mail + LINE).replace(b"\r\n..", b"\r\n.")[len(LINE) :])
        self.mail_follows = False
        return b"250 2.0.0 taken\r\n"

    def _answer(self, verb: bytes) -> bytes:
        if verb == b"EHLO":
            return b"250-sink\r\n250 8BITMIME\r\n"
        if verb == b"DATA":
            self.mail_follows = True
            return b"354 go on\r\n"
        return b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n"


class ProviderSession(_Session):
    """As much HTTP as a client needs to post messages: each call is answered as Solapi answers what it takes."""

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while True:
            head, end, rest = self.rest.partition(END_OF_HEAD)
            if not end:
                return
            request, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self.rest = rest[length:]
            self.taken.append(Request(request.split()[1], headers, rest[:length]))
            self.transport.write(_posted(rest[:length]))


def _posted(asked: bytes) -> bytes:
    taken = [
        {
            "messageId": f"M{number}",
            "statusCode": "2000",
            "statusMessage": "taken",
            "customFields": message["customFields"],
        }
        for number, message in enumerate(json.loads(asked)["messages"])
    ]
    said = {"groupInfo": {"groupId": "G1"}, "failedMessageList": [], "messageList": taken}
    body = json.dumps(said).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


class Sink:
    """Use as a context manager: `port` is where it listens."""

    port: int

    def __init__(self, session: type[MailSession] | type[ProviderSession]) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would have the parent's connections
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(session, theirs), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        if not self._pipe.poll(STARTS_WITHIN):
            self._process.kill()
            raise RuntimeError(f"the sink did not start within {STARTS_WITHIN} s")
        self.port = self._pipe.recv()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.join()

    def take(self) -> list[bytes | Request]:
        """What it took since the last time, in that order."""
        self._pipe.send(None)
        taken: list[bytes | Request] = self._pipe.recv()
        return taken


def _serve(session: type[_Session], pipe: Connection) -> None:
    asyncio.run(_serve_until_killed(session, pipe))


async def _serve_until_killed(session: Callable[[list[bytes | Request]], _Session], pipe: Connection) -> None:
    taken: list[bytes | Request] = []

    def hand_over() -> None:
        try:
            pipe.recv()
        except EOFError:  # the benchmark was killed
            os._exit(0)
        pipe.send(taken)
        taken.clear()

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: session(taken), HOST, 0)
    loop.add_reader(pipe.fileno(), hand_over)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()
