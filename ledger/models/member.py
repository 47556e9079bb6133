from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger.models.programme import Programme


class Member(models.Model):
    """A person in a programme, known here by a reference only; contact data lives in `alerts`."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="members", verbose_name=_("programme"))
    reference = models.CharField(
        _("reference"), max_length=100, help_text=_("The member's number in the programme; no name, no address.")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="memberships",
        verbose_name=_("user"),
        help_text=_("The account to sign in with, if there is one."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            # Serves the import's look-up of a customer, and makes a reference one person.
            models.UniqueConstraint(fields=["programme", "reference"], name="member_reference_is_one_person"),
            models.UniqueConstraint(
                fields=["programme", "user"],
                condition=models.Q(user__isnull=False),
                name="member_user_once_per_programme",
            ),
        ]

    def __str__(self) -> str:
        return self.reference
