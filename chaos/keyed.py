"""A transport that knows a key again and cannot be asked: the key alone decides about an outcome that nobody knows.

No real one is like that: NHN knows keys, and is asked once a key is forgotten. So a run sends through NHN's as if it
could not be.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from alerts.channels import Accepted, Capabilities, Channel, Message
from alerts.channels.nhn import NhnChannel


class KeyedChannel(NhnChannel):
    """Carries AlimTalk to the fake of NHN, which notes a key when it takes a message and at no other time."""

    @classmethod
    def capabilities(cls, channel: str) -> Capabilities:
        return replace(super().capabilities(channel), can_look_up=False)

    def look_up(self, key: UUID, *, to: str = "") -> Accepted | None:
        """Raises Unknown."""
        return Channel.look_up(self, key, to=to)

    def _sent_before(self, message: Message) -> Accepted:
        return Accepted("key used")
