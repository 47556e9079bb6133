"""One verb, `send`; one answer, Accepted; four errors (`alerts.errors`): the vocabulary all channels share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import ClassVar, Self
from uuid import UUID

from alerts.texts import Text


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent. `key` is the delivery's id: the same key is the same message, however often it is sent."""

    key: UUID
    to: str
    language: str
    text: Text


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message: `answer` is its code, `detail` its words."""

    answer: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do about an unknown outcome, and how long one call can take."""

    longest_call: timedelta  # the sum of the time-outs of one call
    send_again_after_unknown: bool  # a message twice is better than none


class Channel(ABC):
    """A way of telling people. Use it as a context manager: connections are kept from message to message."""

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def capabilities(cls) -> Capabilities: ...

    @abstractmethod
    def send(self, message: Message) -> Accepted:
        """Hand the message to the provider. Raises Rejected, Throttled, NotSent, Unknown."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections; never raises."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
