"""How a member's addresses, words and choices read on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts import phones
from alerts.addresses import consents, contacts, states, unsubscribing
from alerts.addresses.states import Kind
from alerts.models import Contact
from alerts.models.consent import Consent, Purpose
from alerts.models.contact import Channel
from portal.reaching.forms import MESSAGES, PreferencesForm
from portal.words import day, moment

SOURCE = "portal"  # where what is said on this page was said
_SOURCES = {
    SOURCE: gettext_lazy("on this page"),
    unsubscribing.SOURCE: gettext_lazy("by the link in a message"),
}


@dataclass(frozen=True, slots=True)
class AddressLine:
    """An address as it is read; `pk` names it in links."""

    pk: int
    kind: str
    written: str
    states: list[str]
    waits: bool


@dataclass(frozen=True, slots=True)
class Box:
    """One choice, and what the member said of it last."""

    field: forms.BoundField
    last_word: str


@dataclass(frozen=True, slots=True)
class Choices:
    channel: str
    boxes: list[Box]


def address_lines(member_id: int, zone: ZoneInfo) -> list[AddressLine]:
    """The member's addresses, each with its states in words, and its zone where they are not all in the same."""
    found = states.addresses_of(member_id)
    differ = len({each.contact.zone for each in found}) > 1
    return [
        AddressLine(
            pk=each.contact.pk,
            kind=_("E-mail address") if each.contact.channel == Channel.EMAIL else _("Mobile number"),
            written=written(each.contact),
            states=[
                *(_state(state, each, zone) for state in each.states),
                *([_("Its time zone: %(zone)s.") % {"zone": each.contact.zone or zone.key}] if differ else []),
            ],
            waits=each.waits,
        )
        for each in found
    ]


def written(contact: Contact) -> str:
    """The address as people write it."""
    return contact.address if contact.channel == Channel.EMAIL else phones.readable(contact.address)


def _state(state: states.State, address: states.Address, zone: ZoneInfo) -> str:
    on = day(state.since.astimezone(zone).date()) if state.since else ""
    words = _STATES[state.kind](on)
    if state.channels == address.channels:
        return words
    channels = ", ".join(str(Channel(channel).label) for channel in state.channels)
    return _("%(channels)s: %(words)s") % {"channels": channels, "words": words}


def _verified(on: str) -> str:
    return _("Verified since %(day)s.") % {"day": on} if on else _("Verified.")


def _bounced(on: str) -> str:
    words = _(
        "Does not arrive any more: since %(day)s its provider sends our messages back. If it works again, remove it "
        "and add it anew."
    )
    return words % {"day": on}


def _complained(on: str) -> str:
    words = _(
        "Not written to any more: on %(day)s a message to it was reported as unwanted. Customer service can change "
        "that."
    )
    return words % {"day": on}


_STATES: dict[Kind, Callable[[str], str]] = {
    Kind.WAITING: lambda on: _("Waits for the code that was sent there. Until then nothing else is sent to it."),
    Kind.VERIFIED: _verified,
    Kind.BOUNCED: _bounced,
    Kind.COMPLAINED: _complained,
    Kind.STOPPED: lambda on: (
        _("Not written to any more since %(day)s. Customer service can tell you why.") % {"day": on}
    ),
    Kind.UNUSED: lambda on: _("Not in use. Customer service can tell you why."),
}


def choices(form: PreferencesForm, words: consents.Words, zone: ZoneInfo, now: datetime) -> list[Choices]:
    """The boxes of the form by channel, each with the last word."""
    return [
        Choices(
            str(channel.label),
            [
                Box(form.box(channel, purpose), last_word(words.get((channel, purpose)), purpose, zone, now))
                for purpose in Purpose
            ],
        )
        for channel in Channel
    ]


def last_word(word: Consent | None, purpose: str, zone: ZoneInfo, now: datetime) -> str:
    """When and where the member said what, or what goes without a word."""
    if word is None and purpose == Purpose.NOTICE:
        return _("You have not said anything about these: they are sent.")
    if word is None:
        return _("You have not said anything about these: they are not sent.")
    said = {
        "moment": moment(word.at.astimezone(zone)),
        "where": _SOURCES.get(word.source, word.source),
        "day": day(consents.ends_at(word.at).astimezone(zone).date()),
    }
    if not word.given:
        return _("You said no on %(moment)s, %(where)s.") % said
    if purpose != Purpose.NOTICE and now >= consents.ends_at(word.at):
        return _("You said yes on %(moment)s, %(where)s; that ended on %(day)s.") % said
    return _("You said yes on %(moment)s, %(where)s.") % said


def to_confirm(words: consents.Words, zone: ZoneInfo, now: datetime) -> list[str]:
    """The consents that ended or end soon, in words."""
    lines = []
    for due in consents.to_confirm(words, now=now):
        said = {
            "messages": MESSAGES[Purpose(due.purpose)],
            "channel": Channel(due.channel).label,
            "given": day(due.given_at.astimezone(zone).date()),
            "day": day(due.ends_at.astimezone(zone).date()),
        }
        ended = _("%(messages)s · %(channel)s: you agreed on %(given)s; that ended on %(day)s.")
        ends = _("%(messages)s · %(channel)s: you agreed on %(given)s; that ends on %(day)s.")
        lines.append((ended if due.ends_at <= now else ends) % said)
    return lines


def is_the_last(contact: Contact, *, now: datetime) -> bool:
    """Whether notices reach the member at this address, and would at no other once it is gone."""
    words = consents.newest_words(contact.member_id)
    reached = {
        each.address
        for each in contacts.deliverable(contact.member_id)
        if consents.wanted(words, each.channel, Purpose.NOTICE, now=now)
    }
    return reached == {contact.address}
