"""When a notice may next go out to an address: the programme's quiet hours, by the clock on the member's wall.

They are for what rings: SMS and AlimTalk. An e-mail wakes nobody, and goes at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from alerts.models import Contact, Holiday, TellingRules
from alerts.models.contact import Channel
from alerts.rules.holidays import is_day_off
from alerts.rules.quiet_hours import Window, next_opening
from ledger.models import Programme


def opening(*, programme: Programme, contact: Contact, now: datetime) -> datetime:
    """`now` when a notice may go out to this contact, else the first instant at which it may.

    A programme without rules of its own keeps the hours that theirs begin with: 09:00 to 20:30.
    """
    if contact.channel == Channel.EMAIL:
        return now
    rules = getattr(programme, "telling", None) or TellingRules(programme=programme)
    zone = ZoneInfo(contact.zone) if contact.zone else programme.tz
    rests_on = _days_off(rules, now) if rules.rests_on_holidays else None
    return next_opening(now, Window(rules.open_from, rules.open_until), zone, rests_on=rests_on)


def _days_off(rules: TellingRules, now: datetime) -> Callable[[date], bool]:
    """Whether a day is one of rest: the programme's own word before its country's calendar.

    Its own days are read from yesterday on: where the member lives it may still be that day.
    """
    yesterday = now.date() - timedelta(days=1)
    rows = Holiday.objects.filter(programme=rules.programme_id, day__gte=yesterday)
    own = dict(rows.values_list("day", "is_holiday"))
    return partial(is_day_off, country=rules.country, own=own)
