"""What a message says to one member: the day where they live, and their name, if they have one here.

The name is that of the sign-in, the only one that is known; in Korean the family name stands first, without a space.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from alerts.models import Contact
from alerts.models.contact import Channel
from alerts.texts.words import Telling, ending
from ledger.models import Member, Programme


def telling(
    *,
    programme: Programme,
    member: Member,
    contact: Contact | None,
    points: int,
    expires_at: datetime,
    now: datetime,
) -> Telling:
    """The values of a message about `points` that end at `expires_at`. Needs the member's user.

    Without a contact the day is the programme's, and the number a Korean one.
    """
    zone = ZoneInfo(contact.zone) if contact and contact.zone else programme.tz
    last_day, last_time = ending(expires_at, zone)
    return Telling(
        programme=programme.name,
        unit=programme.unit,
        points=points,
        last_day=last_day,
        days_left=(last_day - now.astimezone(zone).date()).days,
        link=f"{settings.SITE_URL}/",
        name=name_of(member, contact.language if contact else programme.language),
        last_time=last_time,
        korean_number=contact is None or contact.channel == Channel.EMAIL or contact.address.startswith("+82"),
    )


def name_of(member: Member, language: str) -> str:
    """The member's name as it is written in a language; empty: none is known."""
    user = member.user
    if user is None:
        return ""
    if language == "ko":
        return f"{user.last_name}{user.first_name}".strip()
    return user.get_full_name()
