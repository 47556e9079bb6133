"""Held plans in the admin: a day's plan far above the usual is let go, or said no to, by a person who says why.

Letting go can send a million messages, so its page shows what was found before it asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from alerts.admin.operations import OperatedAdmin, WhyForm
from alerts.admin.pages import ReadOnlyAdmin
from alerts.admin.proof import MAY_FORETELL
from alerts.models import PlanHold
from alerts.planning import blast
from ledger.actors import Actor


@dataclass(frozen=True, slots=True)
class Decision:
    """One of the two decisions: what it is called, what its page says, and what is said afterwards."""

    name: str
    let_go: bool
    short: Any
    title: Any
    explains: Any
    done: Any


DECISIONS = (
    Decision(
        "let_go",
        True,
        _("Let go"),
        _("Let the plan go"),
        _(
            "Everything that the rules find on this day is then planned and sent, also if that becomes more than was "
            "found so far. Nobody can call back what has gone out."
        ),
        _("The plan of %(name)s for %(day)s goes ahead."),
    ),
    Decision(
        "refuse",
        False,
        _("Say no"),
        _("Say no to the plan"),
        _(
            "Nothing of it is planned on this day, and the decision cannot be taken back. The next day the rules find "
            "the same again, and a plan as large is held anew: mend what made it, too."
        ),
        _("The plan of %(name)s for %(day)s was refused."),
    ),
)


_HAS_GONE = _(
    "This day is over: the decision sends nothing and holds nothing back. What the rules still find is looked at anew "
    "each day."
)


class WaitingFilter(admin.SimpleListFilter):
    """Those that nobody has decided yet."""

    title = _("decision")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return (("1", _("waits")),)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(decided_at=None) if self.value() == "1" else queryset


_SHOWN = ("programme", "day", "planned", "usual", "state", "made_at", "decided_at", "decided_by", "why")


@admin.register(PlanHold)
class PlanHoldAdmin(OperatedAdmin, ReadOnlyAdmin):
    list_display = _SHOWN
    list_filter = [WaitingFilter, "programme"]
    list_select_related = ["programme"]
    ordering = ["-pk"]
    fields = readonly_fields = _SHOWN
    permission = "alerts.decide_planhold"

    @admin.display(description=_("decision"))
    def state(self, row: PlanHold) -> str:
        if row.let_go is None:
            return _t("waits")
        return _t("let go") if row.let_go else _t("refused")

    def acts_of(self, row: PlanHold | None) -> Sequence[tuple[str, str]]:
        waits = row is not None and row.decided_at is None
        return [(_url(one, row), one.short) for one in DECISIONS] if row and waits else []

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path(f"<int:pk>/{one.name}/", wrap(partial(self.decide, decision=one)), name=f"alerts_planhold_{one.name}")
            for one in DECISIONS
        ]
        return [*own, *super().get_urls()]

    def decide(self, request: HttpRequest, pk: int, *, decision: Decision) -> HttpResponse:
        """Show what was found; a POST decides."""
        if not self.may_act(request):
            raise PermissionDenied
        hold = PlanHold.objects.select_related("programme").filter(pk=pk).first()
        if hold is None:
            raise Http404
        form = WhyForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            log = "Let go" if decision.let_go else "Refused"
            if self.try_act(request, form, pk, log, partial(_decide, hold, decision)):
                text = decision.done % {"name": hold.programme, "day": hold.day}
                self.message_user(request, text, messages.SUCCESS)
                return HttpResponseRedirect(self.list_url())
        elif hold.decided_at:
            return HttpResponseRedirect(reverse("admin:alerts_planhold_change", args=[pk]))
        has_gone = hold.day < timezone.now().astimezone(hold.programme.tz).date()
        is_over = bool(form.non_field_errors())
        looks = not (has_gone or is_over) and request.user.has_perm(MAY_FORETELL)
        return self.page(
            request,
            form,
            title=decision.title,
            facts=_facts(hold),
            explains=_HAS_GONE if has_gone else decision.explains,
            look_url=_look_url(hold) if looks else "",
            is_over=is_over,
        )


def _decide(hold: PlanHold, decision: Decision, *, by: Actor, why: str, now: datetime) -> None:
    blast.decide(hold=hold, let_go=decision.let_go, by=by, why=why, now=now)


def _facts(hold: PlanHold) -> list[tuple[str, object]]:
    """What staff see before they decide; what was found is what one run of the planning came to, so at least that."""
    found = _t("%(number)s or more") % {"number": number_format(hold.planned, force_grouping=True)}
    return [
        (_t("Programme"), hold.programme),
        (_t("Day"), hold.day),
        (_t("Reminders found"), found),
        (_t("Usual on a day with any"), number_format(hold.usual, force_grouping=True)),
        (_t("Held since"), hold.made_at),
    ]


def _url(decision: Decision, hold: PlanHold) -> str:
    return reverse(f"admin:alerts_planhold_{decision.name}", args=[hold.pk])


def _look_url(hold: PlanHold) -> str:
    asked = {"programme": str(hold.programme_id), "day": hold.day.isoformat()}
    return reverse("admin:alerts_reminder_would_send") + "?" + urlencode(asked)
