"""Points of which nobody need be told: where the policy accepts it, the ledger gets a waiver with its reason.

As late as can be, in the last days on which a notice still counts (as many as the policy's slack): until then the
member may yet give an address, or change their mind. A programme without a reminder early enough for the duty waives
nothing: that it tells nobody is its own doing.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.db import connection

from alerts.addresses.reachable import DELIVERABLE, REACHABLE
from alerts.posted import Posted
from ledger import notices
from ledger.actors import Actor
from ledger.errors import LedgerError
from ledger.kinds import Waiver
from ledger.models import Account, Policy, Programme
from ledger.policies import start_of_day

logger = logging.getLogger(__name__)

BY = Actor("alerts")

# `lot_untold` is the index that is read: open lots that wait for a notice, by programme and date. Somebody whose
# addresses all work but who wants no notices on their channels has opted out of everything; so has who said no to
# every channel there is.
_UNTELLABLE = f"""
SELECT late.account_id, late.expires_at, late.expires_on,
       CASE WHEN told.reachable THEN 'below_least' WHEN told.deliverable OR said.no_to_all THEN 'opted_out'
            ELSE 'no_contact' END AS waiver,
       points.sum, late.lot_id
  FROM (SELECT lot.id AS lot_id, lot.account_id, lot.expires_at, day.expires_on, lot.notice_days
          FROM ledger_lot lot
          JOIN ledger_policy policy ON policy.id = lot.policy_id AND policy.accepts_waivers
         CROSS JOIN LATERAL (
               SELECT ((lot.expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s)::date AS expires_on) day
         WHERE lot.open AND lot.gated AND lot.programme_id = %(programme)s
           AND lot.expires_at > %(now)s AND lot.expires_at <= %(until)s
           AND day.expires_on - %(today)s::date BETWEEN lot.notice_days AND lot.notice_days + lot.notice_slack
           AND (policy.notice_max_days = 0 OR day.expires_on - %(today)s::date <= policy.notice_max_days)) late
  JOIN ledger_account account ON account.id = late.account_id
       AND (account.closes_at IS NULL OR account.closes_at > %(now)s)
 CROSS JOIN LATERAL (
       SELECT sum(lot.remaining)::bigint AS sum FROM ledger_lot lot
        WHERE lot.open AND lot.account_id = late.account_id AND lot.expires_at = late.expires_at) points
 CROSS JOIN LATERAL (
       SELECT min(rule.least_points) AS points FROM alerts_reminderrule rule
        WHERE rule.programme_id = %(programme)s AND rule.offset_days >= late.notice_days) least
 CROSS JOIN LATERAL (
       SELECT coalesce(bool_or({REACHABLE}), false) AS reachable,
              coalesce(bool_or({DELIVERABLE}), false) AS deliverable
         FROM alerts_contact contact WHERE contact.member_id = account.member_id) told
 CROSS JOIN LATERAL (
       SELECT count(*) = 3 AS no_to_all
         FROM (SELECT DISTINCT ON (channel) given FROM alerts_consent
                WHERE member_id = account.member_id AND purpose = 'notice' ORDER BY channel, id DESC) newest
        WHERE NOT newest.given) said
 WHERE least.points IS NOT NULL AND (NOT told.reachable OR points.sum < least.points)
 ORDER BY late.expires_at, late.account_id, late.lot_id
 LIMIT %(limit)s"""  # noqa: S608


def record_waivers(*, now: datetime, limit: int) -> Posted:
    """Waive the notice of up to `limit` lots of which nobody can or need be told; what is refused waits."""
    posted = Posted()
    duties = Policy.objects.filter(notice_days__gt=0, accepts_waivers=True)
    for programme in Programme.objects.filter(pk__in=duties.values("programme")).order_by("pk"):
        if posted.lots >= limit:
            break
        posted += _record(programme, now, limit - posted.lots)
    return posted


def _record(programme: Programme, now: datetime, limit: int) -> Posted:
    today = now.astimezone(programme.tz).date()
    most = max(days + slack for days, slack in programme.policies.values_list("notice_days", "notice_slack"))
    with connection.cursor() as cursor:
        cursor.execute(
            _UNTELLABLE,
            {
                "programme": programme.pk,
                "zone": programme.zone,
                "now": now,
                "today": today,
                "until": start_of_day(today + timedelta(days=most + 1), programme.tz),
                "limit": limit,
            },
        )
        rows = cursor.fetchall()
    taken = refused = 0
    for (account_id, expires_at, expires_on, waiver, points), group in groupby(rows, key=itemgetter(0, 1, 2, 3, 4)):
        lots = [row[5] for row in group]
        try:
            notices.waive(
                account=Account(pk=account_id),
                lots=lots,
                expires_at=expires_at,
                told_on=today,
                waiver=Waiver(waiver),
                evidence=f"{waiver} on {today}, {points} points",
                now=now,
                # One for a day: a waiver that was withdrawn may be true once more tomorrow.
                key=f"waiver:{waiver}:{lots[0]}:{len(lots)}:{points}:{expires_on}:{today}",
                by=BY,
            )
            taken += 1
        except LedgerError as error:
            refused += 1
            logger.info("waiver refused: %s", error.code)
    return Posted(len(rows), taken, refused)
