"""Extending lots by hand, in three steps: a form, a preview of what will change, and the act.

The token is made when the form is first shown and is part of the act's key, so a second click is a replay and
moves nothing twice. The lots to move are settled by the preview and sent with the confirmation.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ledger import extensions
from ledger.actors import Actor
from ledger.admin.refusals import said
from ledger.errors import EarlierDate, LedgerError
from ledger.extensions import Extended, Planned
from ledger.inputs import LONGEST
from ledger.models import Account

if TYPE_CHECKING:
    from ledger.admin.lot import LotAdmin


class ExtendForm(forms.Form):
    """What staff enter, and what one step hands to the next."""

    lots = forms.CharField(widget=forms.HiddenInput)
    token = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput)
    until = forms.DateField(
        label=gettext_lazy("New last day"),
        help_text=gettext_lazy("The last day on which the points can be used, in their programme's time zone."),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("It stays in the ledger, and the member reads it in their history."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )

    def clean_lots(self) -> list[int]:
        text = self.cleaned_data["lots"]
        if not re.fullmatch(r"[0-9]{1,18}(,[0-9]{1,18})*", text):
            raise forms.ValidationError(_("The list of lots is damaged; please begin again from the list."))
        return [int(number) for number in text.split(",")]

    def clean_until(self) -> date:
        until: date = self.cleaned_data["until"]
        if until > (timezone.now() + timedelta(days=LONGEST)).date():
            raise forms.ValidationError(_("The new last day can lie at most a hundred years ahead."))
        return until

    def clean_reason(self) -> str:
        """One line: what the ledger keeps of a person's words has no line breaks."""
        return " ".join(self.cleaned_data["reason"].split())


def begin(admin: LotAdmin, request: HttpRequest, chosen: QuerySet) -> HttpResponse | None:
    """Step one: the form, for the lots that were ticked in the list."""
    lots = list(chosen.order_by("pk").values_list("pk", flat=True)[: extensions.MOST_LOTS + 1])
    if len(lots) > extensions.MOST_LOTS:
        said = _("At most %(number)d lots can be extended at once. Please narrow the list.")
        admin.message_user(request, said % {"number": extensions.MOST_LOTS}, messages.ERROR)
        return None
    form = ExtendForm(initial={"lots": ",".join(map(str, lots)), "token": secrets.token_hex(16)})
    return _form_page(admin, request, form, len(lots))


def proceed(admin: LotAdmin, request: HttpRequest) -> HttpResponse:
    """Steps two and three: preview what was entered, or do what was previewed."""
    if not admin.has_extend_permission(request):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseRedirect(_list_url())
    form = ExtendForm(request.POST)
    if not form.is_valid():
        return _form_page(admin, request, form, _number_of_lots(form))
    if "edit" in request.POST:
        return _form_page(admin, request, ExtendForm(initial=request.POST.dict()), _number_of_lots(form))
    try:
        if "confirm" in request.POST:
            return _confirm(admin, request, form)
        return _preview(admin, request, form)
    except LedgerError as error:
        form.add_error(error.field if error.field in form.fields else None, said(error))
        return _form_page(admin, request, form, _number_of_lots(form))


def _preview(admin: LotAdmin, request: HttpRequest, form: ExtendForm) -> HttpResponse:
    entered = form.cleaned_data
    planned = extensions.preview(lots=entered["lots"], until=entered["until"], now=timezone.now())
    moving = [plan for plan in planned if not plan.refusal]
    lots = ",".join(str(plan.lot.pk) for plan in moving)
    data = {"lots": lots, "token": entered["token"], "until": entered["until"], "reason": entered["reason"]}
    context = {
        "title": _("Extend: what will change"),
        "moving": moving,
        "staying": [(plan, _why(plan, plan.refusal)) for plan in planned if plan.refusal],
        "accounts": len({plan.lot.account_id for plan in moving}),
        "points": sum(plan.lot.remaining for plan in moving),
        "told_again": any(plan.lot.notice_days for plan in moving),
        "confirm": ExtendForm(initial=data),
        "again": ExtendForm(initial=request.POST.dict()),
        "entered": entered,
    }
    return _page(admin, request, "admin/ledger/lot/extend_preview.html", context)


def _why(plan: Planned, refusal: LedgerError) -> str:
    if isinstance(refusal, EarlierDate) and plan.was is None:
        return _("Points without a last day cannot be extended.")
    return said(refusal)


def _confirm(admin: LotAdmin, request: HttpRequest, form: ExtendForm) -> HttpResponse:
    entered = form.cleaned_data
    done = extensions.extend_many(
        lots=entered["lots"],
        until=entered["until"],
        now=timezone.now(),
        key=f"admin:{entered['token']}",
        by=Actor("staff", str(request.user.pk)),
        reason=entered["reason"],
    )
    _tell(admin, request, done)
    return HttpResponseRedirect(_list_url())


def _tell(admin: LotAdmin, request: HttpRequest, done: Extended) -> None:
    if done.accounts:
        lots = ngettext("%(number)d lot", "%(number)d lots", done.lots) % {"number": done.lots}
        accounts = ngettext("%(number)d account", "%(number)d accounts", done.accounts) % {"number": done.accounts}
        text = _("The last day of %(lots)s in %(accounts)s was moved.") % {"lots": lots, "accounts": accounts}
        if done.replayed:
            text += " " + _("This had been done before: nothing was moved twice.")
        admin.message_user(request, text, messages.SUCCESS)
    members = Account.objects.select_related("member").in_bulk([account for account, _why in done.refused])
    for account, why in done.refused:
        member = members[account].member if account in members else account
        text = _("Nothing was moved for member %(member)s: %(why)s") % {"member": member, "why": said(why)}
        admin.message_user(request, text, messages.ERROR)


def _form_page(admin: LotAdmin, request: HttpRequest, form: ExtendForm, number: int) -> HttpResponse:
    context = {"title": _("Extend: new last day"), "form": form, "number": number}
    return _page(admin, request, "admin/ledger/lot/extend_form.html", context)


def _page(admin: LotAdmin, request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    return TemplateResponse(
        request,
        template,
        {**admin.admin_site.each_context(request), "opts": admin.opts, "list_url": _list_url(), **context},
    )


def _number_of_lots(form: ExtendForm) -> int:
    lots: Sequence[int] = getattr(form, "cleaned_data", {}).get("lots", ())
    return len(lots)


def _list_url() -> str:
    return reverse("admin:ledger_lot_changelist")
