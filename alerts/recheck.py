"""The look just before sending: is it still true, still worth saying, and to whom? Reads only.

The ledger is asked at this moment, not when the reminder was planned: the number in the message is the fresh one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings

from alerts import contacts, rules
from alerts.models import Contact, Delivery, Reminder
from alerts.models.delivery import Status, Why
from alerts.planning import due_offset
from alerts.texts import Telling
from ledger.models import Lot
from ledger.policies import is_good_day
from ledger.statements import lots_expiring_at


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing is to be sent: how the delivery ends, and why."""

    status: Status
    why: Why


@dataclass(frozen=True, slots=True)
class Go:
    """What to say, to whom, and of which lots."""

    contact: Contact
    telling: Telling
    lots: list[int]


def look(delivery: Delivery, *, now: datetime) -> Go | Stop:
    """Decide what becomes of a delivery at `now`. Needs its reminder with account, member and programme."""
    reminder = delivery.reminder
    programme = reminder.programme
    today = now.astimezone(programme.tz).date()
    live = list(lots_expiring_at(reminder.account, reminder.expires_at, at=now))
    if not live:
        return _nothing_left(reminder, now)
    # Lots that a notice duty holds and that can no longer be told in time will not go on that day.
    lots = [lot for lot in live if not lot.gated or is_good_day(today, reminder.expires_on, lot.notice_days)]
    if not lots:
        return Stop(Status.SUPERSEDED, Why.UNTOLD)
    points = sum(lot.remaining for lot in lots)
    stop = _not_this_one(reminder, today=today, points=points)
    if stop:
        return stop
    contact = contacts.usable(reminder.account.member_id, delivery.channel)
    if contact is None:
        return Stop(Status.SKIPPED, Why.NO_CONTACT)
    telling = Telling(
        programme=programme.name,
        unit=programme.unit,
        points=points,
        last_day=reminder.expires_on,
        days_left=(reminder.expires_on - today).days,
        link=f"{settings.SITE_URL}/",
    )
    return Go(contact, telling, [lot.pk for lot in lots])


def _nothing_left(reminder: Reminder, now: datetime) -> Stop:
    moved = Lot.objects.filter(account=reminder.account, extensions__was=reminder.expires_at)
    if moved.filter(open=True).exists():
        return Stop(Status.SUPERSEDED, Why.MOVED)  # the new date has reminders of its own
    if now >= reminder.expires_at:
        return Stop(Status.TOO_LATE, Why.EXPIRED)
    return Stop(Status.SKIPPED, Why.REDEEMED)


def _not_this_one(reminder: Reminder, *, today: date, points: int) -> Stop | None:
    offsets = rules.offsets(reminder.programme_id)
    if reminder.offset_days not in {offset.days for offset in offsets}:
        return Stop(Status.SKIPPED, Why.NO_RULE)
    nearest = due_offset(offsets, today=today, expires_on=reminder.expires_on, points=points)
    if nearest == reminder.offset_days:
        return None
    if nearest is not None and nearest < reminder.offset_days:
        return Stop(Status.SUPERSEDED, Why.NEARER)
    return Stop(Status.SKIPPED, Why.FEW_POINTS)
