from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger.models.entry import Entry
from ledger.models.lot import Lot


class Extension(models.Model):
    """A recorded later date of a lot. Why and by whom stands on its entry."""

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="extensions", verbose_name=_("entry"))
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="extensions", verbose_name=_("lot"))
    was = models.DateTimeField(_("expired before"), null=True)
    until = models.DateTimeField(_("expires now"), null=True)
    # Only of a postponed promise.
    spendable_was = models.DateTimeField(_("spendable before"), null=True)
    spendable_until = models.DateTimeField(_("spendable now"), null=True)

    class Meta:
        verbose_name = _("extension")
        verbose_name_plural = _("extensions")

    def __str__(self) -> str:
        return f"{self.lot_id}: {self.was} → {self.until}"
