"""The rules of a programme: when its members are reminded, and whose points get more time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from django.db import transaction
from django.utils.translation import gettext as _

from alerts.checked import save_checked
from alerts.errors import BadInput
from alerts.models import ExtensionRule, ReminderRule
from alerts.models.contact import Channel
from alerts.planning.due import Offset
from alerts.rules.holding import broken_anew, excuse
from alerts.rules.linting import facts_of, reminders_of
from ledger import programmes
from ledger.actors import Actor
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
    for messages that come to nothing. Set the first (the largest) offset first. Raises BadInput.

    It is not held against the programme's pack; `remind_schedule` and `holding.keep` are.
    """
    rule = ReminderRule(
        programme=programme,
        offset_days=offset_days,
        least_points=least_points,
        channels=[channel.value for channel in channels],
        at_once=at_once,
    )
    save_checked(rule)
    return rule


def remind_schedule(
    *,
    programme: Programme,
    offsets: Sequence[int],
    by: Actor,
    now: datetime,
    least_points: int = 1,
    channels: Sequence[Channel] = (Channel.EMAIL,),
    at_once: int = 1,
    reason: str = "",
) -> list[ReminderRule]:
    """Set all reminders of a programme at once: so many days before each, `[60, 30, 3]` for instance, all on these
    channels. Those that are not named any more are removed. Held against the programme's pack (`holding.py`).

    Raises BadInput naming the field: the days do not fall from each reminder to the next (`offsets`), one of the rules
    is off, or the pack is broken anew without a `reason`; ProgrammeBusy. Nothing is written then.
    """
    _check_falls(offsets)
    with transaction.atomic():
        programmes.lock(programme.pk)
        before = facts_of(programme, now=now)
        there = {rule.offset_days: rule for rule in ReminderRule.objects.filter(programme=programme)}
        for days in there.keys() - set(offsets):
            there[days].delete()
        rules = []
        for days in offsets:
            rule = there.get(days) or ReminderRule(programme=programme, offset_days=days)
            rule.least_points, rule.at_once = least_points, at_once
            rule.channels = [str(channel) for channel in channels]
            _save_as_one_of_many(rule)
            rules.append(rule)
        broken = broken_anew(programme, before=before, after=replace(before, reminders=reminders_of(rules)))
        in_schedule = [replace(one, field="offsets") if one.field == "offset_days" else one for one in broken]
        excuse(programme, in_schedule, reason=reason, by=by, now=now)
    return rules


def _check_falls(offsets: Sequence[int]) -> None:
    """Each reminder is nearer to the last day than the one before it: a slip of the pen shows here."""
    if not offsets:
        raise BadInput(_("A schedule has at least one reminder."), field="offsets")
    for earlier, later in pairwise(offsets):
        if later >= earlier:
            said = _(
                "Each reminder comes after the one before it, so the days fall: %(later)d cannot follow %(earlier)d."
            )
            raise BadInput(said % {"later": later, "earlier": earlier}, field="offsets")


def _save_as_one_of_many(rule: ReminderRule) -> None:
    """A number of days that is off is one of the schedule's."""
    try:
        save_checked(rule)
    except BadInput as error:
        if error.field == "offset_days":
            raise BadInput(f"{rule.offset_days}: {error.detail}", field="offsets") from error
        raise


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
