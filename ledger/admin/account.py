"""Accounts: what a member holds, by the clock, with the ways to their lots and entries."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from ledger import statements
from ledger.admin.acting import ActingAdmin
from ledger.admin.deeds import ADJUST_DOWN, ADJUST_UP
from ledger.admin.facts import accounts_of, link, time_of
from ledger.models import Account


@admin.register(Account)
class AccountAdmin(ActingAdmin):
    deeds = (ADJUST_UP, ADJUST_DOWN)
    list_display = ("pk", "member", "programme", "balance", "debt", "seq", "last_entry", "closes", "closed")
    list_select_related = ("member", "programme")
    search_help_text = _("A member's reference, in full.")
    fields = (
        "member_link", "programme", "spendable", "promised", "on_hold", "balance", "debt", "next_lapse", "seq",
        "last_entry", "head", "activity", "kept_until", "closes", "closed", "more",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[str, ...]:
        return self.fields

    def found(self, queryset: QuerySet, term: str) -> QuerySet[Any]:
        return queryset.filter(pk__in=accounts_of(term))

    @admin.display(description=_("member"))
    def member_link(self, account: Account) -> str:
        return link(reverse("admin:ledger_member_change", args=[account.member_id]), account.member)

    @admin.display(description=_("spendable now"))
    def spendable(self, account: Account) -> str:
        return number_format(_balance(account).spendable, force_grouping=True)

    @admin.display(description=_("promised"))
    def promised(self, account: Account) -> str:
        return number_format(_balance(account).promised, force_grouping=True)

    @admin.display(description=_("on hold"))
    def on_hold(self, account: Account) -> str:
        return number_format(_balance(account).on_hold, force_grouping=True)

    @admin.display(description=_("next hold lapses"))
    def next_lapse(self, account: Account) -> str:
        return time_of(account.lapses_at, account.programme)

    @admin.display(description=_("last activity"))
    def activity(self, account: Account) -> str:
        return time_of(account.active_at, account.programme)

    @admin.display(description=_("kept until"))
    def kept_until(self, account: Account) -> str:
        return time_of(account.not_before, account.programme)

    @admin.display(description=_("closes"))
    def closes(self, account: Account) -> str:
        return time_of(account.closes_at, account.programme)

    @admin.display(description=_("last entry at"))
    def last_entry(self, account: Account) -> str:
        return time_of(account.last_recorded_at, account.programme)

    @admin.display(description=_("hash of the last entry"))
    def head(self, account: Account) -> str:
        return bytes(account.head_hash).hex()

    @admin.display(description=_("look at"))
    def more(self, account: Account) -> str:
        rows = (
            ("lot", _("its lots")),
            ("entry", _("its entries")),
            ("hold", _("its holds")),
            ("closure", _("its closures")),
        )
        return format_html_join(
            " · ",
            '<a href="{}?account__id__exact={}">{}</a>',
            ((reverse(f"admin:ledger_{name}_changelist"), str(account.pk), text) for name, text in rows),
        )


def _balance(account: Account) -> statements.Balance:
    now = timezone.now()
    return statements.balance(account, at=max(now, account.last_recorded_at or now))
