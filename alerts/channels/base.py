"""One verb, `send`; one answer, Accepted; four errors (`alerts.errors`): the vocabulary all channels share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import ClassVar, Self
from uuid import UUID

from alerts.errors import SendError, Unknown, UnknownTransport
from alerts.texts.words import Text


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent. `key` is the delivery's id: the same key is the same message, however often it is sent."""

    key: UUID
    to: str
    language: str
    text: Text
    unsubscribe: str = ""  # where one click ends these messages (RFC 8058); e-mail only
    falls_back: bool = False  # the provider may send it as SMS when it does not arrive; AlimTalk only


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message: `answer` is its code, `detail` its words, `provider_id` its number for it."""

    answer: str = ""
    detail: str = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a transport can do about an unknown outcome, how long one call can take, and which numbers it serves."""

    longest_call: timedelta  # a call lasts no longer: the sum of its time-outs, or less where it has an end of its own
    send_again_after_unknown: bool  # a message twice is better than none
    at_once: int = 1  # messages that one call hands over; more than one only where unknown outcomes can be found out
    rate: float | None = None  # messages a second that it takes of us; None: it says itself when it was too much
    idempotent_for: timedelta | None = None  # so long the same key sent again is the same message
    can_look_up: bool = False  # it can be asked whether it took a key
    looks_back: timedelta | None = None  # of what it took longer ago than this it knows nothing any more; None: all
    reports: bool = False  # it tells by webhook what became of a message
    falls_back_itself: bool = False  # what does not arrive it can send by SMS; `Message.falls_back`: it may
    countries: frozenset[str] | None = None  # the calling codes of the numbers that it carries, as +82; None: all

    def __post_init__(self) -> None:
        if self.at_once > 1 and not (self.can_look_up or self.idempotent_for):
            raise ValueError("whoever dies in a call would leave several messages of which nobody can find out")


class Kind(StrEnum):
    """What a report says: the values of `ProviderEvent.Kind`, known here without the database."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Report:
    """One event of a webhook. `at` None: the provider did not say when. `key` is ours, where it came back."""

    event_key: str
    kind: Kind
    provider_id: str
    key: str
    at: datetime | None
    raw: str


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook's request as it came: header names in lower case, the query without its question mark."""

    headers: Mapping[str, str]
    body: bytes
    query: str = ""


def answer_of(call: Callable[[], Accepted]) -> Accepted | SendError:
    """What a call for one message came to."""
    try:
        return call()
    except SendError as error:
        return error


class Channel(ABC):
    """A provider that carries a channel. As a context manager it keeps connections from message to message."""

    name: ClassVar[str]
    carries: ClassVar[frozenset[str]]  # the channels that it can carry

    def __init__(self, channel: str) -> None:
        """`channel` is the one that this connection carries, of those in `carries`."""
        self.channel = channel

    @classmethod
    @abstractmethod
    def capabilities(cls, channel: str) -> Capabilities: ...

    @abstractmethod
    def send(self, message: Message) -> Accepted:
        """Hand the message to the provider. Raises Rejected, Throttled, NotSent, Unknown."""

    def send_all(self, messages: Sequence[Message]) -> list[Accepted | SendError]:
        """Hand these over in one call, at most `at_once` of them: an answer for each, in their order."""
        (message,) = messages
        return [answer_of(partial(self.send, message))]

    def prepare(self, messages: Sequence[Message]) -> Callable[[], list[Accepted | SendError]]:
        """The call of `send_all`, to be made later: here goes what takes time and needs nobody else.

        It runs while the database commits that the call is about to be made: nothing may leave, and no query be made.
        What is wrong with a message, its call says.
        """
        return partial(self.send_all, messages)

    def look_up(self, key: UUID, *, to: str = "") -> Accepted | None:
        """Ask whether the message with this key was taken; None: provably not. `to` narrows the search.

        Raises Rejected: it was taken, and came to nothing since; Unknown or NotSent when it cannot tell, and where the
        transport cannot look up at all.
        """
        raise Unknown(f"{self.name} cannot be asked", answer="no_look_up")

    @classmethod
    def reports(cls, hook: Hook) -> list[Report]:
        """Verify a webhook first, then read it. Raises BadSignature, BadInput; UnknownTransport: it has none."""
        raise UnknownTransport(field="transport")

    @abstractmethod
    def close(self) -> None:
        """Let go of connections; never raises."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
