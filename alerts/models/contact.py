from __future__ import annotations

from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from ledger.models import Member
from ledger.models.programme import validate_zone


def validate_zone_in_database(name: str) -> None:
    # Python and PostgreSQL have tables of their own: a zone that only one of them knows would stop a statement later.
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = %s)", [name])
        (is_known,) = cursor.fetchone()
    if not is_known:
        raise ValidationError(
            _("The database does not know the time zone “%(name)s”."), params={"name": name}, code="zone"
        )


class Channel(models.TextChoices):
    """The ways of telling people."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    ALIMTALK = "alimtalk", _("KakaoTalk AlimTalk")


class ContactQuerySet(models.QuerySet["Contact"]):
    def usable(self) -> Self:
        """Addresses that may be written to. The bulk statements of `reminders.py` and `untold.py` say it in SQL."""
        return self.filter(active=True, verified=True, refused_at=None)


class Contact(models.Model):
    """An address of a member: the only personal data of the alerting line."""

    member = models.ForeignKey(
        Member, models.CASCADE, db_index=False, related_name="contacts", verbose_name=_("member")
    )
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices, default=Channel.EMAIL)
    address = models.CharField(_("address"), max_length=254)
    language = models.CharField(
        _("language"), max_length=10, default="ko", choices=[("ko", "한국어"), ("en", "English")]
    )
    zone = models.CharField(
        _("time zone"),
        max_length=60,
        blank=True,
        default="",
        validators=[validate_zone, validate_zone_in_database],
        help_text=_("Empty: the programme's."),
    )
    verified = models.BooleanField(
        _("verified"), default=False, help_text=_("The address is known to be the member's. Others are not written to.")
    )
    verified_at = models.DateTimeField(
        _("verified at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Since when this very address is known to be the member's."),
    )
    active = models.BooleanField(_("in use"), default=True)
    refused_at = models.DateTimeField(
        _("refused"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Since when the mail server refuses this address for good; a new address starts afresh."),
    )

    # Of the address, as `traces` makes it: by it a report finds everybody who has the address. Empty: entered by the
    # version before, while this one was rolled out.
    address_trace = models.CharField(
        _("hash of the address"), max_length=64, blank=True, default="", db_default="", editable=False
    )

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            # Serves the look-up of a member's addresses, and keeps an address from being written to twice.
            models.UniqueConstraint(fields=["member", "channel", "address"], name="contact_address_once"),
            models.CheckConstraint(condition=models.Q(channel__in=list(Channel)), name="contact_channel_is_known"),
        ]
        indexes = [
            # Serves suppressing an address that was reported, of which only the trace is known.
            models.Index(fields=["address_trace", "channel"], name="contact_traced"),
            # Serves asking who has an address, however it is spelled: at each erasure, and when staff stop one.
            models.Index(Upper("address"), "channel", name="contact_spelled"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.pk}"  # never the address: this ends up in logs

    def clean(self) -> None:
        if self.channel == Channel.EMAIL:
            try:
                validate_email(self.address)
            except ValidationError as error:
                raise ValidationError({"address": error.messages}) from error
