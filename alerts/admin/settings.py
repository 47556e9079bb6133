from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts.addresses import contacts
from alerts.admin.pages import BoundedPaginator, PlainAddress
from alerts.errors import BadInput
from alerts.models import Contact, ExtensionRule


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
                if (entered["channel"], entered["address"]) != (self.instance.channel, self.instance.address):
                    contacts.must_be_carried(entered["channel"], entered["address"])
            except BadInput as refusal:
                self.add_error("address", refusal.detail)
        return entered


class CarriedFilter(admin.SimpleListFilter):
    """Those that `alerts.W026` counts, to be taken out of use or to get another address."""

    title = _("carried by the transport")
    parameter_name = "carried"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("0", _("not carried by the transport of their channel"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() != "0":
            return queryset
        return queryset.filter(pk__in=contacts.not_carried())


@admin.register(Contact)
class ContactAdmin(PlainAddress):
    form = ContactForm
    list_display = ["member", "channel", "address", "language", "verified", "active", "refused_at"]
    list_filter = ["channel", "verified", "active", CarriedFilter]
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
