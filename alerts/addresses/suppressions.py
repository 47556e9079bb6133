"""Addresses that nobody writes to any more: they bounced for good, or somebody complained.

A suppression names its address in lower case while a contact has it. When the last one is erased, only the address's
trace stays in its place (`traces`); with that the address is known again when somebody enters it anew.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from alerts.addresses import traces
from alerts.errors import BadInput
from alerts.models import Contact, Suppression
from alerts.models.contact import Channel


def add(*, channel: str, address: str, why: str, now: datetime, note: str = "") -> Suppression:
    """Suppress an address, whoever has it; one that is suppressed already stays as it is. Raises BadInput."""
    if channel not in Channel.values:
        raise BadInput(_("There is no such channel."), field="channel")
    if why not in Suppression.Why.values:
        raise BadInput(_("There is no such reason."), field="why")
    address = address.strip().lower()
    if not address or len(address) > 254:
        raise BadInput(_("This is no address."), field="address")
    if len(note) > 200:
        raise BadInput(_("A note has at most 200 characters."), field="note")
    with transaction.atomic():
        traces.hold(address)
        remember(channel=channel, address=address)
        found, _made = Suppression.objects.get_or_create(
            channel=channel, address=address, lifted_at=None, defaults={"why": why, "at": now, "note": note}
        )
    return found


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
    """The address is entered, again perhaps: a suppression that kept its trace names it once more. Hold it first."""
    Suppression.objects.filter(channel=channel, address=traces.marked(address)).update(address=address.lower())


def forget(*, channel: str, address: str) -> None:
    """The address was erased: unless another contact has it, its suppressions keep only its trace. Hold it first."""
    if not Contact.objects.filter(channel=channel, address__iexact=address).exists():
        Suppression.objects.filter(channel=channel, address=address.lower()).update(address=traces.marked(address))
