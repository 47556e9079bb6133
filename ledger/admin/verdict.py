"""Verdicts: what each run of the audit said; the newest without findings says when the books were last clean."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ledger.admin.facts import FactAdmin, accounts_of
from ledger.models import Verdict


class Clean(admin.SimpleListFilter):
    title = _("clean")
    parameter_name = "clean"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: Any, queryset: QuerySet) -> QuerySet[Any] | None:
        match self.value():
            case "yes":
                return queryset.filter(findings=0, interrupted=False)
            case "no":
                return queryset.filter(findings__gt=0)
        return None


@admin.register(Verdict)
class VerdictAdmin(FactAdmin):
    list_display = ("ended", "mode", "programme", "accounts", "told", "entries", "findings", "interrupted")
    list_filter = ("mode", Clean)
    list_select_related = ("programme",)
    search_help_text = _("A member's reference in full: the runs over that account alone.")
    fields = readonly_fields = (
        "mode", "programme", "account", "started", "ended", "accounts", "told", "entries", "findings", "by_law",
        "first", "interrupted", "reached",
    )  # fmt: skip

    def found(self, queryset: QuerySet, term: str) -> QuerySet[Any]:
        return queryset.filter(account__in=accounts_of(term))

    @admin.display(description=_("started"))
    def started(self, verdict: Verdict) -> str:
        return f"{verdict.started_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

    @admin.display(description=_("ended"), ordering="pk")
    def ended(self, verdict: Verdict) -> str:
        return f"{verdict.ended_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
