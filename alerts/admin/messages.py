from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern

from alerts.admin import proof
from alerts.admin.pages import ReadOnlyAdmin
from alerts.models import Attempt, Delivery, Reminder


class AttemptInline(admin.TabularInline):
    model = Attempt
    can_delete = False
    extra = 0
    fields = readonly_fields = ("number", "at", "outcome", "code", "detail", "points_told")
    ordering = ["number"]

    def has_add_permission(self, *args: object) -> bool:
        return False


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    list_display = ["account", "programme", "expires_on", "offset_days", "due_at", "points_planned", "planned_at"]
    list_filter = ["programme"]
    list_select_related = ["account", "programme"]
    search_fields = ["=account__member__reference"]
    ordering = ["-pk"]

    def get_urls(self) -> list[URLPattern]:
        return [*proof.urls(self.admin_site), *super().get_urls()]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "reminder",
        "channel",
        "status",
        "why",
        "attempts",
        "points_told",
        "created_at",
        "accepted_at",
    ]
    list_filter = ["status", "channel"]
    list_select_related = ["reminder"]
    search_fields = ["=id", "=reminder__account__member__reference"]
    ordering = ["-created_at", "-pk"]
    inlines = [AttemptInline]


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ["delivery", "number", "at", "outcome", "code", "detail"]
    list_filter = ["outcome"]
    search_fields = ["=delivery__id"]
    ordering = ["-pk"]
