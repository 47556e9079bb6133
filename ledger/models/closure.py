from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger.models.account import Account
from ledger.models.programme import Programme


class Closure(models.Model):
    """The end of an account, asked for by the entry `seq`; `open` until withdrawn, or in effect at `closes_at`."""

    account = models.ForeignKey(
        Account, models.PROTECT, db_constraint=False, db_index=False, related_name="closures", verbose_name=_("account")
    )
    programme = models.ForeignKey(
        Programme, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("programme")
    )
    seq = models.BigIntegerField(_("made by entry"))
    closes_at = models.DateTimeField(_("takes effect"))
    points = models.BigIntegerField(_("points that were told to go"))
    open = models.BooleanField(_("open"))

    class Meta:
        verbose_name = _("closure")
        verbose_name_plural = _("closures")
        constraints = [
            models.UniqueConstraint(fields=["account", "seq"], name="closure_made_once"),
            # Serves an account's own look; and nobody closes an account twice at once.
            models.UniqueConstraint(fields=["account"], condition=Q(open=True), name="closure_one_at_a_time"),
            models.CheckConstraint(condition=Q(points__gte=0), name="closure_points_not_negative"),
        ]
        indexes = [
            # Serves the sweep: what takes effect, oldest first.
            models.Index(fields=["closes_at"], condition=Q(open=True), name="closure_sweep"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.seq}"
