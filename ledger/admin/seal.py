"""Seals: the signed lines under the ledger. Whether they hold is what `manage.py seal --verify` says."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from ledger.admin.facts import FactAdmin, accounts_of
from ledger.models import Seal


@admin.register(Seal)
class SealAdmin(FactAdmin):
    list_display = ("number", "sealed", "accounts", "root_begins", "key_id")
    search_help_text = _("A seal's number, or a member's reference in full: the seals that cover the account.")
    fields = readonly_fields = (
        "number", "sealed", "accounts", "root_hex", "previous_hex", "hash_hex", "key_id", "signature_hex",
    )  # fmt: skip

    def found(self, queryset: QuerySet, term: str) -> QuerySet[Any]:
        numbered = Q(pk=int(term)) if term.isdecimal() and len(term) < 19 else Q(pk__in=())
        covering = Seal.objects.filter(leaves__account__in=accounts_of(term)).values("pk")
        return queryset.filter(numbered | Q(pk__in=covering))

    @admin.display(description=_("sealed"), ordering="pk")
    def sealed(self, seal: Seal) -> str:
        return f"{seal.sealed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

    @admin.display(description=_("root"))
    def root_begins(self, seal: Seal) -> str:
        return f"{bytes(seal.root).hex()[:16]}…"

    @admin.display(description=_("root"))
    def root_hex(self, seal: Seal) -> str:
        return bytes(seal.root).hex()

    @admin.display(description=_("hash of the seal before"))
    def previous_hex(self, seal: Seal) -> str:
        return bytes(seal.previous_hash).hex()

    @admin.display(description=_("hash"))
    def hash_hex(self, seal: Seal) -> str:
        return bytes(seal.hash).hex()

    @admin.display(description=_("signature"))
    def signature_hex(self, seal: Seal) -> str:
        return bytes(seal.signature).hex()
