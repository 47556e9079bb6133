from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alerts.models.consent import Purpose
from alerts.models.contact import Channel
from ledger.models import Programme


class Template(models.Model):
    """The words of one kind of message: of a programme, for a channel, in a language. Its versions say them."""

    programme = models.ForeignKey(
        Programme, models.CASCADE, db_index=False, related_name="templates", verbose_name=_("programme")
    )
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    language = models.CharField(_("language"), max_length=10, choices=[("ko", "한국어"), ("en", "English")])
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose.choices, default=Purpose.NOTICE)

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        constraints = [
            # Serves rendering: the words for a message.
            models.UniqueConstraint(fields=["programme", "channel", "language", "purpose"], name="template_once"),
            models.CheckConstraint(condition=Q(channel__in=list(Channel)), name="template_channel_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.programme_id}/{self.channel}/{self.language}/{self.purpose}"


class TemplateVersion(models.Model):
    """The words as they were from one save to the next: append-only, so that the proof can say what was sent.

    E-mail has a subject, a text and HTML; SMS a text; AlimTalk a text and the code under which Kakao approved it.
    """

    template = models.ForeignKey(
        Template, models.PROTECT, db_index=False, related_name="versions", verbose_name=_("template")
    )
    number = models.PositiveIntegerField(_("version"))
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    provider_code = models.CharField(_("code at the provider"), max_length=100, blank=True)
    made_at = models.DateTimeField(_("saved"))
    made_by = models.CharField(_("by"), max_length=100)

    class Meta:
        verbose_name = _("version of a template")
        verbose_name_plural = _("versions of templates")
        constraints = [
            # Also serves rendering: the newest version.
            models.UniqueConstraint(fields=["template", "number"], name="template_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.template_id}/{self.number}"
