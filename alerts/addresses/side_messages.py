"""Messages that are no deliveries, codes and tests: what providers report of them is known, and stops their address.

Without this a report about a code would look like one about nothing of ours, and a complaint about it would be lost.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction

from alerts.addresses import suppressions, traces
from alerts.channels import reading
from alerts.models import Contact, ProviderEvent, SideMessage

KEPT = timedelta(days=90)  # complaints come within days, at times within weeks


def note(*, channel: str, address: str, contact: Contact | None, now: datetime) -> UUID:
    """A key for a message that is about to go to this address; `contact` has it, if anybody has.

    What is older than KEPT is cleared away.
    """
    SideMessage.objects.filter(at__lte=now - KEPT).delete()
    sent = SideMessage.objects.create(
        key=uuid4(), channel=channel, address_trace=traces.trace(address), contact=contact, at=now
    )
    return sent.key


def take_back(*, key: UUID) -> None:
    """The message provably did not leave: nobody will report of it."""
    SideMessage.objects.filter(pk=key).delete()


def reported(*, event: ProviderEvent, now: datetime) -> None:
    """What a report says of the address that a code or a test went to: after a bounce or a complaint it is suppressed.

    One about anything else says nothing.
    """
    key, why = reading.our_key(event.our_key), suppressions.WHY_OF.get(event.kind)
    sent = SideMessage.objects.filter(pk=key).first() if key and why else None
    if sent is None or why is None:
        return
    with transaction.atomic():
        traces.hold_trace(sent.address_trace)
        contact = Contact.objects.filter(side_messages=sent.pk).first()  # read while it is held
        if contact:
            suppressions.add(channel=sent.channel, address=contact.address, why=why, now=now, note=event.transport)
        else:
            suppressions.add_erased(
                channel=sent.channel, trace=sent.address_trace, why=why, now=now, note=event.transport
            )
