"""Closures: accounts that somebody asked to close, when that takes effect, and what was told to be lost."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ledger.admin.facts import (
    FactAdmin,
    OpenFilter,
    account_link_of,
    accounts_of,
    day_of,
    entry_link_of,
    made_by,
    time_of,
)
from ledger.models import Closure


@admin.register(Closure)
class ClosureAdmin(FactAdmin):
    list_display = ("__str__", "member", "last_day", "points", "open")
    list_select_related = ("account__member", "programme")
    list_filter = (OpenFilter,)
    search_help_text = _("A member's reference or the key of a closure, in full.")
    fields = readonly_fields = ("account_link", "programme", "made_by", "last_day", "closes", "points", "open")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("closes_at", "pk") if request.GET.get("open") == "1" else ("-pk",)

    def found(self, queryset: QuerySet, term: str) -> QuerySet[Any]:
        return queryset.filter(account__in=accounts_of(term)) | queryset.filter(pk__in=made_by(term, Closure))

    @admin.display(description=_("member"))
    def member(self, closure: Closure) -> str:
        return f"{closure.account.member} · {closure.programme}"

    @admin.display(description=_("account"))
    def account_link(self, closure: Closure) -> str:
        return account_link_of(closure)

    @admin.display(description=_("made by entry"))
    def made_by(self, closure: Closure) -> str:
        return entry_link_of(closure)

    @admin.display(description=_("last day"))
    def last_day(self, closure: Closure) -> str:
        return day_of(closure.closes_at, closure.programme)

    @admin.display(description=_("takes effect"))
    def closes(self, closure: Closure) -> str:
        return time_of(closure.closes_at, closure.programme)
