"""Programmes and their policies. A policy that exists is what lots were dated by: it stays; a new one can follow."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ledger.admin.facts import BoundedAdmin
from ledger.models import Policy, Programme

POLICY_FIELDS = ("effective_from", "origin", "model", "count", "unit", "rounding", "notice_days", "notice_slack")


class KeptOnceWritten:
    """New ones can be added; those that exist can neither be changed nor deleted."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PolicyInline(KeptOnceWritten, admin.StackedInline):
    model = Policy
    fields = (("effective_from", "origin"), ("model", "count", "unit", "rounding"), ("notice_days", "notice_slack"))
    ordering = ("-effective_from",)

    def get_extra(self, request: HttpRequest, obj: Programme | None = None, **kwargs: Any) -> int:
        return 0

    def get_min_num(self, request: HttpRequest, obj: Programme | None = None, **kwargs: Any) -> int:
        """A programme comes with its first policy: without one no points can be granted."""
        return 0 if obj else 1

    def get_formset(self, request: HttpRequest, obj: Programme | None = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, validate_min=True, **kwargs)


@admin.register(Programme)
class ProgrammeAdmin(BoundedAdmin):
    list_display = ("code", "name", "unit", "zone", "language", "created_at")
    fields = ("code", "name", "unit", "zone", "language", "currency", "point_value", "earn_rate")
    inlines = (PolicyInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Programme | None = None) -> tuple[str, ...]:
        """The code is in keys and addresses; another zone would give every lot that exists another last day."""
        return ("code", "zone") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Policy)
class PolicyAdmin(KeptOnceWritten, BoundedAdmin):
    list_display = ("programme", "__str__", "effective_from", "origin", "notice_days", "notice_slack")
    list_display_links = ("__str__",)
    list_filter = ("programme",)
    list_select_related = ("programme",)
    fields = ("programme", *POLICY_FIELDS)
