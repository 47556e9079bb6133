"""Bounded pages: nobody counts a table of millions to show its first fifty rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

MOST_ROWS = 5_000


def as_number(key: str) -> int | None:
    """The number of a row as it stands in a page's address; None: what stands there can be none."""
    return int(key) if key.isascii() and key.isdecimal() and len(key) < 19 else None


class BoundedPaginator(Paginator):
    """Counts no further than MOST_ROWS; older rows are found by searching."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[:MOST_ROWS].count())


class PlainAddress(admin.ModelAdmin):
    """Filters hand what stands in the address to the database, which knows no text with a NUL: that is a 400."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if any("\0" in text for name, texts in request.GET.lists() for text in (name, *texts)):
            raise BadRequest(_("The address contains a character that does not belong there."))
        return super().changelist_view(request, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """None: no row has such a name."""
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)


class ReadOnlyAdmin(PlainAddress):
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
