from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger.kinds import Waiver
from ledger.models.account import Account
from ledger.models.entry import Entry


class Notice(models.Model):
    """A recorded fact: the member was told that these lots go on this day, and the evidence; or why nobody was."""

    entry = models.OneToOneField(Entry, models.PROTECT, related_name="notice", verbose_name=_("entry"))
    account = models.ForeignKey(
        Account, models.PROTECT, db_constraint=False, db_index=False, related_name="notices", verbose_name=_("account")
    )
    expires_at = models.DateTimeField(_("lots expire"))
    expires_on = models.DateField(_("last day"))
    told_on = models.DateField(_("told on"))
    channel = models.CharField(_("channel"), max_length=20)
    evidence = models.CharField(_("evidence"), max_length=200, help_text=_("What shows it, for example a delivery."))
    waiver = models.CharField(_("waived because"), max_length=20, choices=Waiver.choices, blank=True, db_default="")
    lots = ArrayField(models.BigIntegerField(), verbose_name=_("lots"))

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        indexes = [
            # Serves law 15 and its trigger: the notices of an account for one date.
            models.Index(fields=["account", "expires_at"], name="notice_of_a_date"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.expires_on}, told {self.told_on}"
