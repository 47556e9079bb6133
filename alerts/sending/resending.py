"""A person sends a message again that came to nothing: one that was given up, or that the provider refused for good.

It is a delivery of its own on the same channel, with `resend_no` one higher, and looked at like any other before it is
sent. The addresses that were tried before count as untried: whatever kept messages from them may have been mended.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from alerts.errors import BadInput
from alerts.models import Delivery, Reminder, ReminderRule
from alerts.models.delivery import ENDED, Status, Why
from alerts.reasons import reason
from alerts.sending.decisions import keep
from alerts.sending.known import read
from alerts.sending.leases import move, with_reminder
from alerts.sending.recheck import Stop, look
from ledger.actors import Actor

CAME_TO_NOTHING = (Status.DEAD, Status.FAILED)


def may_be_sent_again(delivery: Delivery) -> bool:
    """Whether it was given up or refused, and nothing followed it on its channel. The rest is asked by `send_again`."""
    return delivery.status in CAME_TO_NOTHING and not _later(delivery).exists()


def send_again(*, delivery: Delivery, by: Actor, why: str, now: datetime) -> Delivery:
    """Make the message that is sent in this one's place, and return it; it is due at once.

    Whether the first one arrived is not asked where nobody knows: that is the person's to weigh. Raises BadInput: it is
    neither given up nor refused, or was followed on its channel already; so many messages of its reminder as its rule
    wants are on their way or were taken; or nothing would be sent (`recheck`: the points or the date are gone, a nearer
    reminder exists, nobody can be told there); or without a reason. Then nothing was written.
    """
    why = reason(why)
    with transaction.atomic():
        row = _ended(delivery)
        reminder = Reminder.objects.select_for_update(no_key=True).get(pk=row.reminder_id)
        if _later(row).exists():
            raise BadInput(_("Another message followed this one already."), field="delivery")
        _refuse_beside_others(row)
        made = Delivery.objects.create(
            reminder=reminder,
            programme_id=row.programme_id,
            channel=row.channel,
            resend_no=row.resend_no + 1,
            anew=True,
            created_at=now,
            next_attempt_at=now,
        )
        again = with_reminder(Delivery.objects.filter(pk=made.pk)).get()
        found = look(again, known=read([again], now=now))
        if isinstance(found, Stop):
            rule = _("Nothing would be sent: %(reason)s.")
            raise BadInput(rule % {"reason": found.why.label}, field="delivery")
        keep(row, f"sent_again:{row.pk}", "sent_again", by, why, now)
    return again


def leave(*, delivery: Delivery, by: Actor, why: str, now: datetime) -> Delivery:
    """Say of a message that was given up that it stays so: nobody needs to look at it any more.

    Raises BadInput: it was not given up by the clock, or without a reason. Then nothing was written.
    """
    why = reason(why)
    with transaction.atomic():
        row = _ended(delivery)
        if row.status != Status.DEAD or row.why != Why.EXHAUSTED:
            raise BadInput(_("It was not given up, or somebody has dealt with it."), field="delivery")
        move(row, Status.DEAD, status=Status.DEAD, why=Why.STOPPED)
        keep(row, f"left:{row.pk}", "left", by, why, now)
    return Delivery.objects.get(pk=delivery.pk)


def _ended(delivery: Delivery) -> Delivery:
    """The row, locked, before its reminder as everywhere else."""
    row = Delivery.objects.select_for_update().filter(pk=delivery.pk, status__in=CAME_TO_NOTHING).first()
    if row is None:
        rule = _("Only what was given up or refused can be sent again; somebody else has dealt with it.")
        raise BadInput(rule, field="delivery")
    return row


def _later(row: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(reminder=row.reminder_id, channel=row.channel, resend_no__gt=row.resend_no)


def _refuse_beside_others(row: Delivery) -> None:
    """The member is told as often at once as the rule says, and not once more."""
    rule = ReminderRule.objects.filter(
        programme=row.reminder.programme_id, offset_days=row.reminder.offset_days
    ).first()  # without one `look` refuses
    others = Delivery.objects.filter(reminder=row.reminder_id).exclude(pk=row.pk)
    if rule and others.exclude(status__in=[*ENDED, Status.UNDELIVERED]).count() >= rule.at_once:
        raise BadInput(_("Another message of this reminder is on its way, or was taken."), field="delivery")
