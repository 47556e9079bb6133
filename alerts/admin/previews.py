"""A template as one real member would get it now: at their address, in their zone and language, with their name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts.addresses import contacts
from alerts.addresses.tellings import telling
from alerts.admin.lengths import in_words
from alerts.errors import BadInput
from alerts.models import Contact, Template, TemplateVersion
from alerts.models.consent import Purpose
from alerts.models.contact import Channel
from alerts.texts import rendering
from alerts.texts.words import Text, Words, measure, spoken_as, write
from ledger.models import Account
from ledger.statements import expiring


@dataclass(frozen=True, slots=True)
class Preview:
    """The text and its language; `length` says what it costs, where the channel counts; `notes` what is odd."""

    text: Text
    language: str
    length: str
    notes: list[str]


class TestForm(forms.Form):
    """Where a test goes."""

    __test__ = False  # it is no test of pytest's

    to = forms.CharField(label=gettext_lazy("Send this as a test to"), max_length=254)


def preview(template: Template, reference: str, *, now: datetime) -> Preview:
    """What the member with this reference would be told of the points that go first.

    Raises BadInput: there is no such member, nothing of theirs goes; CannotBeWritten.
    """
    account = _account(template, reference)
    first = next(iter(expiring(account, at=now)), None)
    if first is None:
        raise BadInput(_("This member has no points that expire."), field="member")
    contact = _contact(account.member_id, template.channel)
    notes = [] if contact else [_("This member has no address on this channel.")]
    language = spoken_as(contact.language) if contact else template.language
    if language != template.language:
        notes.append(_("This member reads another language: these are the words of that one."))
    told = telling(
        programme=account.programme,
        member=account.member,
        contact=contact,
        points=first.points,
        expires_at=first.expires_at,
        now=now,
    )
    text = write(_words(template, language), told, channel=template.channel, language=language)
    length = ""
    if template.channel != Channel.EMAIL:
        length = in_words(measure(text.text, channel=template.channel, korean_number=told.korean_number))
    return Preview(text, language, length, notes)


def _account(template: Template, reference: str) -> Account:
    found = Account.objects.filter(programme=template.programme, member__reference=reference)
    account = None if "\0" in reference else found.select_related("programme", "member__user").first()
    if account is None:
        raise BadInput(_("There is no such member."), field="member")
    return account


def _contact(member_id: int, channel: str) -> Contact | None:
    """The address that would be written to, or else one that would not."""
    there = Contact.objects.filter(member=member_id, channel=channel).order_by("pk")
    return contacts.usable(member_id, channel) or there.first()


def _words(template: Template, language: str) -> Words:
    """The newest words for the same message in this language. Raises BadInput: there are none."""
    versions = TemplateVersion.objects.filter(
        template__programme=template.programme_id,
        template__channel=template.channel,
        template__purpose=template.purpose,
        template__language=language,
    )
    newest = versions.order_by("-number").first()
    if newest:
        return rendering.as_words(newest)
    if template.purpose != Purpose.NOTICE:
        raise BadInput(_("This member reads another language, in which there are no words yet."), field="member")
    return rendering.built_in(template.channel, language)
