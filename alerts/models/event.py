from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alerts.models.contact import Channel, Contact
from alerts.models.delivery import Delivery


class ProviderEvent(models.Model):
    """What a provider reported: stored as it came, but without addresses, once its signature was verified; matched to
    a delivery later.

    A fact; only `delivery` and `matched_at` are filled in, once, and until then `failed_at`.
    """

    class Kind(models.TextChoices):
        DELIVERED = "delivered", _("Delivered")
        UNDELIVERED = "undelivered", _("Undelivered")  # for good: the next channel is tried
        BOUNCED = "bounced", _("Bounced")  # undelivered, and the address is refused for good
        COMPLAINED = "complained", _("Complaint")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        OTHER = "other", _("Other")  # kept, and nothing follows

    transport = models.CharField(_("transport"), max_length=20)
    event_key = models.CharField(_("key of the event"), max_length=100)  # the provider's, or a hash of the raw event
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    provider_id = models.CharField(_("provider's number of the message"), max_length=100, blank=True)
    our_key = models.CharField(_("our key in the event"), max_length=36, blank=True)
    occurred_at = models.DateTimeField(_("happened"))
    received_at = models.DateTimeField(_("received"))
    raw = models.TextField(
        _("as it came"), help_text=_("As it came, without addresses: an ellipsis stands for each address and number.")
    )
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, null=True, db_index=False, related_name="events", verbose_name=_("delivery")
    )
    matched_at = models.DateTimeField(_("matched"), null=True)
    # Whatever is wrong with it must not hold up the others: it is tried again after them, and after a while.
    failed_at = models.DateTimeField(_("could not be matched"), null=True)

    class Meta:
        verbose_name = _("provider's event")
        verbose_name_plural = _("providers' events")
        constraints = [
            # The same event any number of times is one row.
            models.UniqueConstraint(fields=["transport", "event_key"], name="event_once"),
        ]
        indexes = [
            # Serves matching: what has not been looked at, the oldest first.
            models.Index(fields=["received_at"], condition=Q(matched_at=None), name="event_to_match"),
            # Serves the look for a report about what nobody knows, before it is decided otherwise.
            models.Index(fields=["our_key"], condition=Q(matched_at=None), name="event_of_unmatched_key"),
            # Serves evidence.
            models.Index(fields=["delivery"], condition=Q(delivery__isnull=False), name="event_of_delivery"),
        ]

    def __str__(self) -> str:
        return f"{self.transport}/{self.kind} {self.pk}"


class SideMessage(models.Model):
    """A message that is no delivery: a code that proves an address, or a test. What a provider reports of it is known
    by its key, and a bounce or a complaint stops its address, of which only the hash stands here.
    """

    key = models.UUIDField(_("key"), primary_key=True)
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    # Serves the change of the contact when an address is entered or erased.
    address_trace = models.CharField(_("hash of the address"), max_length=64, db_index=True)
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, related_name="side_messages", verbose_name=_("contact")
    )  # one that has the address; None: nobody has it
    # Serves the clearing away of what no provider reports about any more.
    at = models.DateTimeField(_("sent"), db_index=True)

    class Meta:
        verbose_name = _("message beside the deliveries")
        verbose_name_plural = _("messages beside the deliveries")

    def __str__(self) -> str:
        return f"{self.channel} {self.key}"
