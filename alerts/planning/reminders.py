"""From lots to reminders, and from reminders to messages: two bulk statements, safe to run twice at once.

The cost follows what goes soon, not what exists: planning reads one range of the ledger's index of open lots by
programme and date. Nothing is remembered between two runs, so a run that was missed is caught up by the next, and
so is a contact or a rule that came late. A contact that comes after the reminder's messages have ended without telling
anybody is the affair of `sending/renewing.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from alerts.models import Reminder, ReminderRule
from alerts.planning import blast
from alerts.planning.conditions import CHANNEL, COUNTS, FANNED_OUT, IS_KEPT, IS_PLANNED, IS_REACHED, NEAREST, SOON
from alerts.planning.due import Offset, horizon
from ledger.models import Programme
from ledger.policies import start_of_day

# The dates of members that are due and have no reminder yet.
_DUE = f"""
  FROM (SELECT lot.account_id, lot.expires_at, sum(lot.remaining)::bigint AS points, day.expires_on
          {SOON}
           AND {COUNTS}
         GROUP BY lot.account_id, lot.expires_at, day.expires_on) soon
  JOIN ledger_account account ON account.id = soon.account_id AND {IS_KEPT}
 CROSS JOIN LATERAL ({NEAREST}) nearest
 WHERE {IS_REACHED}
   AND NOT {IS_PLANNED}"""  # our own constants

_PLAN = f"""
INSERT INTO alerts_reminder
       (programme_id, account_id, expires_at, expires_on, offset_days, due_at, points_planned, planned_at)
SELECT %(programme)s, soon.account_id, soon.expires_at, soon.expires_on, nearest.offset_days,
       (soon.expires_on - nearest.offset_days)::timestamp AT TIME ZONE %(zone)s, soon.points, %(now)s
{_DUE}
 ORDER BY soon.expires_at, soon.account_id
 LIMIT %(limit)s
ON CONFLICT (account_id, expires_at, offset_days) DO NOTHING"""

_LEFT = f"SELECT count(*) {_DUE}"

_FAN_OUT = f"""
WITH due AS MATERIALIZED (
  SELECT id, programme_id, account_id, offset_days FROM alerts_reminder
   WHERE fanned_out_at IS NULL AND due_at <= %(now)s
   ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED),
message AS (
  INSERT INTO alerts_delivery (id, reminder_id, programme_id, channel, resend_no, status, why, created_at,
         next_attempt_at, attempts, language, lots, template, text_hash, variables, text, transport, provider_id)
  SELECT gen_random_uuid(), due.id, due.programme_id, {CHANNEL}, 0, 'pending', '', %(now)s, %(now)s, 0,
         '', '{{}}', '', '', '{{}}'::jsonb, '', '', ''
    FROM due {FANNED_OUT}
  ON CONFLICT (reminder_id, channel, resend_no) DO NOTHING)
UPDATE alerts_reminder reminder SET fanned_out_at = %(now)s FROM due WHERE reminder.id = due.id"""  # noqa: S608


def plan(*, now: datetime, limit: int) -> int:
    """Plan up to `limit` reminders for points that go soon and were not planned for; returns how many."""
    planned = 0
    for programme in Programme.objects.filter(reminder_rules__isnull=False).distinct().order_by("pk"):
        if planned >= limit:
            break
        planned += _plan(programme, now, limit - planned)
    return planned


def _plan(programme: Programme, now: datetime, limit: int) -> int:
    """Plan, and take it back where the day is so much more than usual that a person must look first.

    A day that is held already, or was refused, is left alone; one that a person let go needs no count.
    """
    today = now.astimezone(programme.tz).date()
    stands = blast.standing(programme=programme, day=today)
    if stands is False:
        return 0
    variables = values(programme, now=now) | {"limit": limit}
    with transaction.atomic():
        before = transaction.savepoint()
        with connection.cursor() as cursor:
            cursor.execute(_PLAN, variables)
            planned = int(cursor.rowcount)
        if stands or not planned:
            return planned
        # All that is due counts, not only what one run makes of it: a blast must not begin to go out.
        left = _count_left(variables) if planned == limit else 0
        of_the_day = left + planned_since(programme, start_of_day(today, programme.tz))
        found = blast.look(programme=programme, planned_today=of_the_day, day=today)
        if found.may_plan:
            return planned
        transaction.savepoint_rollback(before)
        blast.hold(found, programme=programme, planned_today=of_the_day, day=today, now=now)
    return 0


def _count_left(variables: dict[str, Any]) -> int:
    """How many are due beyond what was just planned."""
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, variables)
        (left,) = cursor.fetchone()
    return int(left)


def values(programme: Programme, *, now: datetime) -> dict[str, Any]:
    """What the conditions of planning are asked with at an instant. `horizon` is None for a programme without rules."""
    rules = ReminderRule.objects.filter(programme=programme)
    today = now.astimezone(programme.tz).date()
    until = horizon([Offset(rule.offset_days) for rule in rules], today=today, zone=programme.tz)
    return {"programme": programme.pk, "zone": programme.zone, "now": now, "today": today, "horizon": until}


def planned_since(programme: Programme, since: datetime) -> int:
    """How many reminders were planned since an instant; `reminder_planned` serves."""
    return Reminder.objects.filter(programme=programme, planned_at__gte=since).count()


def fan_out(*, now: datetime, limit: int) -> int:
    """Make the messages of up to `limit` due reminders, on the first channels of their rule that reach the member;
    returns how many reminders that were.

    A reminder whose rule was removed in the meantime gets none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FAN_OUT, {"now": now, "limit": limit})
        return int(cursor.rowcount)
