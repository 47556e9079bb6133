"""Points of which nobody was told in time: their date moves, so that there is time to tell.

Only where somebody can be told: on as many channels as the policy asks there must be a usable address, and a reminder
early enough for the duty that is worth sending for so many points. Other points stay as they are, gated by the ledger
and without a new date, until somebody can be told of them.

Once, not for ever: points that were moved before and of which still nobody was told stay where they are, too, until
there is a sign that it can go better now. A sign is a message of the programme on such a channel that was accepted
since, or an address of the member that was verified since. Moving them again and again would tell nobody anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.db import connection
from django.db.models import Max

from alerts.addresses.reachable import REACHABLE
from alerts.posted import Posted, post_all
from ledger.actors import Actor
from ledger.effects import UNTOLD
from ledger.models import Policy, Programme
from ledger.notices import extend_untold_order
from ledger.policies import start_of_day
from ledger.posting import Order

BY = Actor("alerts")

# `lot_untold` is the index that is read: open lots that wait for a notice, by programme and date.
_LATE = f"""
SELECT late.account_id, late.expires_on, late.moved_untold, late.lot_id
  FROM (SELECT lot.id AS lot_id, lot.account_id, lot.expires_at, lot.seq, lot.number, lot.notice_days,
               lot.notice_slack, lot.moved_untold, policy.notice_channels, day.expires_on,
               sum(lot.remaining) OVER (PARTITION BY lot.account_id) AS points
          FROM ledger_lot lot
          JOIN ledger_policy policy ON policy.id = lot.policy_id
         CROSS JOIN LATERAL (
               SELECT ((lot.expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s)::date AS expires_on) day
         WHERE lot.open AND lot.gated AND lot.programme_id = %(programme)s AND lot.expires_at <= %(until)s
           AND day.expires_on < %(today)s::date + lot.notice_days) late
  JOIN ledger_account account ON account.id = late.account_id
       AND (account.closes_at IS NULL OR account.closes_at > %(now)s)
 CROSS JOIN LATERAL (
       SELECT max(entry.recorded_at) AS at
         FROM ledger_extension extension JOIN ledger_entry entry ON entry.id = extension.entry_id
        WHERE late.moved_untold AND extension.lot_id = late.lot_id AND entry.reference = %(untold)s) moved
 CROSS JOIN LATERAL (
       SELECT count(DISTINCT contact.channel) AS channels,
              bool_or(CASE WHEN late.moved_untold THEN
                        contact.verified_at > moved.at
                        OR EXISTS (SELECT FROM alerts_delivery delivery
                                    WHERE delivery.status IN ('accepted', 'delivered')
                                      AND delivery.accepted_at > moved.at
                                      AND delivery.channel = contact.channel
                                      AND delivery.programme_id = %(programme)s) END) AS better_now
         FROM alerts_reminderrule rule
         JOIN alerts_contact contact ON contact.channel = ANY (rule.channels)
        WHERE rule.programme_id = %(programme)s AND rule.least_points <= late.points
          AND rule.offset_days >= late.notice_days + late.notice_slack
          AND contact.member_id = account.member_id
          AND {REACHABLE}) reachable
 WHERE reachable.channels >= late.notice_channels AND (NOT late.moved_untold OR reachable.better_now)
 ORDER BY late.expires_at, late.account_id, late.moved_untold, late.seq, late.number
 LIMIT %(limit)s"""  # noqa: S608  # our own constant


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


def _late(programme: Programme, now: datetime, most_days: int, limit: int) -> list[tuple[int, date, bool, int]]:
    """(account, last day, moved before, lot) of the lots that are late, those that go into one order together."""
    today = now.astimezone(programme.tz).date()
    with connection.cursor() as cursor:
        cursor.execute(
            _LATE,
            {
                "programme": programme.pk,
                "zone": programme.zone,
                "now": now,
                "today": today,
                "untold": UNTOLD,
                "until": start_of_day(today + timedelta(days=most_days), programme.tz),
                "limit": limit,
            },
        )
        rows: list[tuple[int, date, bool, int]] = cursor.fetchall()
    return rows


def _orders(programme: Programme, late: list[tuple[int, date, bool, int]], now: datetime) -> Iterable[Order]:
    today = now.astimezone(programme.tz).date()
    for (account_id, expires_on, again), rows in groupby(late, key=itemgetter(0, 1, 2)):
        lots = [lot_id for *_, lot_id in rows]
        # The ledger decides again under its lock. Two runs at once on one day have the same key and so one
        # effect; the day is part of it because a notice that is withdrawn makes the same lots late once more.
        key = f"untold:{lots[0]}:{expires_on}:{today}"
        yield extend_untold_order(account_id=account_id, lots=lots, now=now, key=key, by=BY, again=again)
