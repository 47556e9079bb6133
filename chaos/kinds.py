"""The kinds of channel, one run each: what the provider can do about an outcome that nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from chaos.apps import KEYED
from chaos.fake import SIGNED, Fake
from chaos.sink import Sink


class Provider(Protocol):
    """A stand-in for a provider, with its journal: how often it took each key."""

    @property
    def taken(self) -> Mapping[str, int]: ...

    @property
    def environment(self) -> Mapping[str, str]:
        """What the line must be told to send to it."""

    @property
    def web_port(self) -> int | None:
        """Where it reports to; None: it reports nothing."""

    @property
    def faults(self) -> str:
        """What it did to the line, for people."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A channel with its transport. `exactly_once`: it knows a key again, or can be asked.

    `lease`: for how many seconds a killed worker holds a message, as short as the system check lets it be.
    """

    name: str
    channel: str
    exactly_once: bool
    lease: float
    start: Callable[[int], AbstractContextManager[Provider]]  # with the seed


# NHN without its look-up (`keyed.py`): else that would decide where the key is forgotten.
NHN = {
    KEYED: "1",
    "ALIMTALK_TRANSPORT": "nhn",
    "NHN_ALIMTALK_API_URL": "{url}",
    "NHN_ALIMTALK_APP_KEY": "app",
    "NHN_ALIMTALK_SECRET_KEY": "key",
    "NHN_SENDER_KEY": "sender",
    "NHN_SENDER": "0212345678",
    "NHN_WEBHOOK_SIGNATURE": SIGNED,
}
SOLAPI = {
    "SMS_TRANSPORT": "solapi",
    "SOLAPI_API_URL": "{url}",
    "SOLAPI_API_KEY": "key",
    "SOLAPI_API_SECRET": "secret",
    "SOLAPI_SENDER": "0212345678",
    "SOLAPI_WEBHOOK_SECRET": SIGNED,
}
KINDS = {
    kind.name: kind
    for kind in (
        Kind("smtp", "email", exactly_once=False, lease=24, start=Sink),
        Kind("key", "alimtalk", exactly_once=True, lease=34, start=lambda seed: Fake(NHN, seed)),
        Kind("look-up", "sms", exactly_once=True, lease=24, start=lambda seed: Fake(SOLAPI, seed)),
    )
}
