from __future__ import annotations

import zoneinfo
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger.kinds import Origin
from ledger.policies import Model, Rounding, Terms, Unit

# The longest life that a policy can give, so that every date stays inside the calendar.
LONGEST_LIFE = {Unit.DAYS: 36_500, Unit.WEEKS: 5_200, Unit.MONTHS: 1_200, Unit.YEARS: 100}


def validate_zone(name: str) -> None:
    # Names without a place ("localtime") or with a prefix ("posix/…") mean something else on another machine.
    is_a_place = "/" in name and not name.startswith(("posix/", "right/"))
    if not (is_a_place or name == "UTC") or name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone; an example is Asia/Seoul."), params={"name": name}, code="zone"
        )


class Programme(models.Model):
    """A loyalty scheme."""

    code = models.SlugField(
        _("code"),
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$", _("Small letters, digits and hyphens only."))],
        help_text=_("The short name used on the command line and in keys; it never changes."),
    )
    name = models.CharField(_("name"), max_length=100)
    unit = models.CharField(_("unit"), max_length=12, default="P", help_text=_("Written behind a number of points."))
    zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="Asia/Seoul",
        validators=[validate_zone],
        help_text=_("Days begin and end here, for example Asia/Seoul."),
    )
    language = models.CharField(
        _("language"), max_length=10, default="ko", choices=[("ko", "한국어"), ("en", "English")]
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="KRW",
        validators=[RegexValidator(r"^[A-Z]{3}$", _("Three capital letters."))],
    )
    point_value = models.DecimalField(
        _("money value of a point"),
        max_digits=12,
        decimal_places=6,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(0))],
    )
    earn_rate = models.DecimalField(
        _("points per unit of money"),
        max_digits=12,
        decimal_places=6,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("A purchase grants its amount times this, rounded down."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.zone)


class Policy(models.Model):
    """A dated version of a programme's rules. A new version changes no lot that exists (law 12)."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="policies", verbose_name=_("programme"))
    effective_from = models.DateTimeField(_("in force from"), help_text=_("For points granted from this instant on."))
    origin = models.CharField(
        _("only for points from"),
        max_length=20,
        blank=True,
        choices=Origin.choices,
        help_text=_("Empty: for points of every origin without a policy of their own."),
    )
    model = models.CharField(_("points expire"), max_length=20, choices=Model.choices, default=Model.ROLLING)
    count = models.PositiveIntegerField(_("after"), default=0)
    unit = models.CharField(_("unit of time"), max_length=10, choices=Unit.choices, default=Unit.MONTHS)
    rounding = models.CharField(_("rounded up to"), max_length=10, choices=Rounding.choices, default=Rounding.NONE)
    notice_days = models.PositiveIntegerField(
        _("notice duty in days"),
        default=0,
        validators=[MaxValueValidator(1_000)],
        help_text=_("No point expires before its member was told this many days ahead. 0: no duty."),
    )
    notice_slack = models.PositiveIntegerField(
        _("days of slack"),
        default=3,
        validators=[MaxValueValidator(100)],
        help_text=_("Added to the duty when a date is moved because nobody was told in time."),
    )

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        ordering = ["programme", "-effective_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "origin", "effective_from"], name="policy_one_version_per_instant"
            ),
            models.CheckConstraint(
                condition=models.Q(model=Model.NEVER, count=0) | models.Q(model=Model.ROLLING, count__gt=0),
                name="policy_rolling_has_a_life",
                violation_error_message=_("A rolling policy needs a number of at least 1; “never” needs 0."),
            ),
        ]

    def __str__(self) -> str:
        if self.model == Model.NEVER:
            return str(_("never expire"))
        return f"{self.count} {self.get_unit_display()}, {self.get_rounding_display()}"

    def clean(self) -> None:
        longest = LONGEST_LIFE.get(Unit(self.unit), 0) if self.unit in Unit.values else 0
        if self.count and self.count > longest:
            raise ValidationError(
                {"count": _("At most %(longest)d %(unit)s.") % {"longest": longest, "unit": self.get_unit_display()}}
            )

    def terms(self) -> Terms:
        """The policy as plain values, for the pure rules. Needs `programme`."""
        return Terms(
            policy_id=self.pk,
            zone=self.programme.tz,
            model=Model(self.model),
            count=self.count,
            unit=Unit(self.unit),
            rounding=Rounding(self.rounding),
            notice_days=self.notice_days,
            notice_slack=self.notice_slack,
        )
