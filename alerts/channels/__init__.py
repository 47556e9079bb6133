"""The channels by name."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from alerts.channels.base import Accepted, Capabilities, Channel, Message
from alerts.channels.email import EmailChannel
from alerts.errors import UnknownChannel

CHANNELS: dict[str, type[Channel]] = {EmailChannel.name: EmailChannel}


class Channels:
    """The channels of one tick: each is opened when the first message needs it, and closed at the end."""

    def __init__(self) -> None:
        self._open: dict[str, Channel] = {}
        self._stack = ExitStack()

    def __getitem__(self, name: str) -> Channel:
        if name not in self._open:
            if name not in CHANNELS:
                raise UnknownChannel(field="channel")
            self._open[name] = self._stack.enter_context(CHANNELS[name]())
        return self._open[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


__all__ = ["CHANNELS", "Accepted", "Capabilities", "Channel", "Channels", "Message"]
