"""What the rows about telling people have in common: a programme that reminds, and messages that are due."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.models import TellingRules
from alerts.models.contact import Channel
from alerts.planning import reminders
from alerts.rules import programme_rules
from benchmarks.members import programme, with_addresses, with_due_lots
from ledger.models import Programme

LIFE = timedelta(days=300)
TOLD_BEFORE = timedelta(days=30)
NEVER_HELD = 2**31 - 1  # reminders a day that need nobody's leave: the guard against too many is asked, and lets it go


def remind(of: Programme, channel: Channel = Channel.EMAIL) -> None:
    """Let the programme write so many days before, however many members that are."""
    programme_rules.remind(programme=of, offset_days=TOLD_BEFORE.days, channels=[channel])
    TellingRules.objects.update_or_create(programme=of, defaults={"blast_least": NEVER_HELD})


def noon_yesterday() -> datetime:
    """An instant at which messages of all kinds may go out; acts may not lie in the future."""
    zone = ZoneInfo("Asia/Seoul")
    yesterday = datetime.now(zone).date() - timedelta(days=1)
    return datetime.combine(yesterday, time(12), zone).astimezone(UTC)


def due_messages(messages: int, channel: Channel, *, now: datetime) -> None:
    """Messages to so many members of a new programme, all due at `now`."""
    of = programme("telling")
    remind(of, channel)
    due = now + TOLD_BEFORE - timedelta(days=1)
    with_addresses(with_due_lots(of, copies=messages, granted=now - LIFE, due=due), channel=channel, now=now)
    planned = reminders.plan(now=now, limit=2 * messages)
    fanned_out = reminders.fan_out(now=now, limit=2 * messages)
    if (planned, fanned_out) != (messages, messages):
        raise AssertionError(f"{planned} reminders and {fanned_out} messages for {messages} members")
