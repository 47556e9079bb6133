from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alerts.models.contact import Channel
from ledger.models import Member


class Purpose(models.TextChoices):
    """What a message is for. A notice of expiry is information; advertising needs consent, at night a second one."""

    NOTICE = "notice", _("Notice of expiry")
    ADVERTISING = "advertising", _("Advertising")
    NIGHT_ADVERTISING = "night_advertising", _("Advertising at night")


class Consent(models.Model):
    """A member said yes or no to messages of a purpose on a channel: a fact, append-only; the newest counts.

    Without any, notices may be sent and advertising may not.
    """

    member = models.ForeignKey(
        Member, models.CASCADE, db_index=False, related_name="consents", verbose_name=_("member")
    )
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose.choices)
    given = models.BooleanField(_("given"))
    at = models.DateTimeField(_("at"))
    source = models.CharField(_("source"), max_length=100, help_text=_("Where it was said: a form, a link, a person."))
    actor = models.CharField(_("by"), max_length=100)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        permissions = [("record_consent", "Can record what members say")]
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=list(Channel)), name="consent_channel_is_known"),
            models.CheckConstraint(condition=Q(purpose__in=list(Purpose)), name="consent_purpose_is_known"),
        ]
        indexes = [
            # Serves the look before sending, and preferences: the newest word on a channel and purpose.
            models.Index(fields=["member", "channel", "purpose", "-id"], name="consent_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id}/{self.channel}/{self.purpose}: {self.given}"


class Suppression(models.Model):
    """An address that is not written to any more: it bounced for good, or somebody complained."""

    class Why(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", _("refused for good")
        COMPLAINT = "complaint", _("complaint")
        BY_HAND = "by_hand", _("by hand")

    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    address = models.CharField(
        _("address"), max_length=254, help_text=_("Of an address that was erased only its keyed hash is kept.")
    )
    why = models.CharField(_("reason"), max_length=20, choices=Why.choices)
    at = models.DateTimeField(_("since"))
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        permissions = [("suppress_address", "Can suppress addresses and lift suppressions")]
        constraints = [
            # Serves the look before sending; one that stands is enough.
            models.UniqueConstraint(
                fields=["channel", "address"], condition=Q(lifted_at=None), name="suppression_stands_once"
            ),
            models.CheckConstraint(condition=Q(channel__in=list(Channel)), name="suppression_channel_is_known"),
        ]
        indexes = [
            # Serves evidence, which tells of the lifted ones, too, and the change of an address to its trace and back.
            models.Index(fields=["address"], name="suppression_of_address"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"  # never the address: this ends up in logs


class Verification(models.Model):
    """A code that was sent to an address that a member claims, to see that it is theirs. Only hashes are kept.

    It is about the address, not its row: whoever erases an address and enters it anew has no more codes than before.
    """

    member = models.ForeignKey(Member, models.CASCADE, related_name="verifications", verbose_name=_("member"))
    # Serves the look for the newest code, and the day's limit of an address.
    address_trace = models.CharField(_("hash of the address"), max_length=64, db_index=True)
    code_hash = models.CharField(_("hash of the code"), max_length=64)
    # Serves the clearing away of what is older than a day.
    sent_at = models.DateTimeField(_("sent"), db_index=True)
    expires_at = models.DateTimeField(_("good until"))
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    used_at = models.DateTimeField(_("used"), null=True)

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")

    def __str__(self) -> str:
        return str(self.pk)
