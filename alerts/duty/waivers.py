"""Points of which nobody need be told: where the policy accepts it, the ledger gets a waiver with its reason.

As late as can be, in the last days on which a notice still counts (as many as the policy's slack): until then the
member may yet give an address, or change their mind. A programme without a reminder early enough for the duty waives
nothing: that it tells nobody is its own doing.

A waiver must still be true on the last day on which a notice counts. One that is not is withdrawn while there is time
to tell: the points are gated again, and planning tells the member, or another reason takes its place. Later it stays.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from alerts.duty.reasons import REASON
from alerts.posted import Posted
from alerts.stopwatch import Stopwatch
from ledger import notices
from ledger.actors import Actor
from ledger.errors import LedgerError
from ledger.kinds import Waiver
from ledger.models import Account, Policy, Programme
from ledger.policies import start_of_day

logger = logging.getLogger(__name__)

BY = Actor("alerts")
BUDGET = timedelta(seconds=25)  # no act is begun later in a tick: a slow one then still ends in time
UNTRUE = "the waiver is not true any more"

_DAY = """
         CROSS JOIN LATERAL (
               SELECT ((lot.expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s)::date AS expires_on) day"""

# `lot_untold` is the index that is read: open lots that wait for a notice, by programme and date. A waiver that was
# withdrawn may be true once more: how many there were of this date is part of the next one's key.
_UNTELLABLE = f"""
SELECT late.account_id, late.expires_at, late.expires_on, reason.waiver, points.sum,
       (SELECT count(*) FROM ledger_notice notice
         WHERE notice.account_id = late.account_id AND notice.expires_at = late.expires_at AND notice.waiver <> ''),
       late.lot_id
  FROM (SELECT lot.id AS lot_id, lot.account_id, lot.expires_at, day.expires_on, lot.notice_days
          FROM ledger_lot lot
          JOIN ledger_policy policy ON policy.id = lot.policy_id AND policy.accepts_waivers
          {_DAY}
         WHERE lot.open AND lot.gated AND lot.programme_id = %(programme)s
           AND lot.expires_at > %(now)s AND lot.expires_at <= %(until)s
           AND day.expires_on - %(today)s::date BETWEEN lot.notice_days AND lot.notice_days + lot.notice_slack
           AND (policy.notice_max_days = 0 OR day.expires_on - %(today)s::date <= policy.notice_max_days)) late
  {REASON}
 WHERE in_time.there AND reason.waiver IS NOT NULL
 ORDER BY late.expires_at, late.account_id, late.lot_id
 LIMIT %(limit)s"""  # noqa: S608  # our own constants

# `lot_expiring` is the index that is read, over the days on which a waiver can be recorded, and `notice_of_a_date`. Of
# a waiver with a lot of which it is too late to tell nothing is taken back.
_UNTRUE = f"""
SELECT late.account_id, entry.key, count(*)
  FROM (SELECT lot.id AS lot_id, lot.account_id, lot.expires_at, lot.notice_days,
               day.expires_on - %(today)s::date >= lot.notice_days AS is_in_time
          FROM ledger_lot lot
          {_DAY}
         WHERE lot.open AND NOT lot.gated AND lot.notice_days > 0 AND lot.programme_id = %(programme)s
           AND lot.expires_at > %(since)s AND lot.expires_at <= %(until)s) late
  JOIN ledger_notice notice ON notice.account_id = late.account_id AND notice.expires_at = late.expires_at
       AND notice.waiver <> '' AND late.lot_id = ANY (notice.lots)
  JOIN ledger_entry entry ON entry.id = notice.entry_id AND entry.actor = %(by)s
       AND NOT EXISTS (SELECT FROM ledger_entry undoing
                        WHERE undoing.account_id = notice.account_id AND undoing.undoes_seq = entry.seq)
  {REASON}
 GROUP BY late.expires_at, late.account_id, entry.seq, entry.key
HAVING bool_and(late.is_in_time AND in_time.there AND reason.waiver IS DISTINCT FROM notice.waiver)
 ORDER BY late.expires_at, late.account_id, entry.seq
 LIMIT %(limit)s"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over a programme: its day, the span of its duties, and the time that is left."""

    programme: Programme
    now: datetime
    watch: Stopwatch

    @property
    def today(self) -> date:
        return self.now.astimezone(self.programme.tz).date()

    @property
    def is_over(self) -> bool:
        return self.watch.spent >= BUDGET

    def rows(self, statement: str, limit: int) -> list[tuple[Any, ...]]:
        """The statement's rows, asked for the days on which a waiver can be recorded."""
        duties = self.programme.policies.filter(notice_days__gt=0, accepts_waivers=True)
        spans = list(duties.values_list("notice_days", "notice_slack"))
        zone = self.programme.tz
        values: dict[str, Any] = {
            "programme": self.programme.pk,
            "zone": self.programme.zone,
            "now": self.now,
            "today": self.today,
            "since": start_of_day(self.today + timedelta(days=min(days for days, _ in spans)), zone),
            "until": start_of_day(self.today + timedelta(days=max(map(sum, spans)) + 1), zone),
            "by": str(BY),
            "limit": limit,
        }
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())


def record_waivers(*, now: datetime, limit: int) -> Posted:
    """Withdraw up to `limit` waivers that are not true any more, and waive the notice of up to `limit` lots of which
    nobody can or need be told; what is refused, or finds no time in this tick, waits for the next.
    """
    watch = Stopwatch(now)
    withdrawn = recorded = Posted()
    duties = Policy.objects.filter(notice_days__gt=0, accepts_waivers=True)
    for programme in Programme.objects.filter(pk__in=duties.values("programme")).order_by("pk"):
        here = Pass(programme, now, watch)
        if withdrawn.orders + withdrawn.refused < limit:
            withdrawn += _withdraw(here, limit - withdrawn.orders - withdrawn.refused)
        if recorded.lots < limit:
            recorded += _record(here, limit - recorded.lots)
    return withdrawn + recorded


def _withdraw(here: Pass, limit: int) -> Posted:
    posted = Posted()
    for account_id, key, lots in here.rows(_UNTRUE, limit):
        if here.is_over:
            break
        try:
            notices.withdraw(
                account=Account(pk=account_id), notice=key, now=here.now, key=f"{key}:untrue", by=BY, reason=UNTRUE
            )
            posted += Posted(lots, 1)
        except LedgerError as error:
            posted += Posted(lots, refused=1)
            logger.info("withdrawal of a waiver refused: %s", error.code)
    return posted


def _record(here: Pass, limit: int) -> Posted:
    posted = Posted()
    for of_one_waiver, group in groupby(here.rows(_UNTELLABLE, limit), key=itemgetter(slice(0, 6))):
        if here.is_over:
            break
        account_id, expires_at, expires_on, waiver, points, before = of_one_waiver
        lots = [row[6] for row in group]
        try:
            notices.waive(
                account=Account(pk=account_id),
                lots=lots,
                expires_at=expires_at,
                told_on=here.today,
                waiver=Waiver(waiver),
                evidence=f"{waiver} on {here.today}, {points} points",
                now=here.now,
                key=f"waiver:{waiver}:{lots[0]}:{len(lots)}:{points}:{expires_on}:{here.today}:{before}",
                by=BY,
            )
            posted += Posted(len(lots), 1)
        except LedgerError as error:
            posted += Posted(len(lots), refused=1)
            logger.info("waiver refused: %s", error.code)
    return posted
