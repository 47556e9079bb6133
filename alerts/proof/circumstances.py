"""What the ledger holds of a member's notices, and what else bore on their messages: looks only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.db.models import F, QuerySet

from alerts.addresses import traces
from alerts.models import Consent, Contact, Delivery, Suppression
from alerts.proof.readers import Reader
from ledger.effects import UNTOLD
from ledger.models import Account, Entry, Extension, Notice

MOST = 200  # words and suppressions on one sheet, the newest first: nobody has said more


@dataclass(frozen=True, slots=True)
class Noted:
    """A notice in the ledger, or a waiver with its reason in words, and its withdrawal, if there was one."""

    seq: int
    at: datetime
    expires_at: datetime
    expires_on: date
    told_on: date
    channel: str
    evidence: str
    waiver: str
    waiver_said: str
    lots: list[int]
    by: str
    withdrawn_seq: int | None
    withdrawn_at: datetime | None
    withdrawn_why: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Lots of one date that were given another; `untold`: because nobody was told in time."""

    seq: int
    at: datetime
    was: datetime | None
    until: datetime | None
    lots: list[int]
    untold: bool
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Word:
    """A yes or a no of the member."""

    at: datetime
    channel_said: str
    purpose: str
    purpose_said: str
    given: bool
    source: str
    by: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """An address of the member that is not, or was not, written to; empty: it was erased."""

    at: datetime
    lifted_at: datetime | None
    channel_said: str
    address: str
    said: str
    note: str


@dataclass(frozen=True, slots=True)
class Address:
    """An address of the member as it is on file now."""

    channel_said: str
    address: str
    language: str
    verified_at: datetime | None
    active: bool
    refused_at: datetime | None


def notices(account: Account, dates: Collection[datetime], *, reader: Reader) -> list[Noted]:
    """The notices and waivers of these dates in the order of the ledger; `notice_of_a_date` serves. Two statements."""
    rows = Notice.objects.filter(account=account, expires_at__in=dates).select_related("entry").order_by("entry__seq")
    found = list(rows)
    undone = Entry.objects.filter(account=account, undoes_seq__in=[row.entry.seq for row in found])
    withdrawn = {entry.undoes_seq: entry for entry in undone}
    return [_noted(row, withdrawn.get(row.entry.seq), reader) for row in found]


def _noted(row: Notice, withdrawal: Entry | None, reader: Reader) -> Noted:
    return Noted(
        seq=row.entry.seq,
        at=row.entry.effective_at,
        expires_at=row.expires_at,
        expires_on=row.expires_on,
        told_on=row.told_on,
        channel=row.channel,
        evidence=row.evidence,
        waiver=row.waiver,
        waiver_said=str(row.get_waiver_display()),
        lots=row.lots,
        by=reader.actor(row.entry.actor),
        withdrawn_seq=withdrawal.seq if withdrawal else None,
        withdrawn_at=withdrawal.effective_at if withdrawal else None,
        withdrawn_why=withdrawal.reason if withdrawal else "",
    )


def moves(account: Account, dates: Collection[datetime], *, reader: Reader) -> list[Moved]:
    """The extensions of points that would have gone at these dates, in the order of the ledger. One statement."""
    rows = moved(account).filter(was__in=dates).select_related("entry").order_by("entry__seq", "was", "until", "lot")
    return [
        Moved(
            seq=entry.seq,
            at=entry.effective_at,
            was=was,
            until=until,
            lots=[row.lot_id for row in group],
            untold=entry.reference == UNTOLD,
            reason=entry.reason,
            by=reader.actor(entry.actor),
        )
        for (entry, was, until), group in groupby(rows, key=lambda row: (row.entry, row.was, row.until))
    ]


def moved(account: Account) -> QuerySet[Extension]:
    """What gave points of this account another date. What activity moved left no row, and is not here."""
    return Extension.objects.filter(lot__account=account, was__isnull=False).exclude(until=F("was"))


def words(account: Account, *, reader: Reader) -> list[Word]:
    """What the member said yes and no to, the newest first."""
    rows = Consent.objects.filter(member_id=account.member_id).order_by("-pk")[:MOST]
    return [
        Word(
            at=row.at,
            channel_said=row.get_channel_display(),
            purpose=row.purpose,
            purpose_said=row.get_purpose_display(),
            given=row.given,
            source=row.source,
            by=reader.actor(row.actor),
        )
        for row in rows
    ]


def addresses(account: Account) -> list[Contact]:
    """The member's addresses as they are on file now."""
    return list(Contact.objects.filter(member_id=account.member_id).order_by("channel", "pk")[:MOST])


def shown(contact: Contact, *, reader: Reader) -> Address:
    """An address as the reader may see it."""
    return Address(
        channel_said=contact.get_channel_display(),
        address=reader.address(contact.address),
        language=contact.language,
        verified_at=contact.verified_at,
        active=contact.active,
        refused_at=contact.refused_at,
    )


def stops(account: Account, contacts: Collection[Contact], *, reader: Reader) -> list[Stopped]:
    """The suppressions of these addresses, and of erased ones that messages of the account went to; lifted ones, too,
    the newest first. An erased one is known by its trace alone, and has no address here. Two statements.

    Of an address that was erased before anything was sent to it none is found: nothing says whose it was.
    """
    sent = Delivery.objects.filter(reminder__account=account).exclude(address_trace="")
    written_to = sent.values_list("channel", "address_trace").distinct()
    known = {(channel, f"{traces.MARK}{trace}") for channel, trace in written_to}
    known |= {(contact.channel, contact.address.lower()) for contact in contacts}
    found = Suppression.objects.filter(address__in={address for _, address in known}).order_by("-pk")
    rows = [row for row in found[:MOST] if (row.channel, row.address) in known]
    return [
        Stopped(
            at=row.at,
            lifted_at=row.lifted_at,
            channel_said=row.get_channel_display(),
            address="" if row.address.startswith(traces.MARK) else reader.address(row.address),
            said=row.get_why_display(),
            note=reader.note(row.note),
        )
        for row in rows
    ]
