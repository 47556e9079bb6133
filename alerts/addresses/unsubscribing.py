"""One click ends the messages of a purpose on a channel (RFC 8058): links that only we can sign.

A link has no end: an old message's must work, too. So there is no time in it, and it is always the same. It lets its
holder do nothing but this, and not take it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext as _

from alerts.addresses import consents
from alerts.errors import BadInput
from alerts.models.consent import Purpose
from alerts.models.contact import Channel
from ledger.actors import Actor
from ledger.models import Member

SALT = "alerts.addresses.unsubscribing"  # a token that was signed for anything else is no token here
SOURCE = "one-click"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a link ends: the messages of a purpose to a member on a channel."""

    member_id: int
    channel: str
    purpose: str


def token(*, member_id: int, channel: str, purpose: str) -> str:
    """A signed token for one member, channel and purpose."""
    return _signer().sign_object([member_id, channel, purpose])


def link(*, member_id: int, channel: str, purpose: str) -> str:
    """The address for the header List-Unsubscribe; the page stands in the portal."""
    return f"{settings.SITE_URL}/unsubscribe/{token(member_id=member_id, channel=channel, purpose=purpose)}/"


def read(token: str) -> Scope:
    """What the token ends. Raises BadInput: it was not signed by us for this, or its member is gone."""
    try:
        member_id, channel, purpose = _signer().unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadInput(_("This link is damaged."), field="token") from error
    known = channel in Channel.values and purpose in Purpose.values
    if not known or not Member.objects.filter(pk=member_id).exists():
        raise BadInput(_("This link is damaged."), field="token")
    return Scope(member_id, channel, purpose)


def unsubscribe(*, token: str, now: datetime) -> Scope:
    """End what the token names; a second click finds it done and writes nothing. Raises BadInput as `read`."""
    scope = read(token)
    newest = consents.newest_word(scope.member_id, scope.channel, scope.purpose)
    if newest is None or newest.given:
        consents.say(
            member=Member.objects.get(pk=scope.member_id),
            channel=scope.channel,
            purpose=scope.purpose,
            given=False,
            source=SOURCE,
            by=Actor("member"),
            now=now,
        )
    return scope


def _signer() -> signing.Signer:
    return signing.Signer(salt=SALT)
