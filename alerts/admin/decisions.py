"""What staff decide about one delivery, each on a page of its own: what became of a message where only a person can
find out, and that a message is not sent at all.

A page shows what is asked and changes nothing; its POST makes one call of an act. What the act refuses stands at the
form. What was done stands in the admin's log of the delivery with its reason, besides the fact that the act keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from alerts.admin.operations import ReasonForm
from alerts.errors import BadInput
from alerts.models import Delivery
from alerts.models.delivery import Status, Why
from alerts.sending import deliveries
from alerts.sending.deliveries import Decision
from alerts.sending.unsolved import unsolved_since
from ledger.actors import Actor

PERMISSION = "alerts.decide_delivery"
UNKNOWN_FOR = timedelta(hours=1)  # what can be looked up, or sent again, is decided within minutes
DETAILS = (  # of the acts' BadInput: those that a form of these pages can lead to
    gettext_noop("The delivery must be unknown; somebody else has dealt with it."),
    gettext_noop("The delivery must be pending; somebody else has dealt with it."),
    gettext_noop("It may have been sent already: nobody can stop it."),
)


class DecideForm(ReasonForm):
    """What became of the message, after so many calls as the person saw on the page."""

    decision = forms.ChoiceField(
        label=gettext_lazy("What became of it"),
        choices=[("", gettext_lazy("Please choose")), *Decision.choices],
        help_text=gettext_lazy(
            "What was sent counts as a notice of the day of the call. No other channel follows what is left."
        ),
    )
    attempts = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    field_order = ("attempts", "decision", "why")


@dataclass(frozen=True, slots=True)
class Deed:
    """An act on a delivery: what its page says, when it is offered, and the one call that it makes.

    `act` takes the delivery, what was entered, an actor and the time, and returns what the admin's log says of it.
    """

    name: str
    title: Any
    explains: Any
    form: type[ReasonForm]
    offered: Callable[[Delivery, datetime], bool]
    misfit: Any
    act: Callable[[Delivery, dict[str, Any], Actor, datetime], str]
    done: Any


def _is_for_a_person(row: Delivery, now: datetime) -> bool:
    """Only a person can find out, or nobody has for an hour: it may well be known to the provider's own pages."""
    if row.status != Status.UNKNOWN:
        return False
    last = row.tries.order_by("-number").first()
    return row.why == Why.PERSON or (last is not None and last.at <= now - UNKNOWN_FOR)


def _decide(row: Delivery, entered: dict[str, Any], by: Actor, now: datetime) -> str:
    if row.status == Status.UNKNOWN:
        if not _is_for_a_person(row, now):
            raise BadInput(gettext("What became of it is still being found out: no person needs to decide."))
        if row.attempts != entered["attempts"]:
            raise BadInput(gettext("It was tried again since this page was opened: please open it anew."))
    decision = Decision(entered["decision"])
    deliveries.decide_by_hand(delivery=row, decision=decision, by=by, why=entered["why"], now=now)
    return f"Decided by hand: {decision}"


def _cancel(row: Delivery, entered: dict[str, Any], by: Actor, now: datetime) -> str:
    deliveries.cancel(delivery=row, by=by, why=entered["why"], now=now)
    return "Cancelled"


DECIDE = Deed(
    name="decide",
    title=gettext_lazy("Decide what became of it"),
    explains=gettext_lazy(
        "Nobody knows whether this message was sent, and nobody but a person may find out: ask the provider, or look "
        "at its pages."
    ),
    form=DecideForm,
    offered=_is_for_a_person,
    misfit=gettext_lazy("This delivery does not wait for a person."),
    act=_decide,
    done=gettext_lazy("What you decided is written down."),
)
CANCEL = Deed(
    name="cancel",
    title=gettext_lazy("Cancel it before it is sent"),
    explains=gettext_lazy("This message is not sent, and no other channel takes its place. That cannot be undone."),
    form=ReasonForm,
    offered=lambda row, now: row.status == Status.PENDING and unsolved_since(row.tries.all()) is None,
    misfit=gettext_lazy("This delivery cannot be cancelled any more."),
    act=_cancel,
    done=gettext_lazy("The delivery is cancelled: it will not be sent."),
)
DEEDS = (DECIDE, CANCEL)


def urls(admin: ModelAdmin, deeds: Sequence[Deed]) -> list[URLPattern]:
    """The pages of these acts, for the admin of the deliveries."""
    wrap = admin.admin_site.admin_view
    return [
        path(f"<uuid:pk>/{deed.name}/", wrap(_page_of(admin, deed)), name=f"alerts_delivery_{deed.name}")
        for deed in deeds
    ]


def offered(admin: ModelAdmin, request: HttpRequest, row: Delivery, deeds: Sequence[Deed]) -> list[tuple[str, Any]]:
    """Where those of these acts that this person may do now stand, each with its title."""
    if not _may(admin, request, row):
        return []
    return [
        (reverse(f"admin:alerts_delivery_{deed.name}", args=[row.pk]), deed.title)
        for deed in deeds
        if deed.offered(row, timezone.now())
    ]


def address_of(row: Delivery) -> str:
    """Where the last call went. For those who may look at contacts, and nobody else."""
    return row.contact.address if row.contact else "–"


def _may(admin: ModelAdmin, request: HttpRequest, row: Delivery | None) -> bool:
    return admin.has_view_permission(request, row) and request.user.has_perm(PERMISSION)


def _page_of(admin: ModelAdmin, deed: Deed) -> Callable[..., HttpResponse]:
    def page(request: HttpRequest, pk: UUID) -> HttpResponse:
        return _page(admin, request, pk, deed)

    return page


def _page(admin: ModelAdmin, request: HttpRequest, pk: UUID, deed: Deed) -> HttpResponse:
    row = Delivery.objects.select_related("reminder__account__member", "contact").filter(pk=pk).first()
    if not _may(admin, request, row):
        raise PermissionDenied
    if row is None:
        raise Http404
    back = reverse("admin:alerts_delivery_change", args=[pk])
    if request.method == "POST":
        form = deed.form(request.POST)
        if form.is_valid() and _done(admin, request, row, deed, form):
            return HttpResponseRedirect(back)
    elif deed.offered(row, timezone.now()):
        form = deed.form(initial={"attempts": row.attempts})
    else:
        admin.message_user(request, str(deed.misfit), messages.ERROR)
        return HttpResponseRedirect(back)
    context = {
        **admin.admin_site.each_context(request),
        "title": deed.title,
        "explains": deed.explains,
        "opts": admin.opts,
        "list_url": reverse("admin:alerts_delivery_changelist"),
        "back_url": back,
        "delivery": row,
        "last": row.tries.order_by("-number").first(),
        "address": address_of(row) if request.user.has_perm("alerts.view_contact") else "",
        "form": form,
    }
    return TemplateResponse(request, "admin/alerts/delivery/act_form.html", context)


def _done(admin: ModelAdmin, request: HttpRequest, row: Delivery, deed: Deed, form: ReasonForm) -> bool:
    """Do it, and log it. False: refused, which stands at the form now, and nothing was written.

    No transaction is open round the act: it may write into the ledger, which commits by itself.
    """
    try:
        did = deed.act(row, form.cleaned_data, Actor("staff", str(request.user.pk)), timezone.now())
    except BadInput as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, gettext(refusal.detail))
        return False
    admin.log_change(request, row, f"{did}. Reason: {form.cleaned_data['why']}")
    admin.message_user(request, str(deed.done), messages.SUCCESS)
    return True
