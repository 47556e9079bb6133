"""After a message that came to nothing for certain: the next channel of its reminder's rule that reaches the member.

Never after an unknown outcome: the member may have been told. The decision is made in the transaction that notes the
failure, under a lock on the reminder, and from the rows alone: however often it is asked for, one failure is followed
by one message (UNIQUE reminder, channel, resend_no).
"""

from __future__ import annotations

from datetime import datetime

from alerts.addresses import contacts
from alerts.channels import TRANSPORTS
from alerts.models import Delivery, Reminder, ReminderRule
from alerts.models.contact import Channel
from alerts.models.delivery import Status, Why
from alerts.sending.unsolved import unsolved_since

# Nothing was sent, because the member cannot be told on this channel.
OUT_OF_REACH = (Why.NO_CONTACT, Why.OPTED_OUT, Why.SUPPRESSED, Why.NOT_ALLOWED, Why.NO_WORDS, Why.MIXED)


def follow(delivery: Delivery, *, now: datetime) -> str | None:
    """Make the message that follows this one, which has just come to nothing. Returns its channel; None: there is none.

    Call it inside the transaction that writes the failure, after it.
    """
    reminder = Reminder.objects.select_for_update(no_key=True).get(pk=delivery.reminder_id)
    rule = ReminderRule.objects.filter(programme_id=reminder.programme_id, offset_days=reminder.offset_days).first()
    if rule is None:
        return None
    made = list(reminder.deliveries.prefetch_related("tries"))
    if sum(not came_to_nothing(other) for other in made) >= rule.at_once:
        return None
    passed_over = {other.channel for other in made} | _carried_by_the_provider(made)
    for channel in rule.channels:
        if channel not in passed_over and contacts.usable(_member_of(reminder), channel):
            Delivery.objects.create(reminder=reminder, channel=channel, created_at=now, next_attempt_at=now)
            return channel
    return None


def came_to_nothing(delivery: Delivery) -> bool:
    """Whether it is certain that this message reached nobody, and that another channel may still do."""
    if delivery.status in (Status.FAILED, Status.UNDELIVERED):
        return True
    out_of_reach = delivery.status == Status.SKIPPED and delivery.why in OUT_OF_REACH
    given_up = delivery.status == Status.DEAD and delivery.why == Why.EXHAUSTED
    return (out_of_reach or given_up) and unsolved_since(delivery.tries.all()) is None


def _carried_by_the_provider(made: list[Delivery]) -> set[str]:
    """AlimTalk falls back to SMS at some providers: there the decision is theirs, and an SMS of ours a second one."""
    called = [other for other in made if other.attempts and other.transport in TRANSPORTS]
    carried = any(TRANSPORTS[other.transport].capabilities(other.channel).falls_back_itself for other in called)
    return {Channel.SMS.value} if carried else set()


def _member_of(reminder: Reminder) -> int:
    return int(reminder.account.member_id)
