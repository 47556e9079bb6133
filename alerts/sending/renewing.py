"""A reminder that told nobody is made once more, when its member can be told: before the points go.

An address that is entered too late, a word against messages that is taken back, points that come back to their lot: the
message that was made before had ended by then. Here it is looked for such reminders, whose date is ahead, of which
every message came to nothing for certain, and for which the member has an address now to which none of them went. The
look before sending decides, as about any message.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from alerts.addresses import contacts
from alerts.addresses.reachable import REACHABLE
from alerts.models import Delivery, Reminder, ReminderRule
from alerts.models.delivery import NOBODY_TOLD, NOTHING_CAME, Status, Why
from alerts.sending.next_channels import came_to_nothing, carried_by_the_provider, make
from alerts.sending.unsolved import unsolved_since
from alerts.sending.untried import left

REST = timedelta(hours=1)  # after the last message of a reminder: the look may not agree that it is worth sending
MOST = 10  # messages on a channel of one reminder

# Constants in the statement, as in the condition of the index: the planner compares them.
STATUSES = ", ".join(f"'{status.value}'" for status in NOTHING_CAME)
WHYS = ", ".join(f"'{why.value}'" for why in NOBODY_TOLD)

# `delivery_told_nobody` serves, from the earliest day for which a date can still be ahead; then for each the indexes of
# its reminder, of the account's lots and of the member's addresses.
_TOLD_NOBODY = f"""
SELECT DISTINCT ended.reminder_id
  FROM alerts_delivery ended
  JOIN alerts_reminder reminder ON reminder.id = ended.reminder_id
  JOIN ledger_account account ON account.id = reminder.account_id
       AND (account.closes_at IS NULL OR account.closes_at > %(now)s)
  JOIN alerts_reminderrule rule
       ON rule.programme_id = reminder.programme_id AND rule.offset_days = reminder.offset_days
 WHERE ended.status IN ({STATUSES}) AND ended.why IN ({WHYS})
   AND ended.created_at > %(now)s - make_interval(days => (SELECT max(offset_days) FROM alerts_reminderrule) + 1)
   AND reminder.expires_at > %(now)s
   AND NOT EXISTS (SELECT FROM alerts_delivery other
                    WHERE other.reminder_id = reminder.id
                      AND (other.status NOT IN ({STATUSES}) OR other.why NOT IN ({WHYS}, 'mixed', 'no_words')
                           OR other.resend_no >= %(most)s OR other.created_at > %(now)s - %(rest)s))
   AND rule.least_points <= (SELECT sum(lot.remaining) FROM ledger_lot lot
                              WHERE lot.open AND lot.account_id = reminder.account_id
                                AND lot.expires_at = reminder.expires_at)
   AND EXISTS (SELECT FROM alerts_contact contact
                WHERE contact.member_id = account.member_id AND contact.channel = ANY (rule.channels)
                  AND {REACHABLE}
                  AND NOT EXISTS (SELECT FROM alerts_delivery went
                                   WHERE went.reminder_id = reminder.id AND went.channel = contact.channel
                                     AND went.attempts > 0 AND went.address_trace = contact.address_trace))
 LIMIT %(limit)s"""  # noqa: S608  # our own constants


def renew(*, now: datetime, limit: int) -> int:
    """Make up to `limit` messages of reminders that told nobody and can tell somebody now; returns how many."""
    values: dict[str, Any] = {"now": now, "limit": limit, "most": MOST, "rest": REST}
    with connection.cursor() as cursor:
        cursor.execute(_TOLD_NOBODY, values)
        found = [reminder_id for (reminder_id,) in cursor.fetchall()]
    return sum(_renew(reminder_id, now) for reminder_id in found)


def _renew(reminder_id: int, now: datetime) -> bool:
    """Under the reminder's lock, as whatever follows a failure: nobody else makes its next message meanwhile."""
    with transaction.atomic():
        reminder = Reminder.objects.select_for_update(no_key=True).select_related("account").get(pk=reminder_id)
        rule = ReminderRule.objects.filter(programme_id=reminder.programme_id, offset_days=reminder.offset_days).first()
        made = list(reminder.deliveries.prefetch_related("tries"))
        if rule is None or not all(_told_nobody(one) for one in made):
            return False
        passed_over = carried_by_the_provider(made)
        for channel in rule.channels:
            on_channel = [one for one in made if one.channel == channel]
            usable = contacts.all_reached([(reminder.account.member_id, channel)])
            of_the_member = usable.get((reminder.account.member_id, channel), [])
            if channel not in passed_over and left(of_the_member, on_channel):
                make(reminder, channel, now=now, resend_no=max((one.resend_no + 1 for one in on_channel), default=0))
                return True
        return False


def _told_nobody(delivery: Delivery) -> bool:
    """Whether it came to nothing for certain, or there was nothing to say at its time."""
    had_nothing_to_say = delivery.status == Status.SKIPPED and delivery.why in (Why.REDEEMED, Why.FEW_POINTS)
    return came_to_nothing(delivery) or (had_nothing_to_say and unsolved_since(delivery.tries.all()) is None)
