from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger.chain import GENESIS
from ledger.models.member import Member
from ledger.models.programme import Programme


class Account(models.Model):
    """A member's points: the row that is locked, with its cached numbers.

    `balance` is the sum of what is left in all lots (law 4) as of the last entry; what can be seen and spent
    at an instant is asked of `ledger.statements`, which goes by the clock.
    """

    programme = models.ForeignKey(Programme, models.PROTECT, db_index=False, verbose_name=_("programme"))
    member = models.OneToOneField(Member, models.PROTECT, verbose_name=_("member"))
    balance = models.BigIntegerField(_("balance"), default=0)
    debt = models.BigIntegerField(_("debt"), default=0)
    seq = models.BigIntegerField(_("entries"), default=0)
    head_hash = models.BinaryField(_("hash of the last entry"), default=GENESIS)
    last_recorded_at = models.DateTimeField(_("last entry at"), null=True, blank=True)
    active_at = models.DateTimeField(_("last activity"), null=True, blank=True)
    not_before = models.DateTimeField(
        _("kept until"), null=True, blank=True, help_text=_("Points under an inactivity policy go no earlier.")
    )
    lapses_at = models.DateTimeField(_("next hold lapses"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    closed = models.BooleanField(_("closed"), default=False)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        permissions = [("adjust_account", "Can adjust accounts")]
        constraints = [
            models.CheckConstraint(condition=models.Q(balance__gte=0), name="account_balance_not_negative"),
            models.CheckConstraint(condition=models.Q(debt__gte=0), name="account_debt_not_negative"),
            # Law 4: live points pay debt first, so whoever is in debt has none left.
            models.CheckConstraint(
                condition=models.Q(debt=0) | models.Q(balance=0), name="account_in_debt_holds_nothing"
            ),
            models.CheckConstraint(
                condition=models.Q(closed=False) | models.Q(closes_at__isnull=False, balance=0, lapses_at__isnull=True),
                name="account_closed_holds_nothing",
            ),
            # The hot tables point here with both columns, so that no row of theirs can name another programme.
            models.UniqueConstraint(fields=["id", "programme"], name="account_with_its_programme"),
        ]

    def __str__(self) -> str:
        return f"{self.programme_id}/{self.pk}"
