"""Addresses of members: entering one, and learning that the mail server refuses it."""

from __future__ import annotations

from datetime import datetime

from alerts.checked import save_checked
from alerts.models import Contact
from alerts.models.contact import Channel
from ledger.models import Member


def put(
    *,
    member: Member,
    address: str,
    language: str,
    verified: bool,
    now: datetime,
    channel: Channel = Channel.EMAIL,
) -> Contact:
    """Enter an address of a member, or bring it up to date if it is there. Raises BadInput naming the field.

    `verified` says that at `now` it is known to be the member's; since when is kept, while it stays so.
    """
    address = address.strip()
    contact = Contact.objects.filter(member=member, channel=channel, address=address).first()
    contact = contact or Contact(member=member, channel=channel, address=address)
    since = contact.verified_at if contact.verified else now
    contact.language, contact.verified, contact.active = language, verified, True
    contact.verified_at = since if verified else None
    save_checked(contact)
    return contact


def refuse(*, contact: Contact, now: datetime) -> None:
    """Note that the provider refuses this address for good: it is not written to any more."""
    Contact.objects.filter(pk=contact.pk, refused_at=None).update(refused_at=now)


def usable(member_id: int, channel: str) -> Contact | None:
    """The member's address on this channel that may be written to, the oldest if there are several."""
    return Contact.objects.filter(member_id=member_id, channel=channel).usable().order_by("pk").first()
