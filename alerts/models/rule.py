from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Max
from django.utils.translation import gettext_lazy as _

from alerts.models.contact import Channel
from ledger.models import Policy, Programme


def by_email() -> list[str]:
    return [Channel.EMAIL.value]


class ReminderRule(models.Model):
    """One reminder of a programme: so many days before the last day, on these channels."""

    programme = models.ForeignKey(
        Programme, models.CASCADE, db_index=False, related_name="reminder_rules", verbose_name=_("programme")
    )
    offset_days = models.PositiveIntegerField(
        _("days before"),
        validators=[MaxValueValidator(3_650)],
        help_text=_("The reminder goes out from this many days before the last day on."),
    )
    channels = ArrayField(
        models.CharField(max_length=20, choices=Channel.choices),
        default=by_email,
        verbose_name=_("channels in order"),
        help_text=_("The first that reach the member are used; the next ones when a message came to nothing."),
    )
    at_once = models.PositiveSmallIntegerField(
        _("channels used at once"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("Two, where a member must be told on two channels."),
    )
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
            models.CheckConstraint(
                condition=models.Q(channels__len__gte=1, channels__contained_by=list(Channel), at_once__gte=1),
                name="reminder_rule_channels_are_known",
            ),
        ]

    def __str__(self) -> str:
        return str(_("%(days)d days before") % {"days": self.offset_days})

    def clean(self) -> None:
        """Each channel once and enough of them; and the first reminder must leave room for the notice duty."""
        self._check_channels()
        self._check_room_for_the_duty()

    def _check_channels(self) -> None:
        """A channel twice would be one message twice; more at once than there are could never be kept."""
        if not isinstance(self.channels, list) or not self.channels:
            return  # the field's own error is said already
        twice = [channel for n, channel in enumerate(self.channels) if channel in self.channels[:n]]
        if twice:
            raise ValidationError(
                {
                    "channels": _("“%(channel)s” stands here twice; each channel can stand here only once.")
                    % {"channel": twice[0]}
                },
                code="channel_twice",
            )
        if isinstance(self.at_once, int) and self.at_once > len(self.channels):
            raise ValidationError(
                {
                    "at_once": _("At most %(number)d: there are no more channels in this rule.")
                    % {"number": len(self.channels)}
                },
                code="more_than_channels",
            )

    def _check_room_for_the_duty(self) -> None:
        """A first reminder later than the duty and its slack could never open the gate."""
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
