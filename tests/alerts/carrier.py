"""A transport that keeps what it took, answers as it is told, and can what it is given: for the line's own tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from alerts.channels import Accepted, Capabilities, Channel, Message
from alerts.errors import SendError

Answer = Accepted | BaseException | Callable[[], None]


class Carrier(Channel):
    """`answers` come one by one, the last for ever: what it raises or returns, or what is done before it accepts.

    `taken` is what it accepted, `calls` every message it was handed, `together` how many in each call. `whole` is what
    the next call comes to as a whole. `looked_up` is what a look-up says or raises.
    """

    name = "carrier"
    carries = frozenset({"email", "sms", "alimtalk"})
    can: ClassVar[Capabilities]
    answers: ClassVar[list[Answer]]
    taken: ClassVar[list[Message]]
    calls: ClassVar[list[Message]]
    together: ClassVar[list[int]]
    whole: ClassVar[list[SendError]]
    looked_up: ClassVar[Accepted | Exception | None]
    looks: ClassVar[list[UUID]]

    @classmethod
    def fresh(cls) -> type[Carrier]:
        return type(
            "FreshCarrier",
            (cls,),
            {"can": can(), "answers": [], "looked_up": None}
            | {name: [] for name in ("taken", "calls", "together", "whole", "looks")},
        )

    @classmethod
    def capabilities(cls, channel: str) -> Capabilities:
        return cls.can

    def send(self, message: Message) -> Accepted:
        self.calls.append(message)
        answer = (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]) if self.answers else Accepted()
        if isinstance(answer, BaseException):
            raise answer
        if not isinstance(answer, Accepted):
            answer()
            answer = Accepted()
        self.taken.append(message)
        return answer if answer.provider_id else Accepted("200", "", f"no-{len(self.taken)}")

    def send_all(self, messages: Sequence[Message]) -> list[Accepted | SendError]:
        self.together.append(len(messages))
        if self.whole:
            return [self.whole.pop(0)] * len(messages)
        answers: list[Accepted | SendError] = []
        for message in messages:
            try:
                answers.append(self.send(message))
            except SendError as error:
                answers.append(error)
        return answers

    def look_up(self, key: UUID, *, to: str = "") -> Accepted | None:
        self.looks.append(key)
        if isinstance(self.looked_up, Exception):
            raise self.looked_up
        return self.looked_up

    def close(self) -> None:
        pass


def can(**more: Any) -> Capabilities:
    """What a transport can: a call takes at most five seconds, and after an unknown outcome it sends nothing again."""
    usual: dict[str, Any] = {"longest_call": timedelta(seconds=5), "send_again_after_unknown": False, "reports": True}
    return Capabilities(**usual | more)
