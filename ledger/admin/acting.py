"""Acts that staff do by hand in one step: tick rows in a list, choose the act, say why, confirm.

The token is made when the form is shown and is part of each act's key, so a second click is a replay and does nothing
twice. All acts of a form are posted together; what one is refused stops no other.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger.actors import Actor
from ledger.admin.facts import FactAdmin
from ledger.admin.refusals import said
from ledger.errors import LedgerError
from ledger.inputs import MOST
from ledger.posting import Order, post
from ledger.receipts import Receipt


class DeedForm(forms.Form):
    """What staff enter, and which rows it is about."""

    chosen = forms.CharField(widget=forms.HiddenInput)
    token = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("It stays in the ledger, and the member reads it in their history."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )

    def clean_chosen(self) -> list[int]:
        text = self.cleaned_data["chosen"]
        if not re.fullmatch(r"[0-9]{1,18}(,[0-9]{1,18})*", text):
            raise forms.ValidationError(_("The list of rows is damaged; please begin again from the list."))
        return [int(number) for number in text.split(",")]

    def clean_reason(self) -> str:
        """One line: what the ledger keeps of a person's words has no line breaks."""
        return " ".join(self.cleaned_data["reason"].split())


class PointsForm(DeedForm):
    points = forms.IntegerField(label=gettext_lazy("Points"), min_value=1, max_value=MOST)
    field_order = ("chosen", "token", "points", "reason")


@dataclass(frozen=True, slots=True)
class Deed:
    """An act on rows of a list: who may do it, what the form says, and the order that it becomes.

    `fits` says of which rows it can be asked at all; `order` takes a row, what was entered, the time, a key and an
    actor.
    """

    name: str
    permission: str
    title: Any
    explains: Any
    order: Callable[[Any, dict[str, Any], datetime, str, Actor], Order]
    form: type[DeedForm] = DeedForm
    most: int = 1
    fits: Callable[[Any], bool] = lambda row: True
    misfit: Any = ""


class ActingAdmin(FactAdmin):
    """A list of facts on whose rows staff can act."""

    deeds: Sequence[Deed] = ()

    def get_urls(self) -> list[URLPattern]:
        urls = [
            path(
                f"{deed.name}/",
                self.admin_site.admin_view(partial(self.act_view, deed=deed)),
                name=f"ledger_{self.opts.model_name}_{deed.name}",
            )
            for deed in self.deeds
        ]
        return [*urls, *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        for deed in self.deeds:
            if request.user.has_perm(deed.permission):
                actions[deed.name] = (partial(_begin, deed=deed), deed.name, deed.title)
        return actions

    def act_view(self, request: HttpRequest, *, deed: Deed) -> HttpResponse:
        """Do what was entered."""
        if not request.user.has_perm(deed.permission):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(_list_url(self))
        form = deed.form(request.POST)
        rows = _rows(self, form.cleaned_data.get("chosen", ())) if form.is_valid() or form.cleaned_data else []
        rows = [row for row in rows[: deed.most] if deed.fits(row)]
        if not form.is_valid():
            return _form_page(self, request, deed, form, rows)
        try:
            _do(self, request, deed, rows, form.cleaned_data)
        except LedgerError as error:
            form.add_error(error.field if error.field in form.fields else None, said(error))
            return _form_page(self, request, deed, form, rows)
        return HttpResponseRedirect(_list_url(self))


def _begin(admin: ActingAdmin, request: HttpRequest, chosen: QuerySet, *, deed: Deed) -> HttpResponse | None:
    """The form, for the rows that were ticked in the list."""
    ids = list(chosen.order_by("pk").values_list("pk", flat=True)[: deed.most + 1])
    if len(ids) > deed.most:
        admin.message_user(
            request, _("Please choose at most %(number)d at a time.") % {"number": deed.most}, messages.ERROR
        )
        return None
    rows = _rows(admin, ids)
    if not all(deed.fits(row) for row in rows):
        admin.message_user(request, str(deed.misfit), messages.ERROR)
        return None
    form = deed.form(initial={"chosen": ",".join(map(str, ids)), "token": secrets.token_hex(16)})
    return _form_page(admin, request, deed, form, rows)


def _do(admin: ActingAdmin, request: HttpRequest, deed: Deed, rows: Sequence[Any], entered: dict[str, Any]) -> None:
    now, by = timezone.now(), Actor("staff", str(request.user.pk))
    orders = [deed.order(row, entered, now, f"admin:{entered['token']}:{row.pk}", by) for row in rows]
    for row, outcome in zip(rows, post(orders), strict=True):
        if isinstance(outcome, LedgerError):
            text = _("%(row)s: nothing was done. %(why)s") % {"row": _name(row), "why": said(outcome)}
            admin.message_user(request, text, messages.ERROR)
        else:
            admin.message_user(request, _done(row, outcome), messages.SUCCESS)


def _done(row: Any, receipt: Receipt) -> str:
    facts = {"row": _name(row), "number": receipt.seq, "points": number_format(receipt.points, force_grouping=True)}
    text = (
        _("%(row)s: done, entry no. %(number)d.")
        if not receipt.points
        else _("%(row)s: done, %(points)s points, entry no. %(number)d.")
    )
    again = " " + _("This had been done before: nothing was done twice.") if receipt.replayed else ""
    return text % facts + again


def _name(row: Any) -> str:
    account = getattr(row, "account", row)
    return f"{account.member} · {account.programme}"


def _rows(admin: ActingAdmin, ids: Sequence[int]) -> list[Any]:
    return list(admin.model._default_manager.filter(pk__in=ids).order_by("pk"))


def _form_page(
    admin: ActingAdmin, request: HttpRequest, deed: Deed, form: DeedForm, rows: Sequence[Any]
) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "title": deed.title,
        "explains": deed.explains,
        "opts": admin.opts,
        "list_url": _list_url(admin),
        "form": form,
        "rows": [(row, _name(row)) for row in rows],
        "action_url": reverse(f"admin:ledger_{admin.opts.model_name}_{deed.name}"),
    }
    return TemplateResponse(request, "admin/ledger/act_form.html", context)


def _list_url(admin: ActingAdmin) -> str:
    return reverse(f"admin:ledger_{admin.opts.model_name}_changelist")
