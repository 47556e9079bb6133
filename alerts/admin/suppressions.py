"""Suppressed addresses in the admin: the help desk stops an address when somebody asks never to be written to there
again, and lifts a suppression when they ask for it. Both take a reason, and neither is more than a person asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from alerts.addresses import contacts, suppressions, traces
from alerts.admin.operations import OperatedAdmin, WhyForm
from alerts.admin.pages import ReadOnlyAdmin, as_number
from alerts.errors import BadInput
from alerts.models import Contact, Suppression
from alerts.models.contact import Channel
from ledger.actors import Actor

MOST_AT_ONCE = 50  # as many as a page of the list shows
MOST_OFFERED = 2 * MOST_AT_ONCE  # a number has two rows, one for SMS and one for AlimTalk


class StopForm(WhyForm):
    """An address, however it is written, and why nothing goes there any more."""

    address = forms.CharField(
        label=_("Address"), max_length=254, help_text=_("An e-mail address, or a mobile number for SMS and AlimTalk.")
    )
    field_order = ("address", "why")

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All that the address can serve."""
        return (Channel.EMAIL,) if "@" in self.cleaned_data["address"] else contacts.TELEPHONE

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        try:
            kept = contacts.normal(self.channels[0], address)
        except BadInput as refusal:
            raise ValidationError(refusal.detail) from refusal
        if Channel.EMAIL in self.channels:
            validate_email(kept)
        return kept


class LiftForm(WhyForm):
    """Which suppressions are lifted, of those that were asked for and the others of the same addresses."""

    rows = forms.ModelMultipleChoiceField(
        Suppression.objects.all(), label=_("Suppressions"), widget=forms.CheckboxSelectMultiple
    )
    field_order = ("rows", "why")

    def __init__(self, data: Any = None, *, offered: Iterable[Suppression], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        cast(forms.ModelMultipleChoiceField, self.fields["rows"]).choices = [(row.pk, _named(row)) for row in offered]


@admin.register(Suppression)
class SuppressionAdmin(OperatedAdmin, ReadOnlyAdmin):
    list_display = ["channel", "address", "why", "at", "lifted_at", "note"]
    list_filter = ["channel", "why"]
    search_fields = ["=address"]
    ordering = ["-pk"]
    actions = ["lift_chosen"]  # type: ignore[assignment]
    permission = "alerts.suppress_address"

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Also by an address that was erased: of that only the hash is there."""
        found, doubled = super().get_search_results(request, queryset, search_term)
        erased = queryset.filter(address=traces.marked(search_term.strip())) if search_term else queryset.none()
        return found | erased, doubled

    def acts_of(self, row: Suppression | None) -> Sequence[tuple[str, str]]:
        if row is None:
            return [(reverse("admin:alerts_suppression_stop"), _t("Suppress an address"))]
        return [] if row.lifted_at else [(_lift_url([row.pk]), _t("Lift"))]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("stop/", wrap(self.stop_view), name="alerts_suppression_stop"),
            path("lift/", wrap(self.lift_view), name="alerts_suppression_lift"),
        ]
        return [*own, *super().get_urls()]

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return self.may_act(request)

    @admin.action(description=_("Write to these addresses again"), permissions=["lift"])
    def lift_chosen(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> HttpResponse | None:
        """The way to the page that asks why."""
        chosen = list(queryset.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            self.message_user(request, _t("Choose at most %(most)s.") % {"most": MOST_AT_ONCE}, messages.WARNING)
            return None
        return HttpResponseRedirect(_lift_url(chosen))

    def stop_view(self, request: HttpRequest) -> HttpResponse:
        """Suppress an address by hand."""
        if not self.may_act(request):
            raise PermissionDenied
        form = StopForm(request.POST if request.method == "POST" else None, initial={"address": _of_contact(request)})
        if request.method == "POST" and form.is_valid():
            why = form.cleaned_data["why"]
            act = partial(suppressions.stop, channels=form.channels, address=form.cleaned_data["address"], why=why)
            if self.try_rows(request, form, f"Suppressed: {why}", act):
                self.message_user(request, _t("Nothing is sent to this address any more."), messages.SUCCESS)
                return HttpResponseRedirect(self.list_url())
        explains = _(
            "From now on nothing is sent to this address, on any channel and for no member who has it, until it is "
            "lifted: no reminder, no code, no test. Of an address that nobody has only a hash is kept. Who wants no "
            "notices, or no advertising, but keeps the address, says no on record under “Consents” instead."
        )
        return self.page(request, form, title=_("Suppress an address"), explains=explains)

    def lift_view(self, request: HttpRequest) -> HttpResponse:
        """Lift suppressions that stand; `rows` names them."""
        if not self.may_act(request):
            raise PermissionDenied
        posted = request.method == "POST"
        asked = _standing(request.POST.getlist("rows") if posted else request.GET.getlist("rows"))
        if not asked and not posted:
            raise Http404
        of_the_same = Suppression.objects.filter(address__in={row.address for row in asked}, lifted_at=None)
        offered = of_the_same.order_by("pk")[:MOST_OFFERED]
        initial = {"rows": [row.pk for row in asked]}
        form = LiftForm(request.POST if posted else None, offered=offered, initial=initial)
        if posted and form.is_valid():
            rows = list(form.cleaned_data["rows"])
            if self.try_rows(request, form, f"Lifted: {form.cleaned_data['why']}", partial(_lift, rows)):
                self.message_user(request, _t("These addresses are written to again."), messages.SUCCESS)
                return HttpResponseRedirect(self.list_url())
        explains = _(
            "From now on these addresses are written to again. Lift what a member stopped, or complained of, only when "
            "that member asks for it. The suppression stays on record, and its reason with it; yours stands in the "
            "history of the row."
        )
        return self.page(request, form, title=_("Lift suppressions"), explains=explains)


def _lift(rows: list[Suppression], *, by: Actor, now: datetime) -> list[Suppression]:
    """All of them or none. Who did it stands in the admin's log alone, with the reason."""
    for row in rows:
        try:
            suppressions.lift(suppression=row, now=now)
        except BadInput as refusal:
            raise BadInput(f"{row.get_channel_display()}: {refusal.detail}", field="rows") from refusal
    return rows


def _standing(keys: list[str]) -> list[Suppression]:
    """Those of these rows that stand; what can be no row's number is none."""
    numbers = [number for key in keys[:MOST_OFFERED] if (number := as_number(key)) is not None]
    return list(Suppression.objects.filter(pk__in=numbers, lifted_at=None))


def _named(row: Suppression) -> str:
    """How staff recognise a suppression."""
    address = _t("an erased address") if row.address.startswith(traces.MARK) else row.address
    since = timezone.localtime(row.at)
    said = {"channel": row.get_channel_display(), "address": address, "why": row.get_why_display()}
    return _t("%(channel)s, %(address)s: %(why)s since %(day)s") % (said | {"day": f"{since:%Y-%m-%d}"})


def _of_contact(request: HttpRequest) -> str:
    """The address of the contact from whose page the person came: no address stands in an address bar."""
    pk = as_number(request.GET.get("contact", ""))
    if pk is None or not request.user.has_perm("alerts.view_contact"):
        return ""
    return Contact.objects.filter(pk=pk).values_list("address", flat=True).first() or ""


def _lift_url(keys: list[int]) -> str:
    return f"{reverse('admin:alerts_suppression_lift')}?{urlencode({'rows': keys}, doseq=True)}"
