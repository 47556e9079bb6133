"""Bounded pages: nobody counts a table of millions to show its first fifty rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property

MOST_ROWS = 5_000


class BoundedPaginator(Paginator):
    """Counts no further than MOST_ROWS; older rows are found by searching."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[:MOST_ROWS].count())


class ReadOnlyAdmin(admin.ModelAdmin):
    """No adding, changing or deleting; every field is shown."""

    actions = None
    paginator = BoundedPaginator
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, *args: object) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
