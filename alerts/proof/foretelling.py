"""What would be sent on a day: a dry run, in one statement for the figures, that writes nothing.

It stands on the conditions of planning themselves (`planning.conditions`) and on everything as it is now: rules, lots,
gates, addresses, consents, reminders that were made already. It is what planning would do if it ran at that instant,
today now and on a later day at its beginning, and fanned out. On a later day some of it would have gone before, while
the line runs day by day: those are counted apart, by the day on which each comes due. A gate is taken as it stands:
points whose notice is still to be given on the way there are among those of which it is too late to tell.

Not foretold is what the look before sending finds out at that very moment, but for one thing: an AlimTalk that would
speak of points that were not paid for passes on to the next channel of its rule.

Its cost follows what is due, not what exists: `lot_expiring` serves (open lots of the programme by date, up to the
widest offset), then the indexes of each member, `reminder_once`, `contact_address_once` and `consent_newest`; and for
what is on its way `reminder_to_fan_out` and `delivery_due`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from alerts.addresses.reachable import DELIVERABLE
from alerts.channels import transport_of
from alerts.errors import BadInput
from alerts.models import TellingRules, Transport
from alerts.planning import blast, reminders
from alerts.planning.conditions import CHANNEL, COUNTS, FANNED_OUT, IS_KEPT, IS_PLANNED, IS_REACHED, NEAREST, SOON
from ledger.inputs import YEARS
from ledger.models import Programme
from ledger.policies import end_of_day, start_of_day


class Stage(models.TextChoices):
    """How far it has come today."""

    NEW = "new", _("to be planned")
    PLANNED = "planned", _("planned, no message yet")
    WAITING = "waiting", _("a message that waits for its time")


class Out(models.TextChoices):
    """Why nothing would be sent about points that go soon."""

    CLOSED = "closed", _("the account is closed")
    UNTOLD = "untold", _("too late to tell: the date will be moved")
    TOO_EARLY = "too_early", _("too early for a notice that counts")
    FEW_POINTS = "few_points", _("fewer points than the rule asks for")
    PLANNED = "planned", _("a reminder was made already")
    OPTED_OUT = "opted_out", _("the member wants no such messages")
    NO_CONTACT = "no_contact", _("no usable address")


@dataclass(frozen=True, slots=True)
class Count:
    """Messages of one channel and offset, and of how many points; `pass_on` of them go to the next channel instead."""

    stage: Stage
    channel: str
    offset_days: int
    messages: int
    points: int
    pass_on: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """Members' dates of which nothing is said, and why; of `waived` of them the ledger has a waiver that stands."""

    why: Out
    dates: int
    points: int
    waived: int


@dataclass(frozen=True, slots=True)
class Foretold:
    """The figures of a day. `reminders` are the new ones of that day, which the guard would hold as `held` says.

    `stopped`: somebody stopped the programme, or the transports of `stopped_channels`; then nothing goes out there.
    """

    programme: Programme
    day: date
    at: datetime
    reminders: int
    counts: list[Count]
    earlier: list[Count]
    dropped: list[Dropped]
    held: bool
    stopped: bool
    stopped_channels: list[str]


@dataclass(frozen=True, slots=True)
class Message:
    """One message that would be sent. `due_on`: the day on which it comes due, if the line runs day by day."""

    member: str
    stage: Stage
    expires_on: date
    offset_days: int
    channel: str
    points: int
    due_on: date
    passes_on: bool


# `why` says, in the order of planning's own conditions, what is in the way; NULL: nothing.
_FORETOLD = f"""
WITH soon AS (
  SELECT lot.account_id, lot.expires_at, day.expires_on,
         sum(lot.remaining) FILTER (WHERE {COUNTS})::bigint AS points,
         sum(lot.remaining)::bigint AS all_points,
         bool_or(day.expires_on - %(today)s::date < lot.notice_days) AS is_late,
         bool_or(lot.origin <> 'purchase') FILTER (WHERE {COUNTS}) AS is_mixed,
         min(CASE WHEN lot.gated AND policy.notice_max_days > 0 THEN day.expires_on - policy.notice_max_days
                  ELSE '-infinity'::date END) FILTER (WHERE {COUNTS}) AS counts_from
          {SOON}
   GROUP BY lot.account_id, lot.expires_at, day.expires_on),
judged AS (
  SELECT soon.*, nearest.offset_days,
         CASE WHEN NOT {IS_KEPT} THEN 'closed'
              WHEN soon.points IS NULL THEN CASE WHEN soon.is_late THEN 'untold' ELSE 'too_early' END
              WHEN nearest.offset_days IS NULL THEN 'few_points'
              WHEN {IS_PLANNED} THEN 'planned'
              WHEN {IS_REACHED} THEN NULL
              WHEN EXISTS (SELECT FROM alerts_contact contact
                            WHERE contact.member_id = account.member_id AND contact.channel = ANY (nearest.channels)
                              AND {DELIVERABLE}) THEN 'opted_out'
              ELSE 'no_contact' END AS why
    FROM soon
    JOIN ledger_account account ON account.id = soon.account_id
    LEFT JOIN LATERAL ({NEAREST}) nearest ON true),
due AS (
  SELECT 'new' AS stage, %(programme)s::bigint AS programme_id, account_id, expires_at, expires_on, offset_days, points,
         is_mixed, greatest(expires_on - offset_days, counts_from, %(current)s::date) AS due_on
    FROM judged WHERE why IS NULL
   UNION ALL
  SELECT 'planned', programme_id, account_id, expires_at, expires_on, offset_days, points_planned, false,
         greatest(expires_on - offset_days, %(current)s::date)
    FROM alerts_reminder
   WHERE fanned_out_at IS NULL AND due_at <= %(now)s AND programme_id = %(programme)s),
message AS (
  SELECT due.stage, due.account_id, due.expires_at, due.expires_on, offset_days, due.points, due.due_on,
         {CHANNEL} AS channel, due.is_mixed AND {CHANNEL} = 'alimtalk' AS passes_on
    FROM due {FANNED_OUT}
   UNION ALL
  SELECT 'waiting', reminder.account_id, reminder.expires_at, reminder.expires_on, reminder.offset_days,
         reminder.points_planned,
         greatest((delivery.next_attempt_at AT TIME ZONE %(zone)s)::date, %(current)s::date), delivery.channel, false
    FROM alerts_delivery delivery JOIN alerts_reminder reminder ON reminder.id = delivery.reminder_id
   WHERE delivery.status = 'pending' AND delivery.next_attempt_at < %(day_ends)s
     AND delivery.programme_id = %(programme)s)"""  # noqa: S608  # our own constants

_FIGURES = f"""{_FORETOLD}
SELECT 'reminder', '', '', 0, count(*), coalesce(sum(points), 0)::bigint, 0, false
  FROM due WHERE stage = 'new' AND due_on = %(today)s
 UNION ALL
SELECT 'message', stage, channel, offset_days, count(*), sum(points)::bigint,
       count(*) FILTER (WHERE passes_on), due_on < %(today)s
  FROM message GROUP BY stage, channel, offset_days, due_on < %(today)s
 UNION ALL
SELECT 'out', why, '', 0, count(*), sum(coalesce(points, all_points))::bigint, count(*) FILTER (WHERE EXISTS (
         SELECT FROM ledger_notice notice JOIN ledger_entry entry ON entry.id = notice.entry_id
          WHERE notice.account_id = judged.account_id AND notice.expires_at = judged.expires_at AND notice.waiver <> ''
            AND NOT EXISTS (SELECT FROM ledger_entry undoing
                             WHERE undoing.account_id = notice.account_id AND undoing.undoes_seq = entry.seq))), false
  FROM judged WHERE why IS NOT NULL GROUP BY why
 ORDER BY 1, 2, 3, 4 DESC"""  # noqa: S608

_MESSAGES = f"""{_FORETOLD}
SELECT member.reference, message.stage, message.expires_on, message.offset_days, message.channel, message.points,
       message.due_on, message.passes_on
  FROM message
  JOIN ledger_account account ON account.id = message.account_id
  JOIN ledger_member member ON member.id = account.member_id
 ORDER BY message.expires_at, message.account_id, message.offset_days DESC, message.channel
 LIMIT %(limit)s"""  # noqa: S608


def foretell(programme: Programme, *, day: date | None = None, now: datetime) -> Foretold:
    """The figures of a day, today unless told. Raises BadInput: a day that has gone, or lies beyond the calendar."""
    asked = _asked(programme, day, now)
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, asked)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    counts = [(row[7], Count(Stage(row[1]), *row[2:7])) for row in rows if row[0] == "message"]
    new = sum(row[4] for row in rows if row[0] == "reminder")
    planned = reminders.planned_since(programme, start_of_day(asked["today"], programme.tz))
    guard = blast.look(programme=programme, planned_today=planned + new, day=asked["today"])
    return Foretold(
        programme=programme,
        day=asked["today"],
        at=asked["now"],
        reminders=new,
        counts=[count for earlier, count in counts if not earlier],
        earlier=[count for earlier, count in counts if earlier],
        dropped=[Dropped(Out(row[1]), *row[4:7]) for row in rows if row[0] == "out"],
        held=bool(new) and not guard.may_plan,
        stopped=TellingRules.objects.filter(programme=programme, stopped_at__isnull=False).exists(),
        stopped_channels=_stopped({count.channel for _earlier, count in counts}),
    )


def messages(
    programme: Programme, *, day: date | None = None, now: datetime, limit: int | None = None
) -> Iterator[Message]:
    """The messages of a day, those that would have gone before among them; the first to expire first, at most `limit`.

    Read in portions: there may be a million. Raises BadInput as `foretell`.
    """
    asked = _asked(programme, day, now) | {"limit": limit}
    return _read(asked)


def _read(asked: dict[str, Any]) -> Iterator[Message]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_MESSAGES, asked)
        for reference, stage, *rest in cursor:
            yield Message(reference, Stage(stage), *rest)


def _asked(programme: Programme, day: date | None, now: datetime) -> dict[str, Any]:
    """What the statements are asked with: the instant at which the day's planning is played."""
    current = now.astimezone(programme.tz).date()
    day = day or current
    if day < current:
        raise BadInput(_t("This day has gone: the evidence says what was sent."), field="day")
    if day.year not in YEARS:
        raise BadInput(_t("The year must lie before 9000."), field="day")
    at = now if day == current else start_of_day(day, programme.tz)
    day_ends = end_of_day(day, programme.tz)
    return reminders.values(programme, now=at) | {"current": current, "day_ends": day_ends}


def _stopped(channels: set[str]) -> list[str]:
    """Those of the channels whose transport a person has stopped."""
    stopped = set(Transport.objects.filter(stopped_at__isnull=False).values_list("name", flat=True))
    return sorted(channel for channel in channels if transport_of(channel) in stopped)
