from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alerts.models.delivery import Delivery
from ledger.models import Programme


class Transport(models.Model):
    """A provider that carries messages, as it stands: the breaker that outages open, and the switch of a person."""

    name = models.CharField(_("name"), max_length=20, primary_key=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    open_until = models.DateTimeField(_("not tried before"), null=True)  # the breaker; None: closed
    paced_until = models.DateTimeField(_("its rate is given out until"), null=True)  # None: it has none, or never sent
    stopped_at = models.DateTimeField(_("stopped"), null=True)
    stopped_by = models.CharField(_("stopped by"), max_length=100, blank=True)
    stopped_why = models.CharField(_("why"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("transport")
        verbose_name_plural = _("transports")

    def __str__(self) -> str:
        return self.name


class Stop(models.Model):
    """A person stopped a programme or a transport, or let it go on: a fact, append-only. No personal data in it.

    What is stopped now stands on the rules of telling and on the transport; here is every time, with its reason.
    """

    programme = models.ForeignKey(
        Programme, models.PROTECT, null=True, db_index=False, related_name="stops", verbose_name=_("programme")
    )
    transport = models.CharField(_("transport"), max_length=20, blank=True, default="")
    stopped = models.BooleanField(_("stopped"))  # False: let go on
    by = models.CharField(_("by"), max_length=100)
    why = models.CharField(_("why"), max_length=200)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("stop")
        verbose_name_plural = _("stops")
        permissions = [("stop_sending", "Can stop sending and let it go on")]
        constraints = [
            models.CheckConstraint(
                condition=Q(programme=None) & ~Q(transport="") | Q(programme__isnull=False, transport=""),
                name="stop_of_a_programme_or_a_transport",
            ),
        ]
        indexes = [
            # Serves the newest stops of one programme, and of one transport.
            models.Index(fields=["programme", "-id"], condition=Q(programme__isnull=False), name="stop_of_programme"),
            models.Index(fields=["transport", "-id"], condition=~Q(transport=""), name="stop_of_transport"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class SandboxMessage(models.Model):
    """A message that the sandbox took instead of sending it: for the demo and for staging.

    It is kept as long as the texts of deliveries, and not beyond its address.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, null=True, verbose_name=_("delivery"))
    key = models.UUIDField(_("key"), unique=True)  # the same key is the same message
    channel = models.CharField(_("channel"), max_length=20)
    to = models.CharField(_("to"), max_length=254)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    at = models.DateTimeField(_("taken"))

    class Meta:
        verbose_name = _("message of the sandbox")
        verbose_name_plural = _("messages of the sandbox")

    def __str__(self) -> str:
        return f"{self.channel} {self.key}"


class Tick(models.Model):
    """When a tick last began and last ended: its age says whether the clock runs."""

    name = models.CharField(_("name"), max_length=40, primary_key=True)
    began_at = models.DateTimeField(_("began"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("tick")
        verbose_name_plural = _("ticks")

    def __str__(self) -> str:
        return self.name
