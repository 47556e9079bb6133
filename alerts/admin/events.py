"""What providers reported: a list in bounded pages, and the reports of one delivery on its page. All of it only to look
at. In a report addresses are masked, by the names of their fields and by their looks, which can miss one: that part is
for those who may look at contacts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from alerts.admin.pages import ReadOnlyAdmin
from alerts.channels import TRANSPORTS
from alerts.models import ProviderEvent
from alerts.sending.unsolved import BY_HAND

MAY_SEE_ADDRESSES = "alerts.view_contact"
# Reports have no index by kind, nor by the provider's number: the list, its filters and its search look at the newest
# so many, whatever the table holds. Older ones are found by their delivery.
NEWEST = 100_000
MOST_OF_A_DELIVERY = 50  # on its page, the newest first: providers repeat themselves


class TransportFilter(admin.SimpleListFilter):
    """Those that there are, from the settings' vocabulary: nobody reads the table to name them."""

    title = _("transport")
    parameter_name = "transport"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(name, name) for name in (*sorted(TRANSPORTS), BY_HAND)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(transport=self.value()) if self.value() else queryset


class MatchFilter(admin.SimpleListFilter):
    """Those without a delivery: all of them, or those for which one is still looked for."""

    title = _("delivery")
    parameter_name = "match"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("nothing", _("matches nothing")), ("waits", _("not matched yet, the oldest first"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "nothing":
            return queryset.filter(delivery=None)
        return queryset.filter(matched_at=None) if self.value() == "waits" else queryset


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    list_display = ["transport", "kind", "provider_id", "occurred_at", "received_at", "matched_at", "delivery_link"]
    list_filter = [TransportFilter, "kind", MatchFilter]
    show_facets = admin.ShowFacets.NEVER  # they would count each filter's rows
    # Not a field to search by: `get_search_results` looks up by index. Django only asks whether there is one.
    search_fields = ["=provider_id"]
    search_help_text = _(
        "A delivery's key, or a provider's number of a message, in full. This list looks at the newest 100,000 or so; "
        "older reports are found by their delivery."
    )
    ordering = ["-pk"]
    plain = ("transport", "kind", "provider_id", "our_key", "event_key", "occurred_at", "received_at", "matched_at")

    def get_fields(self, request: HttpRequest, obj: ProviderEvent | None = None) -> Any:
        sees_all = request.user.has_perm(MAY_SEE_ADDRESSES)
        return [*self.plain, "delivery_link", "raw" if sees_all else "kept_back"]

    def get_readonly_fields(self, request: HttpRequest, obj: ProviderEvent | None = None) -> Any:
        return self.get_fields(request, obj)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Nobody finds out what a report says by asking for those that contain it."""
        if lookup.partition("__")[0] == "raw":
            return False
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_ordering(self, request: HttpRequest) -> Any:
        """Those that wait, in the order of their index."""
        return ["received_at", "pk"] if _waits(request) else self.ordering

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """What the list begins with, also when nothing is searched: never more than an index leads to."""
        term = search_term.strip()
        if key := _as_key(term):
            return queryset.filter(delivery=key), False
        found = queryset.filter(provider_id=term) if term else queryset
        if not _waits(request):
            newest = ProviderEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            found = found.filter(pk__gt=newest - NEWEST)
        return found, False

    @admin.display(description=_("delivery"))
    def delivery_link(self, event: ProviderEvent) -> str:
        if event.delivery_id is None:
            return "–"
        url = reverse("admin:alerts_delivery_change", args=[event.delivery_id])
        return format_html('<a href="{}">{}</a>', url, event.delivery_id)

    @admin.display(description=_("as it came"))
    def kept_back(self, event: ProviderEvent) -> Any:
        return _("It can hold addresses: only those who may look at contacts see it.")


class NewestOnly(BaseInlineFormSet):
    """No more reports than a page can hold."""

    def get_queryset(self) -> Any:
        if not hasattr(self, "_queryset"):
            self._queryset = super().get_queryset()[:MOST_OF_A_DELIVERY]
        return self._queryset


class EventInline(admin.TabularInline):
    """The reports about a delivery, the newest first, each with the way to its own page."""

    model = ProviderEvent
    formset = NewestOnly
    can_delete = False
    extra = 0
    fields = readonly_fields = ("transport", "kind", "provider_id", "occurred_at", "received_at", "matched_at")
    ordering = ["-pk"]
    show_change_link = True

    def has_add_permission(self, *args: object) -> bool:
        return False

    def has_change_permission(self, *args: object) -> bool:
        return False


def _waits(request: HttpRequest) -> bool:
    return request.GET.get(MatchFilter.parameter_name) == "waits"


def _as_key(term: str) -> UUID | None:
    """A delivery's key; None: it is none."""
    try:
        return UUID(term)
    except ValueError:
        return None
