"""Is a new address the member's? A code of six digits goes there, and comes back by the member's own hand.

A code is good for ten minutes and five tries; only the newest counts, and only its keyed hash is kept. How many codes
are sent in a day is limited for an address, whoever claims it, and for a member, whatever they claim: by the member and
the address's trace, so that erasing an address and entering it anew gives no more.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts.addresses import contacts, side_messages, suppressions, traces
from alerts.channels import Channels, Message, transport_of
from alerts.errors import BadInput, NotSent, Rejected, SendError
from alerts.models import Contact, Verification
from alerts.models.contact import Channel
from alerts.texts.rendering import Text
from alerts.watch import switches
from ledger.actors import Actor
from ledger.models import Member

GOOD_FOR = timedelta(minutes=10)
MOST_TRIES = 5
# To one address and of one member in a day: more would be guessing, or a nuisance to an address's owner.
MOST_TO_ADDRESS, MOST_OF_MEMBER, IN = 5, 10, timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """An address that waits for its code; `failure`: the code could not be sent yet, or nobody knows."""

    contact: Contact
    failure: SendError | None = None


def claim(
    *, member: Member, address: str, language: str, channel: Channel, channels: Channels, by: Actor, now: datetime
) -> Claim:
    """Enter an address that a member claims, and send it a code. No transaction may be open.

    Raises BadInput naming `address`: see `contacts.enter` and `send_code`; the address is refused for good. Nothing is
    entered then.
    """
    contact = contacts.enter(member=member, address=address, language=language, channel=channel, by=by, now=now)
    try:
        send_code(contact=contact, channels=channels, now=now)
    except BadInput as refusal:
        contacts.remove(contact=contact, by=by)
        raise BadInput(refusal.detail, field="address") from refusal
    except Rejected as refusal:
        contacts.remove(contact=contact, by=by)
        raise BadInput(_("Messages to this address are refused. Is it written right?"), field="address") from refusal
    except SendError as failure:
        return Claim(contact, failure)
    return Claim(contact)


def send_code(*, contact: Contact, channels: Channels, now: datetime) -> None:
    """Send a code to the address; an earlier one counts no more. No transaction may be open.

    Raises BadInput: the address is verified already, or is suppressed for more than a bounce, which a code may prove
    wrong; its transport is stopped; too many codes were sent in a day. SendError: it could not be sent, or nobody
    knows. What provably did not leave is not counted.
    """
    if contact.verified:
        raise BadInput(_("This address is verified already."), field="contact")
    # A KakaoTalk AlimTalk carries only wordings that Kakao has approved, and goes to a telephone: SMS asks the same.
    channel = Channel.SMS if contact.channel == Channel.ALIMTALK else contact.channel
    if switches.transport_stopped(transport_of(channel)):
        raise BadInput(_("No codes are sent at the moment. Please try again later."), field="contact")
    Verification.objects.filter(sent_at__lte=now - IN).delete()
    code = f"{secrets.randbelow(1_000_000):06}"
    with transaction.atomic():
        # Of two at once, of this member or to this address, the second sees the first.
        Member.objects.select_for_update(no_key=True).get(pk=contact.member_id)
        traces.hold(contact.address)
        _look_whether_it_is_wanted(contact)
        _look_at_the_limits(contact, now)
        key = side_messages.note(channel=contact.channel, address=contact.address, contact=contact, now=now)
        verification = Verification.objects.create(
            member_id=contact.member_id,
            address_trace=traces.trace(contact.address),
            code_hash=_hash(contact, code),
            sent_at=now,
            expires_at=now + GOOD_FOR,
        )
    message = Message(key=key, to=contact.address, language=contact.language, text=_words(contact.language, code))
    try:
        channels[channel].send(message)
    except NotSent:
        verification.delete()
        side_messages.take_back(key=key)
        raise


def check(*, contact: Contact, code: str, now: datetime) -> None:
    """Take the code for proof that the address is the member's, on every channel that it serves them.

    Raises BadInput naming `code`; the try is counted.
    """
    newest = _codes(contact).order_by("-pk").first()
    # Counted before it is looked at, by one statement: tries at the same moment cannot share a number.
    counted = newest and Verification.objects.filter(
        pk=newest.pk, used_at=None, expires_at__gt=now, tries__lt=MOST_TRIES
    ).update(tries=F("tries") + 1)
    if not newest or not counted:
        rule = _("This code counts no more: it is good for ten minutes and five tries. Please ask for a new one.")
        raise BadInput(rule, field="code")
    if not constant_time_compare(newest.code_hash, _hash(contact, code.strip())):
        raise BadInput(_wrong(MOST_TRIES - newest.tries - 1), field="code")
    with transaction.atomic():
        Verification.objects.filter(pk=newest.pk).update(used_at=now)
        theirs = Contact.objects.filter(member=contact.member_id, address=contact.address, verified=False)
        for each in list(theirs):
            suppressions.arrived(channel=each.channel, address=each.address, now=now)
        theirs.update(verified=True, verified_at=now)


def _codes(contact: Contact) -> QuerySet[Verification]:
    """The codes that were sent to this address for its member."""
    return Verification.objects.filter(member=contact.member_id, address_trace=traces.trace(contact.address))


def _look_whether_it_is_wanted(contact: Contact) -> None:
    if suppressions.is_unwanted(contact.address):
        rule = _(
            "Nothing may be sent to this address: our messages there were reported as unwanted, or were stopped. "
            "Please use another one, or ask us."
        )
        raise BadInput(rule, field="contact")


def _look_at_the_limits(contact: Contact, now: datetime) -> None:
    lately = Verification.objects.filter(sent_at__gt=now - IN)
    if lately.filter(address_trace=traces.trace(contact.address)).count() >= MOST_TO_ADDRESS:
        rule = _("At most %(most)s codes a day are sent to one address. Please try again tomorrow.")
        raise BadInput(rule % {"most": MOST_TO_ADDRESS}, field="contact")
    if lately.filter(member=contact.member_id).count() >= MOST_OF_MEMBER:
        rule = _("At most %(most)s codes a day are sent for one member. Please try again tomorrow.")
        raise BadInput(rule % {"most": MOST_OF_MEMBER}, field="contact")


def _wrong(left: int) -> str:
    if left <= 0:
        return _("This is not the code that was sent, and it was the last of five tries. Please ask for a new one.")
    return ngettext(
        "This is not the code that was sent. You have %(left)s more try.",
        "This is not the code that was sent. You have %(left)s more tries.",
        left,
    ) % {"left": left}


def _hash(contact: Contact, code: str) -> str:
    """Keyed, for a million codes are soon tried; and of this member and this very address."""
    value = f"{contact.member_id}:{contact.address}:{code}"
    return salted_hmac("alerts.addresses.verifications", value, algorithm="sha256").hexdigest()


def _words(language: str, code: str) -> Text:
    with translation.override(language):
        subject = _("Your code: %(code)s") % {"code": code}
        words = _("Your code is %(code)s. It is good for ten minutes.") % {"code": code}
        return Text(subject=subject, text=f"{words}\n", html=format_html("<p>{}</p>\n", words))
