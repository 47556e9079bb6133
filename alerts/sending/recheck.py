"""The look just before sending: is it still true, still worth saying, and to whom? Reads only.

The ledger is asked at this moment, not when the reminder was planned: the number in the message is the fresh one. So
is consent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models.functions import Lower

from alerts.addresses import consents
from alerts.addresses.tellings import telling
from alerts.channels import transport_of
from alerts.models import Contact, Delivery, Reminder, Suppression
from alerts.models.consent import Purpose
from alerts.models.delivery import Status, Why
from alerts.planning.due import Offset, due_offset
from alerts.rules.openings import opening
from alerts.sending.known import Known
from alerts.texts.classifying import refused_of
from alerts.texts.words import Telling
from ledger.models import Lot
from ledger.policies import Model, is_good_day, start_of_day

TO_BE_PLANNED = timedelta(hours=1)  # so long after a nearer reminder is due it is waited for


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing is to be sent: how the delivery ends, and why."""

    status: Status
    why: Why


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before `until`: then it is asked again whether it is still worth saying."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Go:
    """What to say, to whom, and of which lots. `falls_back`: the provider may send it as SMS."""

    contact: Contact
    telling: Telling
    lots: list[int]
    falls_back: bool = False


def look(delivery: Delivery, *, known: Known) -> Go | Stop | Wait:
    """Decide what becomes of a delivery by what is known of its claim, and at that moment.

    Needs its reminder with account, member and programme.
    """
    now = known.at
    reminder = delivery.reminder
    programme = reminder.programme
    if known.is_stopped(programme.pk, transport_of(delivery.channel)):
        return Wait(now)  # due as it was: whoever lets it go on finds it so
    today = now.astimezone(programme.tz).date()
    if reminder.account.closes_at and reminder.account.closes_at <= now:
        return Stop(Status.SKIPPED, Why.CLOSED)
    live = known.lots[reminder.account_id, reminder.expires_at]
    if not live:
        return _nothing_left(reminder, now)
    # Lots that a notice duty holds and that can no longer be told in time will not go on that day; and a notice that is
    # too early to count would be about something else.
    lots = [lot for lot in live if not lot.gated or _would_count(lot, today, reminder.expires_on)]
    if not lots:
        too_late = all(not is_good_day(today, reminder.expires_on, lot.notice_days) for lot in live)
        return Stop(Status.SUPERSEDED, Why.UNTOLD) if too_late else Stop(Status.SKIPPED, Why.TOO_EARLY)
    points = sum(lot.remaining for lot in lots)
    instead = _not_this_one(reminder, known.offsets(reminder.programme_id), now=now, points=points)
    if instead:
        return instead
    origins = {lot.origin for lot in lots}
    if refused_of(purpose=Purpose.NOTICE.value, channel=delivery.channel, origins=origins):
        return Stop(Status.SKIPPED, Why.MIXED)
    contact = known.contact_of(delivery)
    if contact is None:
        return Stop(Status.SKIPPED, _why_nobody(delivery, now))
    opens = opening(programme=programme, contact=contact, now=now)
    if opens > now:
        return Wait(opens)
    said = telling(
        programme=programme,
        member=reminder.account.member,
        contact=contact,
        points=points,
        expires_at=reminder.expires_at,
        now=now,
    )
    return Go(contact, said, [lot.pk for lot in lots], delivery.pk in known.falling_back)


def _why_nobody(delivery: Delivery, now: datetime) -> Why:
    """Why there is no address to write to on this channel; another one may have one."""
    member_id, channel = delivery.reminder.account.member_id, delivery.channel
    if not consents.wants(member_id, channel, Purpose.NOTICE, now=now):
        return Why.OPTED_OUT
    if delivery.resend_no:
        return Why.NO_CONTACT  # none but those that came to nothing before
    addresses = Contact.objects.filter(member_id=member_id, channel=channel).usable().values(kept=Lower("address"))
    suppressed = Suppression.objects.filter(channel=channel, lifted_at=None, address__in=addresses).exists()
    return Why.SUPPRESSED if suppressed else Why.NO_CONTACT


def _would_count(lot: Lot, today: date, expires_on: date) -> bool:
    """Whether a notice given today would be a good one for this lot."""
    return is_good_day(today, expires_on, lot.notice_days, lot.policy.notice_max_days)


def _nothing_left(reminder: Reminder, now: datetime) -> Stop:
    if _moved(reminder):
        return Stop(Status.SUPERSEDED, Why.MOVED)  # the new date has reminders of its own
    if now >= reminder.expires_at:
        return Stop(Status.TOO_LATE, Why.EXPIRED)
    return Stop(Status.SKIPPED, Why.REDEEMED)


def _moved(reminder: Reminder) -> bool:
    """Whether points of that date are still there with another one: extended, postponed, or moved by activity.

    What moved by activity left no row of its own; it is known by its policy, its age, and that it goes later now.
    """
    there = Lot.objects.filter(account=reminder.account, open=True)
    by_an_act = there.filter(extensions__was=reminder.expires_at)
    by_activity = there.filter(
        policy__model=Model.INACTIVITY, first_expires_at__lte=reminder.expires_at, expires_at__gt=reminder.expires_at
    )
    return by_an_act.exists() or by_activity.exists()


def _not_this_one(reminder: Reminder, offsets: Sequence[Offset], *, now: datetime, points: int) -> Stop | Wait | None:
    today = now.astimezone(reminder.programme.tz).date()
    if reminder.offset_days not in {offset.days for offset in offsets}:
        return Stop(Status.SKIPPED, Why.NO_RULE)
    nearest = due_offset(offsets, today=today, expires_on=reminder.expires_on, points=points)
    if nearest == reminder.offset_days:
        return None
    if nearest is not None and nearest < reminder.offset_days:
        return _nearer(reminder, nearest, now=now)
    return Stop(Status.SKIPPED, Why.FEW_POINTS)


def _nearer(reminder: Reminder, offset_days: int, *, now: datetime) -> Stop | Wait | None:
    """A nearer reminder takes this one's place, if there is one: its channels may not reach the member, or its plan is
    held. None: this one is better than none.
    """
    same_date = Reminder.objects.filter(account=reminder.account_id, expires_at=reminder.expires_at)
    if same_date.filter(offset_days__lt=reminder.offset_days).exists():
        return Stop(Status.SUPERSEDED, Why.NEARER)
    planned_by = start_of_day(reminder.expires_on - timedelta(days=offset_days), reminder.programme.tz) + TO_BE_PLANNED
    return Wait(planned_by) if now < planned_by else None
