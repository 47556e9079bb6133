from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts.addresses import contacts, suppressions, traces
from alerts.admin.pages import BoundedPaginator, PlainAddress, ReadOnlyAdmin
from alerts.errors import BadInput
from alerts.models import Consent, Contact, ExtensionRule, Suppression


class ContactForm(forms.ModelForm):
    """An address as staff write it; it is kept as all are."""

    class Meta:
        model = Contact
        fields = ("member", "channel", "address", "language", "zone", "verified", "active")

    def clean(self) -> dict[str, Any]:
        entered: dict[str, Any] = super().clean() or self.cleaned_data
        if "channel" in entered and "address" in entered:
            try:
                entered["address"] = contacts.normal(entered["channel"], entered["address"])
            except BadInput as refusal:
                self.add_error("address", refusal.detail)
        return entered


@admin.register(Contact)
class ContactAdmin(PlainAddress):
    form = ContactForm
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
        contacts.rewrite(contact=obj, now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Contact) -> None:
        contacts.erase(contact=obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for contact in queryset:
            contacts.erase(contact=contact)


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

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Also by an address that was erased: of that only the hash is there."""
        found, doubled = super().get_search_results(request, queryset, search_term)
        erased = queryset.filter(address=traces.marked(search_term.strip())) if search_term else queryset.none()
        return found | erased, doubled

    @admin.action(description=_("Write to these addresses again"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            try:
                suppressions.lift(suppression=row, now=timezone.now())
            except BadInput as error:
                self.message_user(request, error.detail, messages.WARNING)
