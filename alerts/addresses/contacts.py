"""Addresses of members: entering one, erasing it, and which one may be written to."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from alerts import phones
from alerts.addresses import suppressions, traces, zones
from alerts.addresses.reachable import DELIVERABLE, REACHABLE
from alerts.channels import carries, countries_of
from alerts.checked import save_checked
from alerts.errors import BadInput
from alerts.models import Contact, SandboxMessage
from alerts.models.contact import Channel
from ledger.actors import Actor
from ledger.models import Member

logger = logging.getLogger(__name__)

MOST_ADDRESSES = 10  # of a member: nobody makes the programme write to a list of strangers
TELEPHONE = (Channel.SMS, Channel.ALIMTALK)  # one number serves both


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
    number may be written as in Korea or with its country, and is kept as E.164. One that is new must be of a country
    that the channel's transport carries to. It gets the time zone of the member's oldest.
    """
    address = normal(channel, address)
    contact = Contact.objects.filter(member=member, channel=channel, address=address).first()
    if contact is None:
        must_be_carried(channel, address)
        contact = Contact(member=member, channel=channel, address=address, zone=zones.zone_of(member.pk))
    since = contact.verified_at if contact.verified else now
    contact.language, contact.verified, contact.active = language, verified, True
    contact.verified_at = since if verified else None
    _save(contact)
    return contact


def enter(*, member: Member, address: str, language: str, channel: Channel, by: Actor, now: datetime) -> Contact:
    """Enter an address that a member claims: not verified, so that it is not written to yet.

    A telephone number is entered for SMS and for AlimTalk alike, as far as their transports carry to its country.
    Raises BadInput: it is none, that of `channel` does not, it is there already, or the member has MOST_ADDRESSES.
    """
    address = normal(channel, address)
    must_be_carried(channel, address)
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=member.pk)  # of two at once the second sees the first
        there = set(Contact.objects.filter(member=member).values_list("address", flat=True))
        if address in there:
            raise BadInput(_("This address is there already."), field="address")
        if len(there) >= MOST_ADDRESSES:
            raise BadInput(
                _("You have %(most)s addresses, as many as there can be. Please remove one first.")
                % {"most": MOST_ADDRESSES},
                field="address",
            )
        for each in TELEPHONE if channel in TELEPHONE else (channel,):
            if carries(each, address):
                put(member=member, address=address, language=language, verified=False, now=now, channel=each)
        contact = Contact.objects.get(member=member, channel=channel, address=address)
    logger.info("contact %s was entered by %s", contact.pk, by)
    return contact


def normal(channel: str, address: str) -> str:
    """The address as it is kept: of an e-mail address the domain in small letters, of a telephone number E.164.

    Raises BadInput: it is no number that can receive SMS.
    """
    if channel != Channel.EMAIL:
        return phones.parse(address.strip())
    mailbox, at, domain = address.strip().rpartition("@")
    return f"{mailbox}{at}{domain.lower()}"


def must_be_carried(channel: str, address: str) -> None:
    """Look whether the channel's transport carries to this address. Raises BadInput naming `address` and the rule."""
    if not carries(channel, address):
        codes = ", ".join(sorted(countries_of(channel) or ()))
        rule = _("%(channel)s reaches only numbers that begin with %(codes)s.")
        raise BadInput(rule % {"channel": Channel(channel).label, "codes": codes}, field="address")


def not_carried(*channels: str) -> QuerySet[Contact]:
    """Contacts that would be written to, though the transport of their channel does not carry to them: it was another
    one when they were entered. Those of these channels, or of all."""
    found = Q(pk__in=[])
    for channel in channels or Channel.values:
        countries = countries_of(channel)
        if countries is not None:
            carried = Q(*(("address__startswith", code) for code in sorted(countries)), _connector=Q.OR)
            found |= Q(channel=channel) & ~carried
    return Contact.objects.usable().filter(found)


def rewrite(*, contact: Contact, now: datetime) -> None:
    """Keep a contact as staff changed its row. Raises BadInput naming the field.

    What was said of an old address, that it was refused or since when it is verified, says nothing of a new one. That
    its transport carries to it is asked of a new one: all else can be changed of one that is there.
    """
    before = Contact.objects.filter(pk=contact.pk).first()
    moved = before is not None and (before.channel, before.address) != (contact.channel, contact.address)
    if before is None or moved:
        must_be_carried(contact.channel, contact.address)
    if moved:
        contact.refused_at = None
    if before is None or moved or contact.verified != before.verified:
        contact.verified_at = now if contact.verified else None
    with transaction.atomic():
        _save(contact)
        if before is not None and moved:
            traces.hold(before.address)
            _forget(before)


def refuse(*, contact: Contact, now: datetime) -> None:
    """Note that the provider refuses this address for good: it is not written to any more.

    The address is the one that `contact` holds; where the row has another one by now, nothing is said of that.
    """
    same = Contact.objects.filter(pk=contact.pk, channel=contact.channel, address=contact.address)
    same.filter(refused_at=None).update(refused_at=now)


def erase(*, contact: Contact) -> None:
    """Erase an address. What was sent to it and what its member said about messages stays, without the address; what
    the sandbox kept for it goes.
    """
    with transaction.atomic():
        traces.hold(contact.address)
        contact.delete()
        _forget(contact)


def remove(*, contact: Contact, by: Actor) -> None:
    """Erase an address of a member on every channel that it serves them."""
    with transaction.atomic():
        for each in Contact.objects.filter(member=contact.member_id, address=contact.address):
            logger.info("contact %s was erased by %s", each.pk, by)
            erase(contact=each)


def usable(member_id: int, channel: str) -> Contact | None:
    """The member's address on this channel that may be written to with a notice, the oldest if there are several."""
    return reached([(member_id, channel)]).get((member_id, channel))


_ASKED = f"""
  FROM unnest(%s::bigint[], %s::text[]) asked (member_id, channel)
  JOIN alerts_contact contact ON contact.member_id = asked.member_id AND contact.channel = asked.channel
 WHERE {REACHABLE}
 ORDER BY contact.member_id, contact.channel, contact.id"""


def reached(asked: Collection[tuple[int, str]]) -> dict[tuple[int, str], Contact]:
    """The same for each (member id, channel) that has one."""
    found = _asked("SELECT DISTINCT ON (contact.member_id, contact.channel) contact.*", asked)
    return {(contact.member_id, contact.channel): contact for contact in found}


def all_reached(asked: Collection[tuple[int, str]]) -> dict[tuple[int, str], list[Contact]]:
    """All addresses that may be written to, the oldest first, for each (member id, channel) that has one."""
    found: dict[tuple[int, str], list[Contact]] = {}
    for contact in _asked("SELECT contact.*", set(asked)):
        found.setdefault((contact.member_id, contact.channel), []).append(contact)
    return found


def _asked(select: str, asked: Collection[tuple[int, str]]) -> Iterable[Contact]:
    members, channels = [member_id for member_id, _ in asked], [channel for _, channel in asked]
    return Contact.objects.raw(select + _ASKED, [members, channels])


def deliverable(member_id: int) -> list[Contact]:
    """The member's addresses that a message would reach, whatever they want; the oldest first."""
    found = Contact.objects.raw(
        f"SELECT contact.* FROM alerts_contact contact WHERE contact.member_id = %s AND {DELIVERABLE}"  # noqa: S608
        " ORDER BY contact.id",
        [member_id],
    )
    return list(found)


def _save(contact: Contact) -> None:
    """Save a row, and let the suppressions of its address know it again."""
    with transaction.atomic():
        traces.hold(contact.address)
        contact.address_trace = traces.trace(contact.address)
        save_checked(contact)
        suppressions.remember(channel=contact.channel, address=contact.address)


def _forget(contact: Contact) -> None:
    """This contact has its address no more: what keeps it beside contacts lets go of it. Hold it first."""
    SandboxMessage.objects.filter(to__iexact=contact.address).delete()
    suppressions.forget(channel=contact.channel, address=contact.address)
