"""What all pages over facts share: nothing is added, changed or deleted here, and no list counts ten million rows."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger.models import Account, Closure, Entry, Hold, Lot, Programme
from ledger.policies import last_day

# Rows that a list lets one turn over. Who needs more searches; the list says so.
MOST_ROWS = 1_000


class BoundedPaginator(Paginator):
    """Counts no further than MOST_ROWS, so that a list of a huge table costs what its first pages cost."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        number: int = rows.order_by()[:MOST_ROWS].count() if isinstance(rows, QuerySet) else len(rows)
        return number


class BoundedAdmin(admin.ModelAdmin):
    """A list in bounded pages."""

    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # they would count each filter's rows
    paginator = BoundedPaginator
    change_list_template = "admin/ledger/bounded_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        refuse_nul(request)
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, "most_rows": MOST_ROWS, **(extra_context or {})})


def refuse_nul(request: HttpRequest) -> None:
    """Filters hand what stands in the address to the database, which knows no text with a NUL. Raises BadRequest."""
    if any("\0" in text for name, texts in request.GET.lists() for text in (name, *texts)):
        raise BadRequest(_("The address contains a character that does not belong there."))


class LookOnly:
    """No add, no change, no delete, for anybody: also by address."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class FactAdmin(LookOnly, BoundedAdmin):
    """A table of facts, found by a member's reference or by the key of an act."""

    ordering = ("-pk",)
    # Not names of fields: `found` looks up by index. Django only asks whether there are any, to show the search.
    search_fields = ("reference",)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        title = capfirst(self.opts.verbose_name)
        return super().change_view(request, object_id, form_url, {"title": title, **(extra_context or {})})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows of the members with exactly this reference, or of the acts with exactly this key."""
        term = search_term.strip()
        return (self.found(queryset, term) if term else queryset), False

    def found(self, queryset: QuerySet, term: str) -> QuerySet[Any]:
        raise NotImplementedError


class OpenFilter(admin.SimpleListFilter):
    """Those that are still open: what the index of the sweep serves."""

    title = gettext_lazy("open")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return (("1", gettext_lazy("still open")),)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(open=True) if self.value() == "1" else queryset


class LookOnlyInline(LookOnly, admin.TabularInline):
    """Facts shown below the fact they belong to."""

    template = "admin/ledger/facts_inline.html"
    extra = 0
    can_delete = False


def programme_ids() -> list[int]:
    """All programmes: a handful, and the first column of the indexes that a search uses."""
    return list(Programme.objects.values_list("pk", flat=True))


def accounts_of(reference: str) -> list[int]:
    """The accounts of members with exactly this reference, in any programme."""
    found = Account.objects.filter(member__programme__in=programme_ids(), member__reference=reference)
    return list(found.values_list("pk", flat=True))


def entries_with(key: str) -> list[int]:
    """The entries of acts with exactly this key, in any programme."""
    return list(Entry.objects.filter(programme__in=programme_ids(), key=key).values_list("pk", flat=True))


def made_by(key: str, model: type[Hold] | type[Closure] | type[Lot]) -> list[int]:
    """What the acts with exactly this key made, of one kind of row."""
    acts = Entry.objects.filter(pk__in=entries_with(key)).values_list("account_id", "seq")
    return [pk for account, seq in acts for pk in _made(model, account, seq)]


def _made(model: type[Hold] | type[Closure] | type[Lot], account_id: int, seq: int) -> list[int]:
    return list(model._default_manager.filter(account=account_id, seq=seq).values_list("pk", flat=True))


def account_link_of(row: Entry | Lot | Hold | Closure) -> SafeString:
    account: Account = row.account
    return link(reverse("admin:ledger_account_change", args=[account.pk]), f"{account} · {account.member}")


def entry_link_of(row: Lot | Hold | Closure) -> SafeString:
    """The entry that made this row."""
    entry = Entry.objects.get(account=row.account_id, seq=row.seq)
    return link(reverse("admin:ledger_entry_change", args=[entry.pk]), entry)


def day_of(expires_at: datetime | None, programme: Programme) -> str:
    """The last day to use points that expire then, in the programme's zone."""
    if expires_at is None:
        return _("never")
    return format_html('<span class="nowrap">{}</span>', last_day(expires_at, programme.tz).isoformat())


def time_of(at: datetime | None, programme: Programme) -> str:
    """An instant on the clock of the programme's zone, as “2025-03-10 12:00 KST”."""
    return f"{at.astimezone(programme.tz):%Y-%m-%d %H:%M %Z}" if at else "–"


def link(url: str, text: object) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)
