"""How a member's addresses stand: what each waits for, since when it is proven, and why it is not written to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from alerts.models import Contact, Suppression


class Kind(StrEnum):
    WAITING = "waiting"  # for the code that was sent there
    VERIFIED = "verified"
    BOUNCED = "bounced"  # its provider refuses it for good
    COMPLAINED = "complained"  # a message to it was reported as unwanted
    STOPPED = "stopped"  # by hand
    UNUSED = "unused"  # staff took it out of use


_OF_A_SUPPRESSION = {
    Suppression.Why.HARD_BOUNCE.value: Kind.BOUNCED,
    Suppression.Why.COMPLAINT.value: Kind.COMPLAINED,
    Suppression.Why.BY_HAND.value: Kind.STOPPED,
}


@dataclass(frozen=True, slots=True)
class State:
    """`since` None: nobody noted it. `channels`: on which it is so."""

    kind: Kind
    since: datetime | None
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """An address with all channels that it serves; `contact` is its oldest row."""

    contact: Contact
    channels: tuple[str, ...]
    states: tuple[State, ...]

    @property
    def waits(self) -> bool:
        return any(state.kind == Kind.WAITING for state in self.states)


def addresses_of(member_id: int) -> list[Address]:
    """The member's addresses in the order in which they were entered, each once, however many channels it serves."""
    rows: dict[str, list[Contact]] = {}
    for contact in Contact.objects.filter(member_id=member_id).order_by("pk"):
        rows.setdefault(contact.address, []).append(contact)
    stopped = _stopped({address.lower() for address in rows})
    return [_address(contacts, stopped) for contacts in rows.values()]


def _stopped(addresses: set[str]) -> dict[tuple[str, str], Suppression]:
    """The suppressions that stand, by channel and address in lower case."""
    found = Suppression.objects.filter(address__in=addresses, lifted_at=None)
    return {(each.channel, each.address): each for each in found}


def _address(contacts: list[Contact], stopped: dict[tuple[str, str], Suppression]) -> Address:
    since: dict[Kind, datetime | None] = {}
    on: dict[Kind, list[str]] = {}
    for contact in contacts:
        for kind, at in _states(contact, stopped.get((contact.channel, contact.address.lower()))):
            since.setdefault(kind, at)
            on.setdefault(kind, []).append(contact.channel)
    states = tuple(State(kind, since[kind], tuple(on[kind])) for kind in Kind if kind in on)
    return Address(contacts[0], tuple(contact.channel for contact in contacts), states)


def _states(contact: Contact, suppression: Suppression | None) -> list[tuple[Kind, datetime | None]]:
    found = [(Kind.VERIFIED, contact.verified_at) if contact.verified else (Kind.WAITING, None)]
    if suppression:
        found.append((_OF_A_SUPPRESSION[suppression.why], suppression.at))
    elif contact.refused_at:
        found.append((Kind.BOUNCED, contact.refused_at))
    if not contact.active:
        found.append((Kind.UNUSED, None))
    return found
