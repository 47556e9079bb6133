from __future__ import annotations

from datetime import time

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from holidays.utils import list_supported_countries

from ledger.models import Programme


def validate_country(code: str) -> None:
    """A country of ISO 3166, or a part of one, whose holidays are known: KR, CA-QC."""
    country, dash, part = code.partition("-")
    parts = list_supported_countries(include_aliases=False).get(country)
    if parts is None or (dash and part not in parts):
        raise ValidationError(
            _("The holidays of “%(code)s” are not known. Examples are KR for Korea and CA-QC for Quebec."),
            params={"code": code},
            code="country",
        )


class TellingRules(models.Model):
    """How a programme tells its members: the pack that it is held against, its quiet hours, what counts as told."""

    class Pack(models.TextChoices):
        """The rules that a programme can be held against; what each says is in `alerts/rules/packs.py`."""

        KR_GENERAL = "kr-general", _("Korea: points in general")
        KR_CARD = "kr-card", _("Korea: points of a card")
        KR_PREPAID = "kr-prepaid", _("Korea: prepaid")
        QUEBEC = "quebec", _("Quebec")
        ONTARIO = "ontario", _("Ontario")

    class Counts(models.TextChoices):
        ACCEPTED = "accepted", _("accepted by the provider")
        DELIVERED = "delivered", _("delivered")

    programme = models.OneToOneField(
        Programme, models.CASCADE, primary_key=True, related_name="telling", verbose_name=_("programme")
    )
    pack = models.CharField(
        _("pack"),
        max_length=20,
        blank=True,
        choices=Pack.choices,
        help_text=_("The rules that it is held against."),
    )
    open_from = models.TimeField(_("messages from"), default=time(9, 0))
    open_until = models.TimeField(_("until"), default=time(20, 30))
    rests_on_holidays = models.BooleanField(_("nothing on holidays"), default=False)
    country = models.CharField(
        _("holidays of"),
        max_length=6,
        default="KR",
        validators=[validate_country],
        help_text=_("The code of a country, such as KR, or of a part of it, such as CA-QC."),
    )
    counts_when = models.CharField(
        _("counts as told when"), max_length=10, choices=Counts.choices, default=Counts.ACCEPTED
    )
    text_kept_days = models.PositiveIntegerField(
        _("days that texts are kept"), default=365, validators=[MaxValueValidator(3_650)]
    )
    blast_factor = models.PositiveIntegerField(
        _("times the usual"),
        default=5,
        validators=[MinValueValidator(2), MaxValueValidator(1_000)],
        help_text=_("A day with more than so many times the usual reminders waits for a person."),
    )
    blast_least = models.PositiveIntegerField(_("reminders that never wait"), default=1_000)
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True, editable=False)
    stopped_by = models.CharField(_("stopped by"), max_length=100, blank=True, editable=False)
    stopped_why = models.CharField(_("why"), max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = _("rules of telling")
        verbose_name_plural = _("rules of telling")

    def __str__(self) -> str:
        return str(self.programme_id)


class Holiday(models.Model):
    """A day that is a holiday for a programme, or is none, whatever the calendar of its country says."""

    programme = models.ForeignKey(
        Programme, models.CASCADE, db_index=False, related_name="holidays", verbose_name=_("programme")
    )
    day = models.DateField(_("day"))
    is_holiday = models.BooleanField(_("is a holiday"), default=True)
    name = models.CharField(_("name"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        constraints = [models.UniqueConstraint(fields=["programme", "day"], name="holiday_once")]

    def __str__(self) -> str:
        return str(self.day)


class Override(models.Model):
    """A rule of the pack that a programme breaks on purpose, with the reason: append-only.

    It is for what was found then: whoever breaks the rule in another way has to say why anew.
    """

    programme = models.ForeignKey(
        Programme, models.CASCADE, db_index=False, related_name="overrides", verbose_name=_("programme")
    )
    rule = models.CharField(_("rule"), max_length=60)
    found = models.CharField(_("found"), max_length=200)
    reason = models.CharField(_("reason"), max_length=500)
    by = models.CharField(_("by"), max_length=100)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("override")
        verbose_name_plural = _("overrides")
        indexes = [models.Index(fields=["programme", "rule"], name="override_of_rule")]

    def __str__(self) -> str:
        return f"{self.programme_id}/{self.rule}"


class PlanHold(models.Model):
    """A day's plan far above the usual: it waits until a person lets it go, or says no."""

    programme = models.ForeignKey(
        Programme, models.CASCADE, db_index=False, related_name="plan_holds", verbose_name=_("programme")
    )
    day = models.DateField(_("day"))
    planned = models.PositiveIntegerField(_("reminders"))
    usual = models.PositiveIntegerField(_("usual"))
    made_at = models.DateTimeField(_("held since"))
    decided_at = models.DateTimeField(_("decided"), null=True)
    decided_by = models.CharField(_("by"), max_length=100, blank=True)
    let_go = models.BooleanField(_("let go"), null=True)
    why = models.CharField(_("why"), max_length=200, blank=True, default="", db_default="")  # of the decision

    class Meta:
        verbose_name = _("held plan")
        verbose_name_plural = _("held plans")
        permissions = [("decide_planhold", "Can decide held plans")]
        constraints = [
            models.UniqueConstraint(fields=["programme", "day"], name="plan_hold_once"),
            models.CheckConstraint(
                condition=Q(decided_at=None, let_go=None) | Q(decided_at__isnull=False, let_go__isnull=False),
                name="plan_hold_decided_or_not",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme_id}/{self.day}"
