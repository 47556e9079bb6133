from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger.models.programme import Programme

BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)  # the first value of a programme counts for all times


class PointValue(models.Model):
    """What a point of a programme is worth in money from an instant on. Another value follows; none is ever changed."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="point_values", verbose_name=_("programme"))
    since = models.DateTimeField(
        _("counts from"),
        help_text=_("Empty: from now on; of a new programme, for all times. It cannot reach back."),
    )
    value = models.DecimalField(
        _("money value of a point"),
        max_digits=12,
        decimal_places=6,
        validators=[MinValueValidator(Decimal(0))],
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        validators=[RegexValidator(r"^[A-Z]{3}$", _("Three capital letters."))],
    )
    recorded_at = models.DateTimeField(_("recorded"), editable=False)
    actor = models.CharField(_("by"), max_length=100, editable=False)

    class Meta:
        verbose_name = _("value of a point")
        verbose_name_plural = _("values of a point")
        ordering = ["-since", "-pk"]

    def __str__(self) -> str:
        return f"{self.value.normalize():f} {self.currency}"
