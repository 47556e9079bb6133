from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger.chain import GENESIS
from ledger.models.account import Account
from ledger.models.programme import Programme


class Mode(models.TextChoices):
    FULL = "full", _("Everything")
    MOVED = "moved", _("What moved")


class Verdict(models.Model):
    """What one run of the audit said, and how far it came. Append-only: it stays on record when they were clean."""

    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    programme = models.ForeignKey(
        Programme, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("programme")
    )
    account = models.ForeignKey(
        Account,
        models.PROTECT,
        null=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("account"),
    )
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    accounts = models.BigIntegerField(_("accounts"))
    told = models.BigIntegerField(
        _("of them told"),
        help_text=_("Told on from where they were clean, or from their first entry; the others only compared."),
    )
    entries = models.BigIntegerField(_("entries"))
    findings = models.BigIntegerField(_("findings"))
    by_law = models.JSONField(_("findings by law"), default=dict)
    first = models.TextField(_("first findings"), blank=True, default="")
    interrupted = models.BooleanField(_("interrupted"))
    reached = models.BigIntegerField(
        _("reached account"), default=0, help_text=_("The last account that an interrupted run went through whole.")
    )

    class Meta:
        verbose_name = _("verdict")
        verbose_name_plural = _("verdicts")
        indexes = [
            # Serves staff: when the books were last found clean.
            models.Index(fields=["mode", "-ended_at"], condition=models.Q(findings=0), name="verdict_last_clean"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.findings}"


class AccountVerdict(models.Model):
    """Up to which entry an account was last told clean, what its kept numbers were then, and what is found since."""

    account = models.OneToOneField(
        Account,
        models.PROTECT,
        primary_key=True,
        db_constraint=False,
        related_name="audited",
        verbose_name=_("account"),
    )
    seq = models.BigIntegerField(_("clean up to entry"), default=0)
    head_hash = models.BinaryField(_("hash of that entry"), default=GENESIS)
    kept_hash = models.BinaryField(_("hash of the kept numbers then"), default=b"")
    findings = models.BigIntegerField(_("findings"))
    told_at = models.DateTimeField(_("told"))  # from the first entry
    seen_at = models.DateTimeField(_("seen"))  # told, or compared with what it was then

    class Meta:
        verbose_name = _("verdict of an account")
        verbose_name_plural = _("verdicts of accounts")
        indexes = [
            # Serves the clock: who was not looked at for longest.
            models.Index(fields=["seen_at"], name="accountverdict_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.seq}"
