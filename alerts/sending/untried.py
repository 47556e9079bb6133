"""Which address is left for a message that follows another one on its channel: one that none before it went to.

Reads only. An address is known again by its trace, so also after its contact was changed, or erased and entered anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from alerts.addresses import contacts, traces
from alerts.models import Contact, Delivery


def went_to(delivery: Delivery, contact: Contact) -> bool:
    """Whether the last call of a message went to the address that this contact has now."""
    if not delivery.attempts:
        return False
    if delivery.address_trace:
        return delivery.address_trace == traces.trace(contact.address)
    return delivery.contact_id == contact.pk  # of calls from before traces were kept no more is known


def left(usable: Iterable[Contact], made: Sequence[Delivery]) -> Contact | None:
    """The first of these addresses to which none of these messages went; None: there is none left."""
    return next((contact for contact in usable if not any(went_to(one, contact) for one in made)), None)


def gone_before(one: Delivery, made: Iterable[Delivery]) -> list[Delivery]:
    """Those of these messages on its channel that went before this one, from the last that a person sent anew: where
    those before it went is no matter any more."""
    earlier = [other for other in made if other.resend_no < one.resend_no]
    begins = max((other.resend_no for other in (*earlier, one) if other.anew), default=0)
    return [other for other in earlier if other.resend_no >= begins]


def addresses_left(resent: Sequence[Delivery]) -> dict[UUID, Contact]:
    """For each of these messages, by its key, the address that is left for it, if there is one. Two statements.

    Needs their reminders with accounts.
    """
    whose = {one.pk: (one.reminder.account.member_id, one.channel) for one in resent}
    usable = contacts.all_reached(set(whose.values()))
    before: dict[tuple[int, str], list[Delivery]] = {}
    for one in Delivery.objects.filter(reminder__in={one.reminder_id for one in resent}):
        before.setdefault((one.reminder_id, one.channel), []).append(one)
    found = {}
    for one in resent:
        earlier = gone_before(one, before[one.reminder_id, one.channel])
        contact = left(usable.get(whose[one.pk], []), earlier)
        if contact:
            found[one.pk] = contact
    return found
