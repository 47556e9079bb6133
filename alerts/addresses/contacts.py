"""Addresses of members: entering one, erasing it, and which one may be written to."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from alerts import phones
from alerts.addresses.reachable import REACHABLE
from alerts.checked import save_checked
from alerts.errors import BadInput
from alerts.models import Contact
from alerts.models.contact import Channel
from ledger.models import Member

MOST_ADDRESSES = 10  # of a member: nobody makes the programme write to a list of strangers


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

    `verified` says that at `now` it is known to be the member's; since when is kept, while it stays so. A telephone
    number may be written as in Korea or with its country, and is kept as E.164.
    """
    address = normal(channel, address)
    contact = Contact.objects.filter(member=member, channel=channel, address=address).first()
    contact = contact or Contact(member=member, channel=channel, address=address)
    since = contact.verified_at if contact.verified else now
    contact.language, contact.verified, contact.active = language, verified, True
    contact.verified_at = since if verified else None
    save_checked(contact)
    return contact


def enter(*, member: Member, address: str, language: str, channel: Channel, now: datetime) -> Contact:
    """Enter an address that a member claims: not verified, so that it is not written to yet.

    Raises BadInput: it is none, it is there already, or the member has MOST_ADDRESSES.
    """
    there = Contact.objects.filter(member=member)
    if there.filter(channel=channel, address=normal(channel, address)).exists():
        raise BadInput(_("This address is there already."), field="address")
    if there.count() >= MOST_ADDRESSES:
        raise BadInput(_("You have as many addresses as there can be. Please remove one first."), field="address")
    return put(member=member, address=address, language=language, verified=False, now=now, channel=channel)


def normal(channel: str, address: str) -> str:
    """The address as it is kept. Raises BadInput: it is no number that can receive SMS."""
    return address.strip() if channel == Channel.EMAIL else phones.parse(address.strip())


def refuse(*, contact: Contact, now: datetime) -> None:
    """Note that the provider refuses this address for good: it is not written to any more."""
    Contact.objects.filter(pk=contact.pk, refused_at=None).update(refused_at=now)


def erase(*, contact: Contact) -> None:
    """Erase an address. What was sent to it and what its member said about messages stays, without the address."""
    contact.delete()


def usable(member_id: int, channel: str) -> Contact | None:
    """The member's address on this channel that may be written to with a notice, the oldest if there are several."""
    found = Contact.objects.raw(
        f"SELECT contact.* FROM alerts_contact contact WHERE contact.member_id = %s AND contact.channel = %s "  # noqa: S608
        f"AND {REACHABLE} ORDER BY contact.id LIMIT 1",
        [member_id, channel],
    )
    return next(iter(found), None)
