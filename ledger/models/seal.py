from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger.models.account import Account
from ledger.models.member import Member
from ledger.models.programme import Programme


class Seal(models.Model):
    """A signed root over the heads of the accounts that moved since their last leaf (`ledger.seals` makes it).

    `hash` covers all of it but the signature, and the next seal names it: no seal is taken out of the row unseen.
    """

    number = models.BigIntegerField(_("number"), primary_key=True)  # from 1, without a gap; so two cannot share one
    sealed_at = models.DateTimeField(_("sealed"))
    accounts = models.BigIntegerField(_("accounts"))
    root = models.BinaryField(_("root"))
    previous_hash = models.BinaryField(_("hash of the seal before"))
    hash = models.BinaryField(_("hash"))
    key_id = models.CharField(_("key"), max_length=16, help_text=_("Names the public key that the signature is by."))
    signature = models.BinaryField(_("signature"))

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1), name="seal_numbered_from_one"),
            models.CheckConstraint(condition=Q(accounts__gte=1), name="seal_covers_something"),
        ]

    def __str__(self) -> str:
        return str(self.number)


class SealLeaf(models.Model):
    """What a seal says of one account: whose it was, how many entries it had, and the hash of the last."""

    pk = models.CompositePrimaryKey("seal", "account")  # serves the root, too: the leaves of a seal in account order
    seal = models.ForeignKey(Seal, models.PROTECT, db_index=False, related_name="leaves", verbose_name=_("seal"))
    # No keys into the tables that the seal watches over: who takes an account away is to be found and named, and a
    # hundred thousand leaves lock no rows.
    account = models.ForeignKey(
        Account, models.PROTECT, db_constraint=False, db_index=False, related_name="leaves", verbose_name=_("account")
    )
    programme = models.ForeignKey(
        Programme,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("programme"),
    )
    member = models.ForeignKey(
        Member, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", verbose_name=_("member")
    )
    seq = models.BigIntegerField(_("entries"))
    head_hash = models.BinaryField(_("hash of the last entry"))

    class Meta:
        verbose_name = _("leaf of a seal")
        verbose_name_plural = _("leaves of seals")
        indexes = [
            # Serves sealing: each account's last leaf, with all that is compared, from the index alone.
            models.Index(
                fields=["account", "-seal"], include=["seq", "programme", "member"], name="sealleaf_last_of_account"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seal_id}: {self.account_id}/{self.seq}"
