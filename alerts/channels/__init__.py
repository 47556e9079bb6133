"""Channels are ways of telling; each is carried by a transport, that is a provider: which one, the settings say."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from django.conf import settings

from alerts.channels.anymail import AnymailChannel
from alerts.channels.base import Accepted, Capabilities, Channel, Hook, Kind, Message, Report
from alerts.channels.email import EmailChannel
from alerts.channels.nhn import NhnChannel
from alerts.channels.sandbox import AllowListed, SandboxChannel, is_let_through
from alerts.channels.solapi import SolapiChannel
from alerts.channels.twilio import TwilioChannel
from alerts.errors import UnknownChannel, UnknownTransport
from alerts.phones import KOREA

TRANSPORTS: dict[str, type[Channel]] = {
    transport.name: transport
    for transport in (EmailChannel, AnymailChannel, SolapiChannel, NhnChannel, TwilioChannel, SandboxChannel)
}


def transport_of(channel: str) -> str:
    """The name of the transport that carries a channel. Raises UnknownChannel."""
    if channel not in settings.TRANSPORTS:
        raise UnknownChannel(field="channel")
    name: str = settings.TRANSPORTS[channel]
    return name


def _class_of(channel: str) -> type[Channel]:
    transport = TRANSPORTS.get(transport_of(channel))
    if transport is None or channel not in transport.carries:
        raise UnknownTransport(field="transport")
    return transport


def capabilities_of(channel: str) -> Capabilities:
    """What the transport of a channel can do, at the rate of our contract. Raises UnknownChannel, UnknownTransport."""
    transport = _class_of(channel)
    can = transport.capabilities(channel)
    rate = settings.MESSAGES_A_SECOND.get(transport.name)
    return replace(can, rate=rate) if rate else can


def countries_of(channel: str) -> frozenset[str] | None:
    """The calling codes of the numbers that the transport of a channel carries, as +82.

    None: all; or the channel has no transport yet, which the checks say, and then nobody knows.
    """
    try:
        return capabilities_of(channel).countries
    except (UnknownChannel, UnknownTransport):
        return None


def carries(channel: str, address: str) -> bool:
    """Whether the transport of a channel carries to this address. No calling code is the beginning of another one."""
    countries = countries_of(channel)
    return countries is None or address.startswith(tuple(countries))


def carries_abroad(channel: str) -> bool:
    """Whether it carries to numbers outside Korea, where the length of a text counts in another way."""
    countries = countries_of(channel)
    return countries is None or not countries <= {f"+{KOREA}"}


def tells(transport: str, address: str) -> bool:
    """Whether what this transport takes for this address comes to a person: what the sandbox keeps tells nobody.

    Only where `SANDBOX_TELLS` says so, for a demo and for staging, does the sandbox stand for the member.
    """
    if settings.SANDBOX_TELLS:
        return True
    return transport != SandboxChannel.name and is_let_through(address)


def open_channel(channel: str) -> Channel:
    """A connection that carries a channel, behind the allow-list where there is one."""
    opened = _class_of(channel)(channel)
    return AllowListed(opened) if settings.SANDBOX_ALLOW else opened


class Channels:
    """The channels of one tick: each is opened when the first message needs it, and closed at the end."""

    def __init__(self) -> None:
        self._open: dict[str, Channel] = {}
        self._stack = ExitStack()

    def __getitem__(self, channel: str) -> Channel:
        if channel not in self._open:
            self._open[channel] = self._stack.enter_context(open_channel(channel))
        return self._open[channel]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


__all__ = [
    "TRANSPORTS",
    "Accepted",
    "Capabilities",
    "Channel",
    "Channels",
    "Hook",
    "Kind",
    "Message",
    "Report",
    "capabilities_of",
    "carries",
    "carries_abroad",
    "countries_of",
    "open_channel",
    "transport_of",
]
