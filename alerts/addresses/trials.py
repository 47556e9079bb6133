"""A test message: a text as a member would get it, sent to one address that can be nobody else's.

It is no delivery of a member and never counts as a notice. Only its key is kept, so that what its provider reports of
it is known.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from alerts.addresses import contacts, side_messages, suppressions, traces
from alerts.channels import Accepted, Channels, Message, transport_of
from alerts.channels.sandbox import is_let_through
from alerts.errors import BadInput, CannotBeWritten, NotSent
from alerts.models import Contact
from alerts.models.contact import Channel
from alerts.texts.words import Text, measure
from alerts.watch import switches

MARK = "[TEST]"


def send(
    *, to: str, channel: str, language: str, text: Text, user_id: int | None, channels: Channels, now: datetime
) -> Accepted:
    """Send `text`, marked, to an address of the allow-list or a verified one of whoever signs in as `user_id`.

    Raises BadInput naming `to`: it is another address, or suppressed for more than a bounce; its transport is stopped;
    the mark makes the text too long. SendError: one of the four.
    """
    to = _allowed(to, channel, user_id)
    marked = _marked(text, channel, to)
    transport = transport_of(channel)
    if switches.transport_stopped(transport):
        rule = _("The transport “%(name)s” is stopped: no test goes out before somebody lets it go on.")
        raise BadInput(rule % {"name": transport}, field="to")
    with transaction.atomic():
        traces.hold(to)
        if suppressions.is_unwanted(to):
            raise BadInput(_("This address is suppressed for a complaint, or by hand: no test goes there."), field="to")
        key = side_messages.note(channel=channel, address=to, contact=suppressions.who_has(channel, to), now=now)
    try:
        return channels[channel].send(Message(key=key, to=to, language=language, text=marked))
    except NotSent:
        side_messages.take_back(key=key)
        raise


def _allowed(to: str, channel: str, user_id: int | None) -> str:
    try:
        address = contacts.normal(channel, to)
    except BadInput as refusal:
        raise BadInput(refusal.detail, field="to") from refusal
    own = Contact.objects.filter(member__user=user_id, channel=channel, verified=True, address__iexact=address)
    listed = bool(settings.SANDBOX_ALLOW) and is_let_through(address)  # without a list everybody is let through
    if not listed and not own.exists():
        rule = _("A test goes only to an address on the allow-list (SANDBOX_ALLOW), or to your own verified address.")
        raise BadInput(rule, field="to")
    return address


def _marked(text: Text, channel: str, to: str) -> Text:
    """With the mark in the subject, or where there is none before the text; an AlimTalk goes as it was approved."""
    if channel == Channel.EMAIL:
        return replace(text, subject=f"{MARK} {text.subject}")
    if channel == Channel.ALIMTALK:
        return text
    marked = replace(text, text=f"{MARK} {text.text}")
    try:
        measure(marked.text, channel=channel, korean_number=to.startswith("+82"))
    except CannotBeWritten as error:
        raise BadInput(error.detail, field="to") from error
    return marked
