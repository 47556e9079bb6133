"""After a message that came to nothing for certain: the member's next address on its channel, then the next channel of
the rule that reaches them.

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
from alerts.sending.falling_back import NAME
from alerts.sending.unsolved import unsolved_since
from alerts.sending.untried import gone_before, left

# Nothing was sent, because the member cannot be told on this channel.
OUT_OF_REACH = (Why.NO_CONTACT, Why.OPTED_OUT, Why.SUPPRESSED, Why.NO_WORDS, Why.MIXED)

REACHED_THE_PROVIDER = (Status.ACCEPTED, Status.DELIVERED, Status.UNDELIVERED)


def follow(delivery: Delivery, *, now: datetime) -> str | None:
    """Make the message that follows this one, which has just come to nothing. Returns its channel; None: there is none.

    While the member has an address on the same channel to which none went, it goes there: which, `known` says when it
    is sent. Then the next channel's turn comes.
    Call it inside the transaction that writes the failure, after it.
    """
    reminder = Reminder.objects.select_for_update(no_key=True).get(pk=delivery.reminder_id)
    rule = ReminderRule.objects.filter(programme_id=reminder.programme_id, offset_days=reminder.offset_days).first()
    if rule is None:
        return None
    made = list(reminder.deliveries.prefetch_related("tries"))
    if sum(not came_to_nothing(other) for other in made) >= rule.at_once:
        return None
    if delivery.channel in rule.channels and _has_another_address(delivery, made, _member_of(reminder)):
        make(reminder, delivery.channel, now=now, resend_no=delivery.resend_no + 1)
        return delivery.channel
    passed_over = {other.channel for other in made} | carried_by_the_provider(made)
    for channel in rule.channels:
        if channel not in passed_over and contacts.usable(_member_of(reminder), channel):
            make(reminder, channel, now=now)
            return channel
    return None


def make(reminder: Reminder, channel: str, *, now: datetime, resend_no: int = 0) -> None:
    """A message of this reminder that is due now. Lock the reminder first."""
    Delivery.objects.create(
        reminder=reminder,
        programme_id=reminder.programme_id,
        channel=channel,
        resend_no=resend_no,
        created_at=now,
        next_attempt_at=now,
    )


def _has_another_address(delivery: Delivery, made: list[Delivery], member_id: int) -> bool:
    """Whether this message was the last on its channel, reached nobody for certain, and an address is left there.

    One that was never called has tried none: whatever the member has was looked at. So each that follows stands for an
    address that was tried, and there are no more of them than addresses.
    """
    on_channel = [other for other in made if other.channel == delivery.channel]
    last = max(on_channel, key=lambda other: other.resend_no)
    if last.pk != delivery.pk or not last.attempts or last.status == Status.SKIPPED:
        return False
    if last.status != Status.UNDELIVERED and unsolved_since(last.tries.all()):
        return False
    usable = contacts.all_reached([(member_id, delivery.channel)]).get((member_id, delivery.channel), [])
    return left(usable, [*gone_before(last, on_channel), last]) is not None


def came_to_nothing(delivery: Delivery) -> bool:
    """Whether it is certain that this message reached nobody, and that another channel may still do."""
    if delivery.status == Status.UNDELIVERED:
        return True
    if delivery.status == Status.FAILED:
        # Refused under the key of an earlier call, that one was refused, too; elsewhere it may have been accepted.
        return unsolved_since(delivery.tries.all()) is None or _knows_keys(delivery)
    out_of_reach = delivery.status == Status.SKIPPED and delivery.why in OUT_OF_REACH
    given_up = delivery.status == Status.DEAD and delivery.why == Why.EXHAUSTED
    return (out_of_reach or given_up) and unsolved_since(delivery.tries.all()) is None


def _knows_keys(delivery: Delivery) -> bool:
    transport = TRANSPORTS.get(delivery.transport)
    return transport is not None and transport.capabilities(delivery.channel).idempotent_for is not None


def carried_by_the_provider(made: list[Delivery]) -> set[str]:
    """AlimTalk falls back to SMS at some providers, where we let them: there an SMS of ours would be a second one.

    What the provider never took, for certain, it does not send as SMS either.
    """
    may_be_there = [one for one in made if one.status in REACHED_THE_PROVIDER or unsolved_since(one.tries.all())]
    let = [one for one in may_be_there if one.transport in TRANSPORTS and one.variables.get(NAME, True)]
    carried = any(TRANSPORTS[other.transport].capabilities(other.channel).falls_back_itself for other in let)
    return {Channel.SMS.value} if carried else set()


def _member_of(reminder: Reminder) -> int:
    return int(reminder.account.member_id)
