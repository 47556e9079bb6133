"""Lots: which points are there until when, and the acts on them: extend, reinstate."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ledger.admin import extend
from ledger.admin.acting import ActingAdmin
from ledger.admin.deeds import REINSTATE
from ledger.admin.facts import (
    account_link_of,
    accounts_of,
    day_of,
    entry_link_of,
    made_by,
    programme_ids,
    time_of,
)
from ledger.models import Lot


class ExpiringFilter(admin.SimpleListFilter):
    """Open lots that go soon: what the index of coming dates serves."""

    title = _("last day")
    parameter_name = "within"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return (("7", _("within 7 days")), ("30", _("within 30 days")), ("90", _("within 90 days")))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("7", "30", "90"):
            return queryset
        until = timezone.now() + timedelta(days=int(str(self.value())))
        return queryset.filter(programme__in=programme_ids(), open=True, expires_at__lte=until)


@admin.register(Lot)
class LotAdmin(ActingAdmin):
    list_display = ("__str__", "member", "last_day", "remaining", "granted", "origin", "notice")
    list_select_related = ("account__member", "programme")
    list_filter = (ExpiringFilter,)
    search_help_text = _("A member's reference or the key of a grant, in full.")
    actions = ("extend",)
    deeds = (REINSTATE,)
    fields = (
        "account_link", "programme", "made_by", "family_seq", "policy", "origin", "granted", "remaining",
        "spendable_from", "first_spendable", "last_day", "expires", "first_expires", "gated", "moved_untold",
        "notice_days", "notice_slack",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Lot | None = None) -> tuple[str, ...]:
        return self.fields

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("expires_at", "pk") if request.GET.get("within") else ("-pk",)

    def found(self, queryset: QuerySet, term: str) -> QuerySet[Any]:
        return queryset.filter(account__in=accounts_of(term)) | queryset.filter(pk__in=made_by(term, Lot))

    def get_urls(self) -> list[URLPattern]:
        return [
            path("extend/", self.admin_site.admin_view(self.extend_view), name="ledger_lot_extend"),
            *super().get_urls(),
        ]

    def has_extend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ledger.extend_lot")

    @admin.action(description=_("Extend: move the last day later"), permissions=["extend"])
    def extend(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return extend.begin(self, request, queryset)

    def extend_view(self, request: HttpRequest) -> HttpResponse:
        return extend.proceed(self, request)

    @admin.display(description=_("member"))
    def member(self, lot: Lot) -> str:
        return f"{lot.account.member} · {lot.programme}"

    @admin.display(description=_("account"))
    def account_link(self, lot: Lot) -> str:
        return account_link_of(lot)

    @admin.display(description=_("made by entry"))
    def made_by(self, lot: Lot) -> str:
        return entry_link_of(lot)

    @admin.display(description=_("last day"), ordering="expires_at")
    def last_day(self, lot: Lot) -> str:
        return day_of(lot.expires_at, lot.programme)

    @admin.display(description=_("notice"))
    def notice(self, lot: Lot) -> str:
        if not lot.open or not lot.notice_days:
            return "–"
        return gettext("to come") if lot.gated else gettext("told")

    @admin.display(description=_("expires"))
    def expires(self, lot: Lot) -> str:
        return time_of(lot.expires_at, lot.programme)

    @admin.display(description=_("spendable from"))
    def spendable_from(self, lot: Lot) -> str:
        return time_of(lot.spendable_at, lot.programme)

    @admin.display(description=_("expires, when made"))
    def first_expires(self, lot: Lot) -> str:
        return time_of(lot.first_expires_at, lot.programme)

    @admin.display(description=_("spendable from, when made"))
    def first_spendable(self, lot: Lot) -> str:
        return time_of(lot.first_spendable_at, lot.programme)
