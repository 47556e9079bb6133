"""Two pages that only look: the evidence sheet of a member, one click from the member, the account and each contact;
and the dry run, one click from the reminders and their rules."""

from __future__ import annotations

from django import forms
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from alerts.errors import BadInput
from alerts.proof import foretelling, lines, sheet
from alerts.proof.readers import Reader
from ledger.models import Account, Programme

MAY_SEE_SHEETS = ("alerts.view_reminder", "alerts.view_delivery")
MAY_FORETELL = "alerts.view_reminder"
MOST_MESSAGES = 200  # on the page; `manage.py would_send --csv` writes them all
CSV = "text/csv; charset=utf-8"


class PeriodForm(forms.Form):
    """Which part of the sheet, and for whom."""

    since = forms.DateField(label=_("last day from"), required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=_("until"), required=False, widget=forms.DateInput({"type": "date"}))
    for_member = forms.BooleanField(label=_("a copy for the member"), required=False)
    before = forms.DateTimeField(required=False, widget=forms.HiddenInput)


class DayForm(forms.Form):
    """What is foretold."""

    programme = forms.ModelChoiceField(Programme.objects.all(), label=_("programme"))
    day = forms.DateField(
        label=_("day"), required=False, widget=forms.DateInput({"type": "date"}), help_text=_("Empty: today.")
    )


def urls(site: AdminSite) -> list[URLPattern]:
    """The pages, for the admin of the reminders that they are about."""
    wrap = site.admin_view

    def evidence(request: HttpRequest, member: int) -> HttpResponse:
        return _evidence(request, member, site)

    def would_send(request: HttpRequest) -> HttpResponse:
        return _would_send(request, site)

    return [
        path("evidence/<int:member>/", wrap(evidence), name="alerts_reminder_evidence"),
        path("would-send/", wrap(would_send), name="alerts_reminder_would_send"),
    ]


def _evidence(request: HttpRequest, member: int, site: AdminSite) -> HttpResponse:
    """A page of the sheet, or with `as=csv` all of it. Whole addresses for those who may look at contacts."""
    if not request.user.has_perms(MAY_SEE_SHEETS):
        raise PermissionDenied
    account = Account.objects.select_related("member", "programme").filter(member=member).first()
    if account is None:
        raise Http404
    form, found = PeriodForm(request.GET), None
    if form.is_valid():
        period = {name: form.cleaned_data[name] for name in ("since", "until")}
        reader = Reader(
            sees_addresses=request.user.has_perm("alerts.view_contact"), sees_staff=not form.cleaned_data["for_member"]
        )
        asked = {"reader": reader, "now": timezone.now(), **period}
        try:
            if request.GET.get("as") == "csv":
                return download(lines.csv_of(sheet.whole(account, **asked)), f"evidence-{member}")
            found = sheet.page(account, before=form.cleaned_data["before"], **asked)
        except BadInput as error:
            form.add_error(error.field, error.detail)
    context = {
        **site.each_context(request),
        "title": _t("Evidence sheet of %(member)s") % {"member": account.member},
        "account": account,
        "form": form,
        "sheet": found,
        "older": found.older.isoformat() if found and found.older else "",
        "kept": {name: text for name, text in request.GET.items() if name in ("since", "until", "for_member")},
    }
    return TemplateResponse(request, "admin/alerts/proof/evidence.html", context, status=200 if found else 400)


def download(text: str, name: str) -> HttpResponse:
    """A file to keep: its name holds no reference, which may have any letters."""
    return HttpResponse(text, content_type=CSV, headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})


def _would_send(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """The figures of a day, and the first of its messages; without a programme, the question alone."""
    if not request.user.has_perm(MAY_FORETELL):
        raise PermissionDenied
    form = DayForm(request.GET or None)
    found, messages = None, []
    if form.is_valid():
        programme, asked = form.cleaned_data["programme"], {"day": form.cleaned_data["day"], "now": timezone.now()}
        try:
            found = foretelling.foretell(programme, **asked)
            messages = list(foretelling.messages(programme, **asked, limit=MOST_MESSAGES))
        except BadInput as error:
            form.add_error(error.field, error.detail)
    context = {
        **site.each_context(request),
        "title": _t("What would be sent"),
        "form": form,
        "found": found,
        "messages_foretold": messages,
        "is_cut": len(messages) == MOST_MESSAGES,
    }
    status = 200 if found or not form.is_bound else 400
    return TemplateResponse(request, "admin/alerts/proof/would_send.html", context, status=status)
