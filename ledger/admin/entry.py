"""Entries: what happened, with the lots it touched, the dates it moved and the notice it recorded."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ledger.admin.acting import ActingAdmin
from ledger.admin.deeds import UNDO_EXTENSION
from ledger.admin.facts import (
    LookOnlyInline,
    account_link_of,
    accounts_of,
    day_of,
    entries_with,
    link,
    time_of,
)
from ledger.kinds import RESTORING, Kind
from ledger.models import Allocation, Entry, Extension, Notice


class KindFilter(admin.SimpleListFilter):
    """By kind, once the list is narrowed: over the whole table a rare kind would be looked for in every row."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        narrowed = request.GET.get("q") or request.GET.get("account__id__exact")
        return Kind.choices if narrowed else ()

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class AllocationInline(LookOnlyInline):
    model = Allocation
    fields = readonly_fields = ("lot_link", "delta", "last_day")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("lot", "entry__programme")

    @admin.display(description=_("last day of what came back"))
    def last_day(self, allocation: Allocation) -> str:
        came_back = allocation.entry.kind in RESTORING
        return day_of(allocation.until, allocation.entry.programme) if came_back else "–"

    @admin.display(description=_("lot"))
    def lot_link(self, allocation: Allocation) -> str:
        return link(reverse("admin:ledger_lot_change", args=[allocation.lot_id]), allocation.lot)


class ExtensionInline(LookOnlyInline):
    model = Extension
    fields = readonly_fields = ("lot_link", "last_day_before", "last_day_now", "spendable_before", "spendable_now")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("lot", "entry__programme")

    @admin.display(description=_("lot"))
    def lot_link(self, extension: Extension) -> str:
        return link(reverse("admin:ledger_lot_change", args=[extension.lot_id]), extension.lot)

    @admin.display(description=_("last day before"))
    def last_day_before(self, extension: Extension) -> str:
        return day_of(extension.was, extension.entry.programme)

    @admin.display(description=_("last day since"))
    def last_day_now(self, extension: Extension) -> str:
        return day_of(extension.until, extension.entry.programme)

    @admin.display(description=_("spendable before"))
    def spendable_before(self, extension: Extension) -> str:
        return time_of(extension.spendable_was, extension.entry.programme)

    @admin.display(description=_("spendable since"))
    def spendable_now(self, extension: Extension) -> str:
        return time_of(extension.spendable_until, extension.entry.programme)


class NoticeInline(LookOnlyInline):
    model = Notice
    fields = readonly_fields = ("expires_on", "told_on", "channel", "evidence", "waiver", "lots")


@admin.register(Entry)
class EntryAdmin(ActingAdmin):
    list_display = ("__str__", "member", "kind", "amount", "balance_after", "debt_after", "recorded", "actor", "key")
    list_select_related = ("account__member", "programme")
    list_filter = (KindFilter,)
    deeds = (UNDO_EXTENSION,)
    search_help_text = _("A member's reference or the key of an act, in full.")
    inlines = (AllocationInline, ExtensionInline, NoticeInline)
    fields = (
        "account_link", "programme", "seq", "kind", "amount", "debt_delta", "written_off", "balance_after",
        "debt_after", "key", "actor", "reason", "reference", "undoes_seq", "asked", "available", "effective",
        "recorded", "hash_hex",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Entry | None = None) -> tuple[str, ...]:
        return self.fields

    def found(self, queryset: QuerySet, term: str) -> QuerySet[Any]:
        return queryset.filter(Q(account__in=accounts_of(term)) | Q(pk__in=entries_with(term)))

    @admin.display(description=_("member"))
    def member(self, entry: Entry) -> str:
        return f"{entry.account.member} · {entry.programme}"

    @admin.display(description=_("account"))
    def account_link(self, entry: Entry) -> str:
        return account_link_of(entry)

    @admin.display(description=_("effective"))
    def effective(self, entry: Entry) -> str:
        return time_of(entry.effective_at, entry.programme)

    @admin.display(description=_("recorded"), ordering="pk")
    def recorded(self, entry: Entry) -> str:
        return time_of(entry.recorded_at, entry.programme)

    @admin.display(description=_("hash"))
    def hash_hex(self, entry: Entry) -> str:
        return bytes(entry.hash).hex()
