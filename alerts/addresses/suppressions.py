"""Addresses that nobody writes to any more: they bounced for good, or somebody complained."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

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
