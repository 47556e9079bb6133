from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger.kinds import Kind
from ledger.models.account import Account
from ledger.models.lot import Lot
from ledger.models.programme import Programme


class Entry(models.Model):
    """One immutable thing that happened to an account. No personal data in it."""

    # No foreign keys of their own from here to the one row of a programme: its key-share locks cost when measured.
    # (account, programme) refers to the account as a pair, in the migration.
    account = models.ForeignKey(
        Account, models.PROTECT, db_constraint=False, db_index=False, related_name="entries", verbose_name=_("account")
    )
    programme = models.ForeignKey(
        Programme, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("programme")
    )
    seq = models.BigIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    amount = models.BigIntegerField(_("amount"))
    debt_delta = models.BigIntegerField(_("added to the debt"), default=0)
    written_off = models.BigIntegerField(_("written off"), default=0, db_default=0)
    balance_after = models.BigIntegerField(_("balance after"))
    debt_after = models.BigIntegerField(_("debt after"))
    key = models.CharField(_("key"), max_length=200, null=True)  # noqa: DJ001  # NULL: a companion entry has no key
    body_hash = models.BinaryField(_("hash of the request"), null=True)
    actor = models.CharField(_("by"), max_length=100)
    reason = models.CharField(_("reason"), max_length=500)
    reference = models.CharField(_("reference"), max_length=200)
    undoes_seq = models.BigIntegerField(_("undoes entry"), null=True)
    asked = models.BigIntegerField(_("asked for"), null=True)
    available = models.BigIntegerField(_("available"), null=True)
    effective_at = models.DateTimeField(_("effective"))
    recorded_at = models.DateTimeField(_("recorded"))
    hash_version = models.SmallIntegerField(_("version of the hash"))
    hash = models.BinaryField(_("hash"))

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        constraints = [
            # Serves history and audit in order; law 13: no number twice.
            models.UniqueConstraint(fields=["account", "seq"], name="entry_seq_once"),
            # Serves the replay look-up; law 1: a key is used once.
            models.UniqueConstraint(fields=["programme", "key"], condition=Q(key__isnull=False), name="entry_key_once"),
            # The rules between its fields are checked by a function at commit, in `migrations/checks.sql`.
        ]
        indexes = [
            # Serves what is left to undo of an entry: earlier clawbacks of a grant, refunds of a redemption.
            models.Index(fields=["account", "undoes_seq"], condition=Q(undoes_seq__isnull=False), name="entry_undoes"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.seq}"


class Allocation(models.Model):
    """How many points one entry took from (negative), or gave to, one lot."""

    # A trigger checks at commit that both are there and of one account; in the migration.
    entry = models.ForeignKey(
        Entry,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="allocations",
        verbose_name=_("entry"),
    )
    lot = models.ForeignKey(Lot, models.PROTECT, db_constraint=False, related_name="allocations", verbose_name=_("lot"))
    delta = models.BigIntegerField(_("points"))
    until = models.DateTimeField(
        _("until"), null=True, help_text=_("Of points that came back: their date then. Empty: never, or others.")
    )

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = [
            models.CheckConstraint(condition=~Q(delta=0), name="allocation_not_empty"),
        ]
        indexes = [
            # Serves history and audit, and the check at commit: an entry's allocations in order, the last one at once.
            models.Index(fields=["entry", "id"], name="allocation_of_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}→{self.lot_id}: {self.delta:+d}"
