"""The sandbox keeps messages instead of sending them; with an allow-list it lets the named addresses through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings

from alerts.channels.base import Accepted, Capabilities, Channel, Message
from alerts.errors import SendError
from alerts.models import Delivery, SandboxMessage

KEPT = "kept"
FOR_EVER = timedelta(days=36_500)


def is_let_through(address: str) -> bool:
    """Whether the allow-list, where there is one, names this address."""
    allowed = {each.casefold() for each in settings.SANDBOX_ALLOW}
    return not allowed or address.casefold() in allowed


def keep(channel: str, message: Message) -> Accepted:
    """Keep a message as a row, once for its key."""
    delivery = Delivery.objects.filter(pk=message.key).first()
    kept, _made = SandboxMessage.objects.get_or_create(
        key=message.key,
        defaults={
            "delivery": delivery,
            "channel": channel,
            "to": message.to,
            "subject": message.text.subject[:200],
            "text": message.text.text,
            "html": message.text.html,
            "at": datetime.now(UTC),
        },
    )
    return Accepted(KEPT, provider_id=str(kept.pk))


def kept(key: UUID) -> Accepted | None:
    """What the sandbox holds under a key."""
    found = SandboxMessage.objects.filter(key=key).first()
    return Accepted(KEPT, provider_id=str(found.pk)) if found else None


class SandboxChannel(Channel):
    """Rows for the inbox page; nothing leaves."""

    name = "sandbox"
    carries = frozenset({"email", "sms", "alimtalk"})

    @classmethod
    def capabilities(cls, channel: str) -> Capabilities:
        return Capabilities(
            longest_call=timedelta(seconds=2),  # the database's lock_timeout
            send_again_after_unknown=True,
            idempotent_for=FOR_EVER,
            can_look_up=True,
            looks_back=FOR_EVER,
        )

    def send(self, message: Message) -> Accepted:
        return keep(self.channel, message)

    def look_up(self, key: UUID, *, to: str = "") -> Accepted | None:
        return kept(key)

    def close(self) -> None:
        pass


class AllowListed(Channel):
    """A real transport behind the allow-list: everybody who is not on it is kept in the sandbox."""

    name = "sandbox"
    carries = SandboxChannel.carries

    def __init__(self, real: Channel) -> None:
        super().__init__(real.channel)
        self._real = real

    @classmethod
    def capabilities(cls, channel: str) -> Capabilities:
        raise NotImplementedError("the transport behind it has them: alerts.channels.capabilities_of")

    def send(self, message: Message) -> Accepted:
        return self._real.send(message) if is_let_through(message.to) else keep(self.channel, message)

    def send_all(self, messages: Sequence[Message]) -> list[Accepted | SendError]:
        let_through = [message for message in messages if is_let_through(message.to)]
        called = self._real.send_all(let_through) if let_through else []
        answers = dict(zip((message.key for message in let_through), called, strict=True))
        return [answers.get(message.key) or keep(self.channel, message) for message in messages]

    def prepare(self, messages: Sequence[Message]) -> Callable[[], list[Accepted | SendError]]:
        if all(is_let_through(message.to) for message in messages):
            return self._real.prepare(messages)
        return partial(self.send_all, messages)

    def look_up(self, key: UUID, *, to: str = "") -> Accepted | None:
        return kept(key) or self._real.look_up(key, to=to)

    def close(self) -> None:
        self._real.close()
