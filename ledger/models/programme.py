from __future__ import annotations

import zoneinfo
from calendar import monthrange
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from ledger.kinds import Origin
from ledger.policies import Beyond, Model, Rounding, Terms, Unit

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
    earn_rate = models.DecimalField(
        _("points per unit of money"),
        max_digits=12,
        decimal_places=6,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("A purchase grants its amount times this, rounded down."),
    )
    books_closed_until = models.DateField(
        _("books closed until"), null=True, blank=True, help_text=_("Nothing can take effect on an earlier day.")
    )
    policy_notice_days = models.PositiveIntegerField(
        _("notice of a worse policy in days"),
        default=30,
        validators=[MaxValueValidator(1_000)],
        help_text=_("A policy that makes new points worse is announced at least so many days before it takes effect."),
    )
    cooling_off_days = models.PositiveIntegerField(
        _("cooling-off days"),
        default=14,
        validators=[MaxValueValidator(366)],
        help_text=_("How long a member who closes the account can think again."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Books are closed until today at most, and what was closed stays closed; the database's clock says today."""
        if self.zone not in zoneinfo.available_timezones():
            return  # said by its own field
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT (clock_timestamp() AT TIME ZONE %s)::date,
                       (SELECT books_closed_until FROM ledger_programme WHERE id = %s)
                """,
                [self.zone, self.pk],
            )
            today, closed = cursor.fetchone()
        until = self.books_closed_until
        if until and until > today:
            raise ValidationError(
                {"books_closed_until": _("Books close until today, %(today)s, at most.") % {"today": today}}
            )
        if closed and (until is None or until < closed):
            raise ValidationError(
                {"books_closed_until": _("Books that are closed stay closed: not before %(day)s.") % {"day": closed}}
            )

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
    fixed_month = models.PositiveSmallIntegerField(_("month"), default=0, validators=[MaxValueValidator(12)])
    fixed_day = models.PositiveSmallIntegerField(
        _("day"),
        default=0,
        validators=[MaxValueValidator(31)],
        help_text=_("Only for a fixed day of the year: points are valid through it."),
    )
    spendable_after_days = models.PositiveIntegerField(
        _("spendable after days"),
        default=0,
        validators=[MaxValueValidator(1_000)],
        help_text=_("0: at once."),
    )
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
    notice_max_days = models.PositiveIntegerField(
        _("earliest notice in days"),
        default=0,
        validators=[MaxValueValidator(1_000)],
        help_text=_("A notice given earlier than this many days ahead does not count. 0: no bound."),
    )
    notice_channels = models.PositiveSmallIntegerField(
        _("channels of a notice"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("On how many different channels the member must have been told."),
    )
    accepts_waivers = models.BooleanField(
        _("accepts waivers"),
        default=False,
        help_text=_("Points of members who cannot be told expire all the same. Off: they stay until they can be told."),
    )
    restored_floor_days = models.PositiveIntegerField(
        _("least life of returned points in days"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(3_650)],
        help_text=_("Points that come back by a refund can be used for at least so long."),
    )
    reinstate_window_days = models.PositiveIntegerField(
        _("reinstatement window in days"),
        default=0,
        validators=[MaxValueValidator(3_650)],
        help_text=_("How long after their expiry points can be given back. 0: never."),
    )
    reinstate_life_days = models.PositiveIntegerField(
        _("life of reinstated points in days"), default=30, validators=[MinValueValidator(1), MaxValueValidator(3_650)]
    )
    clawback_beyond = models.CharField(
        _("a clawback beyond the points at hand"), max_length=10, choices=Beyond.choices, default=Beyond.DEBT
    )
    announced_on = models.DateField(
        _("announced on"),
        null=True,
        blank=True,
        help_text=_("The day on which members were told of this policy. Needed where it makes new points worse."),
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
                condition=models.Q(model=Model.NEVER, count=0)
                | models.Q(model__in=[Model.ROLLING, Model.INACTIVITY], count__gt=0)
                | models.Q(model=Model.FIXED_DAY),
                name="policy_rolling_has_a_life",
                violation_error_message=_("A time after something needs a number of at least 1; “never” needs 0."),
            ),
            models.CheckConstraint(
                condition=models.Q(model=Model.FIXED_DAY, fixed_month__gt=0, fixed_day__gt=0)
                | (~models.Q(model=Model.FIXED_DAY) & models.Q(fixed_month=0, fixed_day=0)),
                name="policy_fixed_day_is_named",
                violation_error_message=_("A fixed day needs its month and day; other policies have none."),
            ),
            models.CheckConstraint(
                condition=models.Q(notice_max_days=0) | models.Q(notice_max_days__gte=models.F("notice_days")),
                name="policy_notice_window_is_open",
                violation_error_message=_("The earliest notice cannot come after the latest."),
            ),
        ]

    def __str__(self) -> str:
        if self.model == Model.NEVER:
            return str(_("never expire"))
        if self.model == Model.FIXED_DAY:
            return f"{self.get_model_display()}: {self.fixed_month:02}-{self.fixed_day:02}"
        return f"{self.count} {self.get_unit_display()}, {self.get_rounding_display()}"

    def clean(self) -> None:
        is_a_month = self.model == Model.FIXED_DAY and self.fixed_month in range(1, 13)
        if is_a_month and self.fixed_day and self.fixed_day > monthrange(2024, self.fixed_month)[1]:
            raise ValidationError({"fixed_day": _("This month has no such day.")})
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
            fixed_month=self.fixed_month,
            fixed_day=self.fixed_day,
            spendable_after_days=self.spendable_after_days,
            notice_days=self.notice_days,
            notice_slack=self.notice_slack,
            notice_max_days=self.notice_max_days,
            notice_channels=self.notice_channels,
            accepts_waivers=self.accepts_waivers,
            restored_floor_days=self.restored_floor_days,
            reinstate_window_days=self.reinstate_window_days,
            reinstate_life_days=self.reinstate_life_days,
            clawback_beyond=Beyond(self.clawback_beyond),
        )
