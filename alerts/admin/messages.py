from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from alerts.admin import decisions, proof, resending
from alerts.admin.events import MAY_SEE_ADDRESSES, EventInline
from alerts.admin.pages import ReadOnlyAdmin
from alerts.models import Attempt, Delivery, Reminder
from alerts.models.delivery import Status, Why

DEEDS = (*decisions.DEEDS, *resending.DEEDS)


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


class PersonFilter(admin.SimpleListFilter):
    """Unknown outcomes that nobody but a person can find out: what the index of unknown deliveries leads to."""

    title = _("waits for a person")
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("1", _("waits for a person, the first to expire first"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() != "1":
            return queryset
        return queryset.filter(status=Status.UNKNOWN, why=Why.PERSON)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What was to be sent and what became of it; the acts, each on a page of its own, are for those who may decide."""

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
    list_filter = [PersonFilter, "status", "channel"]
    list_select_related = ["reminder"]
    show_facets = admin.ShowFacets.NEVER  # they would count each filter's rows
    search_fields = ["=id", "=reminder__account__member__reference"]
    ordering = ["-reminder", "-channel", "-resend_no"]  # the newest first, as an index has them
    inlines = [AttemptInline, EventInline]

    def get_urls(self) -> list[URLPattern]:
        return [*decisions.urls(self, DEEDS), *super().get_urls()]

    def get_ordering(self, request: HttpRequest) -> Any:
        """Those that wait for a person, in the order of their index: by the time at which the points go."""
        waits = request.GET.get(PersonFilter.parameter_name) == "1"
        return ["next_attempt_at", "pk"] if waits else self.ordering

    def get_readonly_fields(self, request: HttpRequest, obj: Delivery | None = None) -> Any:
        return ["address"] if request.user.has_perm(MAY_SEE_ADDRESSES) else []

    @admin.display(description=_("address"))
    def address(self, obj: Delivery) -> str:
        return decisions.address_of(obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the way to the acts that this person may do now."""
        row: Delivery | None = self.get_object(request, object_id)
        deeds = decisions.offered(self, request, row, DEEDS) if row else []
        return super().change_view(request, object_id, form_url, {"deeds": deeds, **(extra_context or {})})


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ["delivery", "number", "at", "outcome", "code", "detail"]
    list_filter = ["outcome"]
    search_fields = ["=delivery__id"]
    ordering = ["-pk"]
