from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Max
from django.utils.translation import gettext_lazy as _

from alerts.models.contact import Channel
from ledger.models import Policy, Programme


class ReminderRule(models.Model):
    """One reminder of a programme: so many days before the last day, on this channel."""

    programme = models.ForeignKey(
        Programme, models.CASCADE, db_index=False, related_name="reminder_rules", verbose_name=_("programme")
    )
    offset_days = models.PositiveIntegerField(
        _("days before"),
        validators=[MaxValueValidator(3_650)],
        help_text=_("The reminder goes out from this many days before the last day on."),
    )
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices, default=Channel.EMAIL)
    least_points = models.PositiveBigIntegerField(
        _("least points"),
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("Nobody is written to about fewer points than this."),
    )

    class Meta:
        verbose_name = _("reminder rule")
        verbose_name_plural = _("reminder rules")
        ordering = ["programme", "-offset_days"]
        constraints = [
            # Serves planning and fan-out: the rules of a programme, and the rule of a reminder.
            models.UniqueConstraint(
                fields=["programme", "offset_days"],
                name="reminder_rule_offset_once",
                violation_error_message=_("This programme has a reminder with this number of days already."),
            ),
            models.CheckConstraint(condition=models.Q(least_points__gte=1), name="reminder_rule_least_points"),
        ]

    def __str__(self) -> str:
        return str(_("%(days)d days before") % {"days": self.offset_days})

    def clean(self) -> None:
        """The first reminder must leave room for the notice duty: a later one could never open the gate."""
        if not self.programme_id or not isinstance(self.offset_days, int):
            return  # the fields' own errors are said already
        needed = self.days_needed(self.programme_id)
        others = ReminderRule.objects.filter(programme_id=self.programme_id).exclude(pk=self.pk)
        first = max(self.offset_days, others.aggregate(first=Max("offset_days"))["first"] or 0)
        if first < needed:
            raise ValidationError(
                {
                    "offset_days": _(
                        "The first reminder must go out at least %(needed)d days before: the notice duty of the "
                        "programme's policy and its days of slack."
                    )
                    % {"needed": needed}
                },
                code="too_late_for_the_duty",
            )

    @staticmethod
    def days_needed(programme_id: int) -> int:
        """`notice_days` + `notice_slack` of the programme's strictest policy; 0: there is no duty."""
        duties = Policy.objects.filter(programme_id=programme_id, notice_days__gt=0)
        return duties.aggregate(needed=Max(F("notice_days") + F("notice_slack")))["needed"] or 0
