"""What members said, in the admin: facts to look at, and a page on which the help desk records what somebody said on
the telephone, or wrote. A no that ends all notices asks whether the member knows what it means, as their own page does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from alerts.addresses import consents, contacts
from alerts.admin.operations import OperatedAdmin
from alerts.admin.pages import ReadOnlyAdmin, as_number
from alerts.errors import BadInput
from alerts.models import Consent
from alerts.models.consent import Purpose
from alerts.models.contact import Channel
from ledger.actors import Actor
from ledger.models import Member, Programme


class SaidForm(forms.Form):
    """Who said what, and where."""

    programme = forms.ModelChoiceField(Programme.objects.order_by("code"), label=_("Programme"))
    reference = forms.CharField(label=_("Member"), max_length=100, help_text=_("The member's reference, in full."))
    channels = forms.MultipleChoiceField(
        label=_("Channels"), choices=Channel.choices, widget=forms.CheckboxSelectMultiple
    )
    purpose = forms.ChoiceField(label=_("Purpose"), choices=[("", _("Please choose")), *Purpose.choices])
    given = forms.ChoiceField(
        label=_("The member said"), choices=[("", _("Please choose")), ("yes", _("Yes")), ("no", _("No"))]
    )
    source = forms.CharField(
        label=_("Where it was said"),
        max_length=consents.LONGEST_SOURCE,
        help_text=_("For example: telephone, 12 November, call 4711. The member reads it; name no person or address."),
    )
    sure = forms.BooleanField(
        label=_("The member wants no notices at all, and knows that points may then expire without a word."),
        required=False,
        help_text=_("Needed only where this answer ends all notices."),
    )

    def __init__(self, data: Any = None, *, now: datetime, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self._now = now

    def clean_source(self) -> str:
        """One line."""
        return " ".join(self.cleaned_data["source"].split())

    def clean(self) -> None:
        if not {"programme", "reference"} <= self.cleaned_data.keys():
            return
        found = Member.objects.filter(
            programme=self.cleaned_data["programme"], reference=self.cleaned_data["reference"]
        ).first()
        if found is None:
            self.add_error("reference", _("The programme has no member with this reference."))
            return
        self.member = found
        if not self.errors and self._ends_all_notices() and not self.cleaned_data["sure"]:
            rule = _(
                "Nothing was recorded yet: after this, no notice would reach the member. Tick this box if they know "
                "that their points may then expire without a word."
            )
            self.add_error("sure", rule)

    def said(self) -> dict[tuple[str, str], bool]:
        """The answer, by channel and purpose."""
        entered = self.cleaned_data
        return {(channel, entered["purpose"]): entered["given"] == "yes" for channel in entered["channels"]}

    def _ends_all_notices(self) -> bool:
        said, words = self.said(), consents.newest_words(self.member.pk)
        after = {
            channel: said.get((channel, Purpose.NOTICE), consents.wanted(words, channel, Purpose.NOTICE, now=self._now))
            for channel in Channel.values
        }
        reached_by = {contact.channel for contact in contacts.deliverable(self.member.pk)}
        return consents.ends_all_notices(said, after=after, reached_by=reached_by)


@admin.register(Consent)
class ConsentAdmin(OperatedAdmin, ReadOnlyAdmin):
    list_display = ["member", "channel", "purpose", "given", "at", "source", "actor"]
    list_filter = ["channel", "purpose", "given"]
    list_select_related = ["member"]
    search_fields = ["=member__reference"]
    ordering = ["-pk"]
    permission = "alerts.record_consent"

    def acts_of(self, row: Consent | None) -> Sequence[tuple[str, str]]:
        url = reverse("admin:alerts_consent_record")
        if row is None:
            return [(url, _t("Record what a member said"))]
        return [(f"{url}?{urlencode({'member': row.member_id})}", _t("Record a newer word"))]

    def get_urls(self) -> list[URLPattern]:
        record = self.admin_site.admin_view(self.record_view)
        return [path("record/", record, name="alerts_consent_record"), *super().get_urls()]

    def record_view(self, request: HttpRequest) -> HttpResponse:
        """Record a yes or a no of a member on one or several channels."""
        if not self.may_act(request):
            raise PermissionDenied
        posted = request.method == "POST"
        form = SaidForm(request.POST if posted else None, initial=_of_member(request), now=timezone.now())
        if posted and form.is_valid():
            said, source = form.said(), form.cleaned_data["source"]
            act = partial(_choose, member=form.member, said=said, source=source)
            if self.try_rows(request, form, f"Recorded: {source}", act):
                self.message_user(request, _t("What the member said is on record."), messages.SUCCESS)
                return HttpResponseRedirect(self.list_url())
        explains = _(
            "It is written down with your number as staff and the time of now, from which the two years of a consent "
            "to advertising count, and cannot be changed: a newer word takes its place. A no to advertising ends that "
            "at night, too."
        )
        return self.page(request, form, title=_("Record what a member said"), explains=explains)


def _choose(
    *, member: Member, said: dict[tuple[str, str], bool], source: str, by: Actor, now: datetime
) -> list[Consent]:
    """Record it; what is wrong with the night stands at the purpose, in words for staff."""
    try:
        return consents.choose(member=member, said=said, source=source, by=by, now=now)
    except BadInput as refusal:
        for channel, purpose in said:
            if refusal.field == f"{channel}_{purpose}":
                rule = _t("%(channel)s: the member has given no consent to advertising by day. Record that first.")
                raise BadInput(rule % {"channel": Channel(channel).label}, field="purpose") from refusal
        raise


def _of_member(request: HttpRequest) -> dict[str, Any]:
    """The member from whose page the person came."""
    pk = as_number(request.GET.get("member", ""))
    found = Member.objects.filter(pk=pk).first() if pk is not None else None
    return {"programme": found.programme_id, "reference": found.reference} if found else {}
