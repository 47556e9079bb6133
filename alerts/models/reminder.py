from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger.models import Account, Programme


class Reminder(models.Model):
    """The intention to tell a member that points go on a day: one per account, date and offset.

    It has no state of its own: what became of it is what became of its deliveries.
    """

    # No foreign key in the database to the one row of a programme: its key-share locks cost when measured.
    programme = models.ForeignKey(
        Programme, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("programme")
    )
    # An account is one member in one programme, so it stands for both in the constraint below.
    account = models.ForeignKey(
        Account, models.PROTECT, db_index=False, related_name="reminders", verbose_name=_("account")
    )
    expires_at = models.DateTimeField(_("points expire"))
    expires_on = models.DateField(_("last day"))
    offset_days = models.PositiveIntegerField(_("days before"))
    due_at = models.DateTimeField(_("due"))
    points_planned = models.BigIntegerField(_("points when planned"))
    planned_at = models.DateTimeField(_("planned"))
    fanned_out_at = models.DateTimeField(_("messages made"), null=True)  # a mark of the queue, not a state

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [
            # Nobody is told twice of the same. Also serves planning: what an account's date was planned for already.
            models.UniqueConstraint(fields=["account", "expires_at", "offset_days"], name="reminder_once"),
        ]
        indexes = [
            # Serves fan-out: the reminders without messages, the longest due first.
            models.Index(fields=["due_at"], condition=models.Q(fanned_out_at=None), name="reminder_to_fan_out"),
            # Serves the guard against plans far above the usual: what was planned today. Rows come in that order, so
            # an index of ranges is enough, and costs planning next to nothing.
            BrinIndex(fields=["planned_at"], name="reminder_planned", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.expires_on} - {self.offset_days}"
