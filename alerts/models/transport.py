from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from alerts.models.delivery import Delivery


class Transport(models.Model):
    """A provider that carries messages, as it stands: the breaker that outages open, and the switch of a person."""

    name = models.CharField(_("name"), max_length=20, primary_key=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    open_until = models.DateTimeField(_("not tried before"), null=True)  # the breaker; None: closed
    stopped_at = models.DateTimeField(_("stopped"), null=True)
    stopped_by = models.CharField(_("stopped by"), max_length=100, blank=True)
    stopped_why = models.CharField(_("why"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("transport")
        verbose_name_plural = _("transports")

    def __str__(self) -> str:
        return self.name


class SandboxMessage(models.Model):
    """A message that the sandbox took instead of sending it: for the demo and for staging."""

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
