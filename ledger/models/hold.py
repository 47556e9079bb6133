from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger.models.account import Account
from ledger.models.programme import Programme


class Hold(models.Model):
    """Points redeemed provisionally by the entry `seq`; `open` until captured, released, or lapsed by the clock."""

    account = models.ForeignKey(
        Account, models.PROTECT, db_constraint=False, db_index=False, related_name="holds", verbose_name=_("account")
    )
    programme = models.ForeignKey(
        Programme, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("programme")
    )
    seq = models.BigIntegerField(_("made by entry"))
    points = models.BigIntegerField(_("points"))
    lapses_at = models.DateTimeField(_("lapses"))
    open = models.BooleanField(_("open"))

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            # Serves the acts on an account's holds, in the order they were made.
            models.UniqueConstraint(fields=["account", "seq"], name="hold_made_once"),
            models.CheckConstraint(condition=Q(points__gt=0), name="hold_holds_something"),
        ]
        indexes = [
            # Serves the sweep: what the clock has released, oldest first.
            models.Index(fields=["lapses_at"], condition=Q(open=True), name="hold_sweep"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.seq}"
