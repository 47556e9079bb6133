"""Is a new address the member's? A code of six digits goes there, and comes back by the member's own hand.

A code is good for ten minutes and five tries; only the newest counts, and only its keyed hash is kept.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.html import format_html
from django.utils.translation import gettext as _

from alerts.channels import Channels, Message
from alerts.errors import BadInput
from alerts.models import Contact, Verification
from alerts.models.contact import Channel
from alerts.texts.rendering import Text

GOOD_FOR = timedelta(minutes=10)
MOST_TRIES = 5
MOST_CODES, IN = 5, timedelta(days=1)  # to one address: more would be guessing, or a nuisance to its owner


def send_code(*, contact: Contact, channels: Channels, now: datetime) -> None:
    """Send a code to the address; an earlier one counts no more. No transaction may be open.

    Raises BadInput: the address is verified already, or had MOST_CODES in a day; SendError: it could not be sent.
    """
    if contact.verified:
        raise BadInput(_("This address is verified already."), field="contact")
    code = f"{secrets.randbelow(1_000_000):06}"
    with transaction.atomic():
        Contact.objects.select_for_update().get(pk=contact.pk)  # of two at once the second sees the first
        if Verification.objects.filter(contact=contact, sent_at__gt=now - IN).count() >= MOST_CODES:
            raise BadInput(_("Too many codes were sent to this address. Please try again tomorrow."), field="contact")
        Verification.objects.create(
            contact=contact, code_hash=_hash(contact, code), sent_at=now, expires_at=now + GOOD_FOR
        )
    # A KakaoTalk AlimTalk carries only wordings that Kakao has approved, and goes to a telephone: SMS asks the same.
    channel = Channel.SMS if contact.channel == Channel.ALIMTALK else contact.channel
    message = Message(key=uuid4(), to=contact.address, language=contact.language, text=_words(contact.language, code))
    channels[channel].send(message)


def check(*, contact: Contact, code: str, now: datetime) -> None:
    """Take the code for proof that the address is the member's. Raises BadInput naming `code`; the try is counted."""
    newest = Verification.objects.filter(contact=contact).order_by("-pk").first()
    # Counted before it is looked at, by one statement: tries at the same moment cannot share a number.
    counted = newest and Verification.objects.filter(
        pk=newest.pk, used_at=None, expires_at__gt=now, tries__lt=MOST_TRIES
    ).update(tries=F("tries") + 1)
    if not newest or not counted:
        raise BadInput(_("This code counts no more. Please ask for a new one."), field="code")
    if not constant_time_compare(newest.code_hash, _hash(contact, code.strip())):
        raise BadInput(_("This is not the code that was sent."), field="code")
    with transaction.atomic():
        Verification.objects.filter(pk=newest.pk).update(used_at=now)
        Contact.objects.filter(pk=contact.pk).update(verified=True, verified_at=now)


def _hash(contact: Contact, code: str) -> str:
    """Keyed, for a million codes are soon tried; and of this very address."""
    value = f"{contact.pk}:{contact.address}:{code}"
    return salted_hmac("alerts.addresses.verifications", value, algorithm="sha256").hexdigest()


def _words(language: str, code: str) -> Text:
    with translation.override(language):
        subject = _("Your code: %(code)s") % {"code": code}
        words = _("Your code is %(code)s. It is good for ten minutes.") % {"code": code}
        return Text(subject=subject, text=f"{words}\n", html=format_html("<p>{}</p>\n", words))
