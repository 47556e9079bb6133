"""A guard against blasts: a day's plan far above the usual waits for a person.

A wrong import, a wrong date or a wrong rule can make a million reminders in a minute; nobody can call them back. The
usual is the median of the last 28 days' planned reminders, of the days that had any: points mostly go at the end of a
month, and the days without reminders between would make every such day look unusual.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection

from alerts.errors import BadInput
from alerts.models import PlanHold, TellingRules
from alerts.reasons import reason
from ledger.actors import Actor
from ledger.models import Programme
from ledger.policies import start_of_day

DAYS = 28
NEWEST_DECIDED = 5

_USUAL = """
SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY planned), 0)
  FROM (SELECT count(*) AS planned
          FROM alerts_reminder
         WHERE programme_id = %(programme)s AND planned_at >= %(since)s AND planned_at < %(until)s
         GROUP BY (planned_at AT TIME ZONE %(zone)s)::date) days"""


@dataclass(frozen=True, slots=True)
class Look:
    """What the guard says to a day's plan. `usual` is None where it was not asked: few reminders, or held already."""

    may_plan: bool
    usual: int | None = None


def may_plan(*, programme: Programme, planned_today: int, day: date, now: datetime) -> bool:
    """Whether the programme may have so many reminders planned on this day, those planned already among them.

    False makes a held plan, once, which waits for `decide`; call it outside what is rolled back because of the answer.
    """
    found = look(programme=programme, planned_today=planned_today, day=day)
    hold(found, programme=programme, planned_today=planned_today, day=day, now=now)
    return found.may_plan


def hold(found: Look, *, programme: Programme, planned_today: int, day: date, now: datetime) -> None:
    """Hold what was `found` to be too much, once: the plan then waits for `decide`."""
    if not found.may_plan and found.usual is not None:
        held = PlanHold(programme=programme, day=day, planned=planned_today, usual=found.usual, made_at=now)
        PlanHold.objects.bulk_create([held], ignore_conflicts=True)  # another tick may have held it meanwhile


def standing(*, programme: Programme, day: date) -> bool | None:
    """What stands about a day: True, a person let it go; False, it is held or was refused; None, neither.

    Planning asks before it finds anything, so that a plan that waits costs next to nothing.
    """
    hold = PlanHold.objects.filter(programme=programme, day=day).first()
    return None if hold is None else bool(hold.let_go)


def look(*, programme: Programme, planned_today: int, day: date) -> Look:
    """The same as `may_plan`, without a trace. A day that was let go stays so, and one that is held or was refused,
    too, however few reminders are left of it. On the others `blast_least` reminders never wait."""
    stands = standing(programme=programme, day=day)
    if stands is not None:
        return Look(may_plan=stands)
    rules = TellingRules.objects.filter(programme=programme).first() or TellingRules(programme=programme)
    if planned_today <= rules.blast_least:
        return Look(may_plan=True)
    median = usual(programme, day)
    return Look(may_plan=planned_today <= rules.blast_factor * median, usual=int(median))


def usual(programme: Programme, day: date) -> float:
    """The median of the reminders planned on each of the 28 days before `day` that had any; 0: none had.

    Reads the index of ranges on `planned_at`, and only where a day has more than `blast_least`.
    """
    times: dict[str, int | str | datetime] = {
        "programme": programme.pk,
        "since": start_of_day(day - timedelta(days=DAYS), programme.tz),
        "until": start_of_day(day, programme.tz),
        "zone": programme.zone,
    }
    with connection.cursor() as cursor:
        cursor.execute(_USUAL, times)
        row = cursor.fetchone()
    return float(row[0]) if row else 0.0


def decided_lately() -> list[PlanHold]:
    """The NEWEST_DECIDED holds that were decided last, the newest first, with their programmes."""
    decided = PlanHold.objects.filter(decided_at__isnull=False).select_related("programme")
    return list(decided.order_by("-decided_at", "-pk")[:NEWEST_DECIDED])


def decide(*, hold: PlanHold, let_go: bool, by: Actor, why: str, now: datetime) -> None:
    """Let the day's plan go, or say no to it, for a reason that stays at the hold; addresses in it are masked.

    Raises BadInput: there is no reason of at most `reasons.LONGEST` letters, or somebody decided already.
    """
    why = reason(why)
    waiting = PlanHold.objects.filter(pk=hold.pk, decided_at=None)
    if not waiting.update(decided_at=now, decided_by=str(by), let_go=let_go, why=why):
        raise BadInput("The plan was decided already, and stays so.", field="hold")
