"""Points of which nobody was told in time: their date moves, so that there is time to tell.

Only where somebody can be told: there must be a usable address, and a reminder early enough for the duty that is
worth sending for so many points. Other points stay as they are, gated by the ledger and without a new date, until
somebody can be told of them; moving them again and again would tell nobody anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.db import connection
from django.db.models import Max

from alerts.posted import Posted, post_all
from ledger.actors import Actor
from ledger.models import Policy, Programme
from ledger.notices import extend_untold_order
from ledger.policies import start_of_day
from ledger.posting import Order

BY = Actor("alerts")

# `lot_untold` is the index that is read: open lots that wait for a notice, by programme and date.
_LATE = """
SELECT late.account_id, late.expires_on, late.lot_id
  FROM (SELECT lot.id AS lot_id, lot.account_id, lot.expires_at, lot.seq, lot.number, lot.notice_days,
               lot.notice_slack, day.expires_on,
               sum(lot.remaining) OVER (PARTITION BY lot.account_id) AS points
          FROM ledger_lot lot
         CROSS JOIN LATERAL (
               SELECT ((lot.expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s)::date AS expires_on) day
         WHERE lot.open AND lot.gated AND lot.programme_id = %(programme)s AND lot.expires_at <= %(until)s
           AND day.expires_on < %(today)s::date + lot.notice_days) late
  JOIN ledger_account account ON account.id = late.account_id
 WHERE EXISTS (SELECT FROM alerts_reminderrule rule
                 JOIN alerts_contact contact ON contact.channel = rule.channel
                WHERE rule.programme_id = %(programme)s AND rule.least_points <= late.points
                  AND rule.offset_days >= late.notice_days + late.notice_slack
                  AND contact.member_id = account.member_id
                  AND contact.active AND contact.verified AND contact.refused_at IS NULL)
 ORDER BY late.expires_at, late.account_id, late.seq, late.number
 LIMIT %(limit)s"""


def extend_untold(*, now: datetime, limit: int) -> Posted:
    """Give up to `limit` lots of which it is too late to tell the full notice again."""
    posted = Posted()
    duties = Policy.objects.filter(notice_days__gt=0).values("programme").annotate(most=Max("notice_days"))
    for duty in duties.order_by("programme"):
        if posted.lots >= limit:
            break
        programme = Programme.objects.get(pk=duty["programme"])
        late = _late(programme, now, duty["most"], limit - posted.lots)
        posted += post_all(_orders(programme, late, now), lots=len(late))
    return posted


def _late(programme: Programme, now: datetime, most_days: int, limit: int) -> list[tuple[int, date, int]]:
    """(account, last day, lot) of the lots that are late, those of one account and day together."""
    today = now.astimezone(programme.tz).date()
    with connection.cursor() as cursor:
        cursor.execute(
            _LATE,
            {
                "programme": programme.pk,
                "zone": programme.zone,
                "today": today,
                "until": start_of_day(today + timedelta(days=most_days), programme.tz),
                "limit": limit,
            },
        )
        rows: list[tuple[int, date, int]] = cursor.fetchall()
    return rows


def _orders(programme: Programme, late: list[tuple[int, date, int]], now: datetime) -> Iterable[Order]:
    today = now.astimezone(programme.tz).date()
    for (account_id, expires_on), rows in groupby(late, key=itemgetter(0, 1)):
        lots = [lot_id for _, _, lot_id in rows]
        # The ledger decides again under its lock. Two runs at once on one day have the same key and so one
        # effect; the day is part of it because a notice that is withdrawn makes the same lots late once more.
        key = f"untold:{lots[0]}:{expires_on}:{today}"
        yield extend_untold_order(account_id=account_id, lots=lots, now=now, key=key, by=BY)
