from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts.addresses import suppressions
from alerts.admin.pages import BoundedPaginator, PlainAddress, ReadOnlyAdmin
from alerts.errors import BadInput
from alerts.models import Consent, Contact, ExtensionRule, ReminderRule, Suppression


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
    list_display = ["programme", "offset_days", "channels", "at_once", "least_points"]
    list_filter = ["programme"]
    list_select_related = ["programme"]


@admin.register(ExtensionRule)
class ExtensionRuleAdmin(PlainAddress):
    list_display = ["programme", "active", "active_days", "extend_days", "most_times", "days_before"]
    list_filter = ["programme", "active"]
    list_select_related = ["programme"]

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # the ledger's entries name the rule by its number; a rule is put out of force instead


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ["member", "channel", "purpose", "given", "at", "source", "actor"]
    list_filter = ["channel", "purpose", "given"]
    list_select_related = ["member"]
    search_fields = ["=member__reference"]
    ordering = ["-pk"]


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    list_display = ["channel", "address", "why", "at", "lifted_at", "note"]
    list_filter = ["channel", "why"]
    search_fields = ["=address"]
    ordering = ["-pk"]
    actions = ["lift"]  # type: ignore[assignment]

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("alerts.change_suppression")

    @admin.action(description=_("Write to these addresses again"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            try:
                suppressions.lift(suppression=row, now=timezone.now())
            except BadInput as error:
                self.message_user(request, error.detail, messages.WARNING)
