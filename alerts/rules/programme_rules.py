"""The rules of a programme: when its members are reminded, and whose points get more time."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.checked import save_checked
from alerts.models import ExtensionRule, ReminderRule
from alerts.models.contact import Channel
from alerts.planning.due import Offset
from ledger.models import Programme


def remind(
    *,
    programme: Programme,
    offset_days: int,
    least_points: int = 1,
    channels: Sequence[Channel] = (Channel.EMAIL,),
    at_once: int = 1,
) -> ReminderRule:
    """Remind members this many days before, on the first `at_once` of these channels that reach them; the others are
    for messages that come to nothing. Set the first (the largest) offset first. Raises BadInput."""
    rule = ReminderRule(
        programme=programme,
        offset_days=offset_days,
        least_points=least_points,
        channels=[channel.value for channel in channels],
        at_once=at_once,
    )
    save_checked(rule)
    return rule


def extend_active(
    *, programme: Programme, active_days: int, extend_days: int, most_times: int, days_before: int
) -> ExtensionRule:
    """Give members who were active in the last days more time, so many times for each lot. Raises BadInput."""
    rule = ExtensionRule(
        programme=programme,
        active_days=active_days,
        extend_days=extend_days,
        most_times=most_times,
        days_before=days_before,
    )
    save_checked(rule)
    return rule


def offsets(programme_id: int) -> list[Offset]:
    """The programme's offsets as plain values, the nearest first."""
    rows = ReminderRule.objects.filter(programme_id=programme_id).order_by("offset_days")
    return [Offset(days, least) for days, least in rows.values_list("offset_days", "least_points")]
