"""Addresses that nobody writes to any more: they bounced for good, or somebody complained.

A suppression names its address in lower case while a contact has it. When the last one is erased, only the address's
trace stays in its place (`traces`); with that the address is known again when somebody enters it anew.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from alerts.addresses import traces
from alerts.errors import BadInput
from alerts.models import Contact, ProviderEvent, SideMessage, Suppression
from alerts.models.contact import Channel
from ledger.actors import Actor

logger = logging.getLogger(__name__)

LONGEST_NOTE = 200
WHY_OF: dict[str, str] = {  # the reports that end an address
    ProviderEvent.Kind.BOUNCED: Suppression.Why.HARD_BOUNCE,
    ProviderEvent.Kind.COMPLAINED: Suppression.Why.COMPLAINT,
}


def add(*, channel: str, address: str, why: str, now: datetime, note: str = "") -> Suppression:
    """Suppress an address, whoever has it. One that is suppressed already stays so, since when it is; only a bounce
    gives way to another reason. Raises BadInput."""
    address = _checked(channel, address)
    if why not in Suppression.Why.values:
        raise BadInput(_("There is no such reason."), field="why")
    if len(note) > LONGEST_NOTE:
        raise BadInput(_("A note has at most 200 characters."), field="note")
    with transaction.atomic():
        traces.hold(address)
        remember(channel=channel, address=address)
        return _standing(channel, address, why, now, note)


def add_erased(*, channel: str, trace: str, why: str, now: datetime, note: str = "") -> Suppression:
    """Suppress an address that nobody has any more, by its trace: it counts when somebody enters it. Hold first."""
    return _standing(channel, f"{traces.MARK}{trace}", why, now, note)


def add_traced(*, channel: str, trace: str, member_id: int, why: str, now: datetime, note: str = "") -> Suppression:
    """Suppress the address with this trace, to which a message of this member went, whatever is entered by now.

    Where anybody has it still, or again, as `add`; otherwise as `add_erased`. Raises BadInput as `add`.
    """
    with transaction.atomic():
        traces.hold_trace(trace)
        address = _address_of(channel, trace, member_id)
        if address:
            return add(channel=channel, address=address, why=why, now=now, note=note)
        return add_erased(channel=channel, trace=trace, why=why, now=now, note=note)


def _address_of(channel: str, trace: str, member_id: int) -> str:
    """The address with this trace, if anybody has it; else an empty string. Of those to whom a version before gave no
    trace, only this member's are looked at."""
    has_it = Contact.objects.filter(channel=channel, address_trace=trace).first()
    if has_it:
        return has_it.address
    theirs = Contact.objects.filter(member=member_id, channel=channel).values_list("address", flat=True)
    return next((address for address in theirs if traces.trace(address) == trace), "")


def stop(*, channels: Sequence[str], address: str, by: Actor, why: str, now: datetime) -> list[Suppression]:
    """Staff suppress an address by hand on these channels, whoever has it; what nobody has, by its trace alone.

    Returns those that are new, and bounces that now stand by hand. Raises BadInput: it is no address; no reason of at
    most LONGEST_NOTE letters; on all these channels it is stopped by hand already, or somebody complained.
    """
    why = " ".join(why.split())
    if not why or len(why) > LONGEST_NOTE:
        raise BadInput(_("Say why, in at most %(number)d letters.") % {"number": LONGEST_NOTE}, field="why")
    kept = address.strip().lower()
    for channel in channels:
        _checked(channel, kept)
    with transaction.atomic():
        traces.hold(kept)
        stopped = [row for channel in channels if (row := _stop(channel, kept, why, now))]
        if not stopped:
            raise BadInput(_("Nothing is sent to this address already: it is suppressed."), field="address")
    for row in stopped:
        logger.info("suppression %s was made by %s", row.pk, by)
    return stopped


def _stop(channel: str, address: str, why: str, now: datetime) -> Suppression | None:
    """Suppress it by hand on one channel; None: by hand or by a complaint it is. Hold it first."""
    standing = Suppression.objects.filter(channel=channel, lifted_at=None)
    is_named = standing.filter(address=address).exists() or who_has(channel, address)
    known = standing.filter(address=address if is_named else traces.marked(address))
    if known.exclude(why=Suppression.Why.HARD_BOUNCE).exists():
        return None
    if is_named:
        return add(channel=channel, address=address, why=Suppression.Why.BY_HAND, now=now, note=why)
    trace = traces.trace(address)
    return add_erased(channel=channel, trace=trace, why=Suppression.Why.BY_HAND, now=now, note=why)


def _checked(channel: str, address: str) -> str:
    """The address as suppressions name it."""
    if channel not in Channel.values:
        raise BadInput(_("There is no such channel."), field="channel")
    address = address.strip().lower()
    if not address or len(address) > 254:
        raise BadInput(_("This is no address."), field="address")
    return address


def _standing(channel: str, address: str, why: str, now: datetime, note: str) -> Suppression:
    """The suppression that stands for it, or a new one."""
    found, made = Suppression.objects.get_or_create(
        channel=channel, address=address, lifted_at=None, defaults={"why": why, "at": now, "note": note}
    )
    if not made and found.why == Suppression.Why.HARD_BOUNCE != why:
        found.why, found.note = why, note  # a code may end a bounce, and must not end a complaint with it
        found.save(update_fields=["why", "note"])
    return found


def is_unwanted(address: str) -> bool:
    """Whether somebody complained of messages to it, on any channel, or staff stopped it: no code mends that."""
    stands = Suppression.objects.filter(address__in=[address.lower(), traces.marked(address)], lifted_at=None)
    return stands.exclude(why=Suppression.Why.HARD_BOUNCE).exists()


def lift(*, suppression: Suppression, now: datetime) -> None:
    """Write to the address again: the suppression stays on record, and what a provider refused before is forgotten.

    Raises BadInput: it is lifted already.
    """
    with transaction.atomic():
        if not Suppression.objects.filter(pk=suppression.pk, lifted_at=None).update(lifted_at=now):
            raise BadInput(_("It is lifted already."), field="suppression")
        Contact.objects.filter(channel=suppression.channel, address__iexact=suppression.address).update(refused_at=None)


def arrived(*, channel: str, address: str, now: datetime) -> None:
    """A message came through after all: an address that had bounced is written to again. A complaint stands."""
    stands = Suppression.objects.filter(channel=channel, address=address.lower(), lifted_at=None)
    for suppression in stands.filter(why=Suppression.Why.HARD_BOUNCE):
        lift(suppression=suppression, now=now)


def remember(*, channel: str, address: str) -> None:
    """The address is entered, again perhaps: what kept its trace knows it once more. Hold it first."""
    erased = Suppression.objects.filter(channel=channel, address=traces.marked(address))
    if Suppression.objects.filter(channel=channel, address=address.lower(), lifted_at=None).exists():
        erased.filter(lifted_at=None).delete()  # one that stands is enough
    erased.update(address=address.lower())
    sent = SideMessage.objects.filter(channel=channel, address_trace=traces.trace(address), contact=None)
    if sent.exists():
        sent.update(contact=who_has(channel, address))


def forget(*, channel: str, address: str) -> None:
    """The address was erased: unless another contact has it, only its trace is kept. Hold it first."""
    other = who_has(channel, address)
    SideMessage.objects.filter(channel=channel, address_trace=traces.trace(address)).update(contact=other)
    if other is None:
        named = Suppression.objects.filter(channel=channel, address=address.lower())
        if Suppression.objects.filter(channel=channel, address=traces.marked(address), lifted_at=None).exists():
            named.filter(lifted_at=None).delete()  # as above
        named.update(address=traces.marked(address))


def who_has(channel: str, address: str) -> Contact | None:
    """The first contact with this address, whosever it is."""
    return Contact.objects.filter(channel=channel, address__iexact=address).order_by("pk").first()
