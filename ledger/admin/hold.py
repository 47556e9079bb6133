"""Holds: points redeemed provisionally, until when, and whether they still are."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ledger.admin.facts import FactAdmin, OpenFilter, account_link_of, accounts_of, entry_link_of, made_by, time_of
from ledger.models import Hold


@admin.register(Hold)
class HoldAdmin(FactAdmin):
    list_display = ("__str__", "member", "points", "lapses", "open")
    list_select_related = ("account__member", "programme")
    list_filter = (OpenFilter,)
    search_help_text = _("A member's reference or the key of a hold, in full.")
    fields = readonly_fields = ("account_link", "programme", "made_by", "points", "lapses", "open")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("lapses_at", "pk") if request.GET.get("open") == "1" else ("-pk",)

    def found(self, queryset: QuerySet, term: str) -> QuerySet[Any]:
        return queryset.filter(account__in=accounts_of(term)) | queryset.filter(pk__in=made_by(term, Hold))

    @admin.display(description=_("member"))
    def member(self, hold: Hold) -> str:
        return f"{hold.account.member} · {hold.programme}"

    @admin.display(description=_("account"))
    def account_link(self, hold: Hold) -> str:
        return account_link_of(hold)

    @admin.display(description=_("made by entry"))
    def made_by(self, hold: Hold) -> str:
        return entry_link_of(hold)

    @admin.display(description=_("lapses"))
    def lapses(self, hold: Hold) -> str:
        return time_of(hold.lapses_at, hold.programme)
