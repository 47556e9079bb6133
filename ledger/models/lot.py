from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ledger.allocation import LotState
from ledger.kinds import Origin
from ledger.models.account import Account
from ledger.models.programme import Policy, Programme


class LotQuerySet(models.QuerySet["Lot"]):
    """The predicates of `allocation.py` in SQL; `tests/ledger/test_statements.py` holds the two together."""

    def live(self, at: datetime) -> Self:
        """Lots that count towards the balance at `at`."""
        return self.filter(Q(open=True) & (Q(expires_at=None) | Q(expires_at__gt=at) | Q(gated=True)))

    def spendable(self, at: datetime) -> Self:
        """Lots that can be redeemed at `at`."""
        return self.live(at).filter(spendable_at__lte=at)

    def overdue(self, at: datetime) -> Self:
        """Lots that the clock has ended and nobody has written off yet."""
        return self.filter(open=True, gated=False, expires_at__lte=at)


class Lot(models.Model):
    """Points that came together and go together; `remaining` is a projection of the allocations (law 3)."""

    account = models.ForeignKey(
        Account, models.PROTECT, db_constraint=False, db_index=False, related_name="lots", verbose_name=_("account")
    )
    programme = models.ForeignKey(
        Programme, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("programme")
    )
    seq = models.BigIntegerField(_("made by entry"))
    number = models.IntegerField(_("number in that entry"))
    family_seq = models.BigIntegerField(_("first granted by entry"))
    policy = models.ForeignKey(Policy, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("policy"))
    origin = models.CharField(_("origin"), max_length=20, choices=Origin.choices)
    granted = models.BigIntegerField(_("granted"))
    remaining = models.BigIntegerField(_("left"))
    open = models.BooleanField(_("open"))
    spendable_at = models.DateTimeField(_("spendable from"))
    expires_at = models.DateTimeField(_("expires"), null=True)
    gated = models.BooleanField(_("waits for a notice"))
    moved_untold = models.BooleanField(_("moved because nobody was told"), default=False, db_default=False)
    notice_days = models.IntegerField(_("notice duty in days"))
    notice_slack = models.IntegerField(_("days of slack"))
    first_spendable_at = models.DateTimeField(_("spendable from, when made"))
    first_expires_at = models.DateTimeField(_("expires, when made"), null=True)

    objects = LotQuerySet.as_manager()

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        permissions = [("extend_lot", "Can extend lots"), ("reinstate_lot", "Can reinstate lots")]
        constraints = [
            models.UniqueConstraint(fields=["account", "seq", "number"], name="lot_named_once"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0) & Q(remaining__lte=F("granted")), name="lot_remaining_within_granted"
            ),
            models.CheckConstraint(
                condition=Q(open=True, remaining__gt=0) | Q(open=False, remaining=0), name="lot_open_means_remaining"
            ),
            models.CheckConstraint(
                condition=Q(gated=False) | Q(notice_days__gt=0, expires_at__isnull=False), name="lot_gated_by_a_duty"
            ),
        ]
        # WHERE open, never WHERE remaining > 0: the latter would make every update of `remaining` leave the
        # heap-only path.
        indexes = [
            # Serves every act: the open lots in redemption order.
            models.Index(
                fields=["account", "expires_at", "seq", "number"], condition=Q(open=True), name="lot_redemption_order"
            ),
            # Serves the sweep: what the clock has ended, oldest first.
            models.Index(fields=["expires_at"], condition=Q(open=True, gated=False), name="lot_sweep"),
            # Serves planning: what goes when in a programme.
            models.Index(fields=["programme", "expires_at"], condition=Q(open=True), name="lot_expiring"),
            # Serves the notice gate: what still waits for a notice.
            models.Index(fields=["programme", "expires_at"], condition=Q(open=True, gated=True), name="lot_untold"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.seq}.{self.number}"

    def state(self) -> LotState:
        """The lot as the pure rules see it."""
        return LotState(
            id=self.pk,
            seq=self.seq,
            number=self.number,
            family_seq=self.family_seq,
            policy_id=self.policy_id,
            origin=self.origin,
            granted=self.granted,
            remaining=self.remaining,
            spendable_at=self.spendable_at,
            expires_at=self.expires_at,
            gated=self.gated,
            notice_days=self.notice_days,
            notice_slack=self.notice_slack,
            first_spendable_at=self.first_spendable_at,
            first_expires_at=self.first_expires_at,
            moved_untold=self.moved_untold,
        )

    def as_made(self) -> LotState:
        """The lot as it was when it was made, before it was given its points."""
        state = self.state()
        state.remaining, state.moved_untold = 0, False
        state.spendable_at, state.expires_at = self.first_spendable_at, self.first_expires_at
        state.gated = self.notice_days > 0 and state.expires_at is not None
        return state
