from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alerts.models.contact import Channel, Contact
from alerts.models.reminder import Reminder
from ledger.models import Programme


class Status(models.TextChoices):
    PENDING = "pending", _("Pending")  # waits for its time
    CLAIMED = "claimed", _("Claimed")  # a worker holds it; nothing was sent
    SENDING = "sending", _("Sending")  # committed just before the call: from here on it may have been sent
    UNKNOWN = "unknown", _("Unknown")  # nobody can say whether it was sent; the channel's capabilities decide
    ACCEPTED = "accepted", _("Accepted")  # the provider took it
    DELIVERED = "delivered", _("Delivered")  # the provider reports that it arrived
    UNDELIVERED = "undelivered", _("Undelivered")  # it was accepted, and came back
    FAILED = "failed", _("Failed")  # the provider refused it for good
    SKIPPED = "skipped", _("Skipped")  # at the time of sending there was no reason to
    CANCELLED = "cancelled", _("Cancelled")  # a person, or a switch, stopped it before it was sent
    SUPERSEDED = "superseded", _("Superseded")  # another reminder speaks instead
    TOO_LATE = "too_late", _("Too late")  # the points went before it could be sent
    DEAD = "dead", _("Given up")  # tried as often as we try


HELD = (Status.CLAIMED, Status.SENDING)
TAKEN = (Status.ACCEPTED, Status.DELIVERED, Status.UNDELIVERED)  # the provider took it
# It is over, and no provider took it.
ENDED = (Status.FAILED, Status.SKIPPED, Status.CANCELLED, Status.SUPERSEDED, Status.TOO_LATE, Status.DEAD)


class Why(models.TextChoices):
    """Why nothing was sent, or nothing more."""

    NONE = "", ""
    REDEEMED = "redeemed", _("the points are gone")
    NO_CONTACT = "no_contact", _("no usable address")
    FEW_POINTS = "few_points", _("fewer points than the rule asks for")
    NO_RULE = "no_rule", _("the reminder rule was removed")
    MOVED = "moved", _("the date was moved")
    UNTOLD = "untold", _("too late to tell: the date will be moved")
    TOO_EARLY = "too_early", _("too early for a notice that counts")
    CLOSED = "closed", _("the account is closed")
    NEARER = "nearer", _("a nearer reminder is due")
    EXPIRED = "expired", _("the points expired before")
    REFUSED = "refused", _("refused for good")
    EXHAUSTED = "exhausted", _("tried too often")
    OPTED_OUT = "opted_out", _("the member wants no such messages")
    SUPPRESSED = "suppressed", _("the address is suppressed")
    STOPPED = "stopped", _("stopped by a person")
    NO_WORDS = "no_words", _("the text cannot be written on this channel")
    MIXED = "mixed", _("points that this channel may not speak of")
    CHANGED = "changed", _("other words or another address by now")  # unknown: its key is of no use, so it is looked up
    PERSON = "person", _("waits for a person")  # unknown, and nobody but a person can find out


# Nobody was told by it, and somebody could be later, when something has changed.
NOTHING_CAME = (Status.SKIPPED, Status.FAILED, Status.DEAD, Status.UNDELIVERED)
NOBODY_TOLD = (
    *(Why.NONE, Why.REDEEMED, Why.FEW_POINTS, Why.NO_CONTACT, Why.OPTED_OUT, Why.SUPPRESSED),
    *(Why.REFUSED, Why.EXHAUSTED),
)


class Delivery(models.Model):
    """One message on one channel. Its id is the provider's key: the Message-ID of an e-mail.

    These rows are the queue. Many modules of `sending` decide what becomes of one; every statement that changes a
    status stands in `leases.py`, and says in which state and whose hands the row must be.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False, verbose_name=_("key"))
    reminder = models.ForeignKey(
        Reminder, models.PROTECT, db_index=False, related_name="deliveries", verbose_name=_("reminder")
    )
    # The reminder's, and here once more for the claim: each programme has a queue of its own, which holds up no other.
    programme = models.ForeignKey(
        Programme, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("programme")
    )
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    resend_no = models.PositiveSmallIntegerField(_("resent"), default=0)
    # By a person, after one that came to nothing: the addresses that were tried before are tried once more.
    anew = models.BooleanField(_("sent again by a person"), default=False, db_default=False)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.PENDING)
    why = models.CharField(_("reason"), max_length=20, choices=Why.choices, blank=True, default=Why.NONE)
    created_at = models.DateTimeField(_("made"))
    next_attempt_at = models.DateTimeField(_("next attempt"))
    attempts = models.PositiveIntegerField(_("attempts"), default=0)  # calls, not claims
    token = models.UUIDField(_("token"), null=True)  # of the claim that holds it
    lease_until = models.DateTimeField(_("held until"), null=True)
    # What the last call said, noted before it was made. The contact may be erased; the proof stays.
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, verbose_name=_("contact"))
    # Of the address as it was then: what is reported later is about that one. Empty: a call from before it was kept.
    address_trace = models.CharField(_("hash of the address"), max_length=64, blank=True, default="", db_default="")
    language = models.CharField(_("language"), max_length=10, blank=True, default="")
    points_told = models.BigIntegerField(_("points told"), null=True)
    lots = ArrayField(models.BigIntegerField(), default=list, verbose_name=_("lots"))
    template = models.CharField(_("template"), max_length=40, blank=True, default="")
    text_hash = models.CharField(_("hash of the text"), max_length=64, blank=True, default="")
    template_version = models.ForeignKey(
        "alerts.TemplateVersion", models.PROTECT, null=True, db_index=False, verbose_name=_("version of the template")
    )
    variables = models.JSONField(_("variables"), default=dict)
    text = models.TextField(_("text"), blank=True, default="")  # kept for a stated time, then emptied
    # Whom the provider knows it by.
    transport = models.CharField(_("transport"), max_length=20, blank=True, default="")
    provider_id = models.CharField(_("provider's number"), max_length=100, blank=True, default="")
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    undelivered_at = models.DateTimeField(_("came back"), null=True)
    withdrawn_at = models.DateTimeField(_("notice withdrawn"), null=True)
    accepted_at = models.DateTimeField(_("accepted"), null=True)
    noticed_at = models.DateTimeField(_("recorded in the ledger"), null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        permissions = [("decide_delivery", "Can decide deliveries")]
        constraints = [
            # One message per reminder and channel, unless it is sent again on purpose. Serves evidence, too.
            models.UniqueConstraint(fields=["reminder", "channel", "resend_no"], name="delivery_once"),
            models.CheckConstraint(condition=Q(status__in=list(Status)), name="delivery_status_is_known"),
            models.CheckConstraint(
                condition=Q(status__in=HELD, token__isnull=False, lease_until__isnull=False)
                | (~Q(status__in=HELD) & Q(token=None, lease_until=None)),
                name="delivery_held_by_a_token",
            ),
            models.CheckConstraint(
                condition=Q(status__in=TAKEN, accepted_at__isnull=False, points_told__gt=0)
                | (~Q(status__in=TAKEN) & Q(accepted_at=None, noticed_at=None)),
                name="delivery_accepted_at_a_time",
            ),
        ]
        indexes = [
            # Serves the claim: what is due of a programme on a channel, the longest due first.
            models.Index(
                fields=["programme", "channel", "next_attempt_at"],
                condition=Q(status=Status.PENDING),
                name="delivery_due",
            ),
            # Serves the reap: leases that ran out …
            models.Index(fields=["lease_until"], condition=Q(status__in=HELD), name="delivery_leases"),
            # … unknown outcomes whose time has come …
            models.Index(fields=["next_attempt_at"], condition=Q(status=Status.UNKNOWN), name="delivery_unknown"),
            # … and what was accepted and has no notice in the ledger yet.
            models.Index(
                fields=["accepted_at"],
                condition=Q(status=Status.ACCEPTED, noticed_at=None),
                name="delivery_to_notice",
            ),
            # … and so with what arrived, where only that counts.
            models.Index(
                fields=["delivered_at"],
                condition=Q(status=Status.DELIVERED, noticed_at=None),
                name="delivery_arrived",
            ),
            # Serves the withdrawal of what came back: of notices that stand still …
            models.Index(
                fields=["undelivered_at"],
                condition=Q(status=Status.UNDELIVERED, noticed_at__isnull=False, withdrawn_at=None),
                name="delivery_to_withdraw",
            ),
            # … and of those that a worker was about to record at that moment.
            models.Index(fields=["undelivered_at"], condition=Q(status=Status.UNDELIVERED), name="delivery_came_back"),
            # Serves matching a provider's report.
            models.Index(fields=["transport", "provider_id"], condition=~Q(provider_id=""), name="delivery_provider"),
            # Serves forgetting the texts when their time is over.
            models.Index(fields=["created_at"], condition=~Q(text=""), name="delivery_text_kept"),
            # Serves the second extension of untold points: whether messages of a channel get through again.
            models.Index(
                fields=["channel", "accepted_at"],
                condition=Q(status__in=[Status.ACCEPTED, Status.DELIVERED]),
                name="delivery_accepted",
            ),
            # Serves the gauges: how long messages took to arrive, where that is reported. Those that were accepted and
            # of which nothing was heard are many …
            models.Index(
                fields=["channel", "accepted_at"], condition=Q(status=Status.DELIVERED), name="delivery_reported"
            ),
            # … and what was lately given up or not sent at all.
            models.Index(fields=["next_attempt_at"], condition=Q(status__in=ENDED), name="delivery_ended"),
            # Serves making reminders once more that told nobody.
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=NOTHING_CAME, why__in=NOBODY_TOLD),
                name="delivery_told_nobody",
            ),
            # Serves the gauges: what was given up and might still be sent again.
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(status=Status.DEAD, why=Why.EXHAUSTED),
                name="delivery_given_up",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Outcome(models.TextChoices):
    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Rejected")
    THROTTLED = "throttled", _("Throttled")
    NOT_SENT = "not_sent", _("Not sent")
    UNKNOWN = "unknown", _("Unknown")


class Attempt(models.Model):
    """One call to a provider and what came of it: a fact, append-only. No personal data in it."""

    delivery = models.ForeignKey(
        Delivery, models.PROTECT, db_index=False, related_name="tries", verbose_name=_("delivery")
    )
    number = models.PositiveIntegerField(_("number"))
    at = models.DateTimeField(_("ended"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices)
    code = models.CharField(_("code"), max_length=40, blank=True)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    points_told = models.BigIntegerField(_("points told"))
    text_hash = models.CharField(_("hash of the text"), max_length=64)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            # One row for each call. Also serves evidence: the calls of a delivery in order.
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.number}: {self.outcome}"
