"""When a notice may next go out to an address: the programme's quiet hours, by the clock on the member's wall.

They are for what rings: SMS and AlimTalk. An e-mail wakes nobody, and goes at once.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.models import Contact, Holiday, TellingRules
from alerts.models.contact import Channel
from alerts.rules.quiet_hours import Window, next_opening
from ledger.models import Programme


def opening(*, programme: Programme, contact: Contact, now: datetime) -> datetime:
    """`now` when a notice may go out to this contact, else the first instant at which it may.

    A programme without rules of its own keeps the hours that theirs begin with: 09:00 to 20:30.
    """
    if contact.channel == Channel.EMAIL:
        return now
    rules = TellingRules.objects.filter(programme=programme).first() or TellingRules(programme=programme)
    days_off = _days_off(programme, now) if rules.rests_on_holidays else frozenset()
    zone = ZoneInfo(contact.zone) if contact.zone else programme.tz
    return next_opening(now, Window(rules.open_from, rules.open_until), zone, rests_on=days_off.__contains__)


def _days_off(programme: Programme, now: datetime) -> frozenset[date]:
    """The programme's holidays, those from yesterday on: where the member lives it may still be that day."""
    yesterday = now.date() - timedelta(days=1)
    rows = Holiday.objects.filter(programme=programme, is_holiday=True, day__gte=yesterday)
    return frozenset(rows.values_list("day", flat=True))
