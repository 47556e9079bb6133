from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger.models import Programme


class ExtensionRule(models.Model):
    """Members who were active lately get more time, so many times for each lot."""

    programme = models.ForeignKey(
        Programme, models.CASCADE, related_name="extension_rules", verbose_name=_("programme")
    )
    active = models.BooleanField(_("in force"), default=True)
    active_days = models.PositiveIntegerField(
        _("active in the last days"),
        validators=[MinValueValidator(1), MaxValueValidator(3_650)],
        help_text=_("Who earned or redeemed points in this many days counts as active."),
    )
    extend_days = models.PositiveIntegerField(
        _("days more"), validators=[MinValueValidator(1), MaxValueValidator(3_650)]
    )
    most_times = models.PositiveIntegerField(
        _("at most so many times for each lot"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    days_before = models.PositiveIntegerField(
        _("when so many days are left"),
        validators=[MaxValueValidator(3_650)],
        help_text=_("Points are extended when their last day is this near."),
    )

    class Meta:
        verbose_name = _("extension rule")
        verbose_name_plural = _("extension rules")
        ordering = ["programme", "pk"]
        constraints = [
            # The limits of the form hold for every way in: nothing is ever extended by nothing, or for ever.
            models.CheckConstraint(
                condition=Q(active_days__range=(1, 3_650)) & Q(extend_days__range=(1, 3_650)),
                name="extension_rule_days_within_limits",
            ),
            models.CheckConstraint(
                condition=Q(most_times__range=(1, 100)) & Q(days_before__lte=3_650),
                name="extension_rule_times_within_limits",
            ),
        ]

    def __str__(self) -> str:
        return str(
            _("active in %(active)d days: %(more)d days more, at most %(times)d times")
            % {"active": self.active_days, "more": self.extend_days, "times": self.most_times}
        )
