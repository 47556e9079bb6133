from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from alerts.admin.pages import BoundedPaginator, PlainAddress
from alerts.models import Contact, ExtensionRule, ReminderRule


@admin.register(Contact)
class ContactAdmin(PlainAddress):
    list_display = ["member", "channel", "address", "language", "verified", "active", "refused_at"]
    list_filter = ["channel", "verified", "active"]
    list_select_related = ["member"]
    search_fields = ["=address", "=member__reference"]
    raw_id_fields = ["member"]
    readonly_fields = ["verified_at", "refused_at"]
    ordering = ["-pk"]
    paginator = BoundedPaginator
    list_per_page = 50
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        if "address" in form.changed_data:
            obj.refused_at = None  # what was said of the old address says nothing of the new one
        if {"address", "verified"} & set(form.changed_data):
            obj.verified_at = timezone.now() if obj.verified else None
        super().save_model(request, obj, form, change)


@admin.register(ReminderRule)
class ReminderRuleAdmin(PlainAddress):
    list_display = ["programme", "offset_days", "channel", "least_points"]
    list_filter = ["programme"]
    list_select_related = ["programme"]


@admin.register(ExtensionRule)
class ExtensionRuleAdmin(PlainAddress):
    list_display = ["programme", "active", "active_days", "extend_days", "most_times", "days_before"]
    list_filter = ["programme", "active"]
    list_select_related = ["programme"]

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # the ledger's entries name the rule by its number; a rule is put out of force instead
