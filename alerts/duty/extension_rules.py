"""Extension rules: members who were active lately get more time, so many times for each lot.

Every extension is an act of the rule in the ledger, which counts: how often a lot was extended by a rule stands in
the entries of the actor `rule:<id>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.db import connection

from alerts.duty.untold import extend_untold
from alerts.models import ExtensionRule
from alerts.posted import Posted, post_all
from ledger.actors import Actor
from ledger.extensions import extend_by_days_order
from ledger.kinds import ACTIVITY
from ledger.policies import end_of_day
from ledger.posting import Order

# `lot_expiring` is the index that is read. The last activity of an account is found from its newest entry on.
_DUE = """
SELECT lot.account_id, lot.expires_at, before.times, lot.id
  FROM ledger_lot lot
  JOIN ledger_account account ON account.id = lot.account_id AND account.last_recorded_at >= %(since)s
 CROSS JOIN LATERAL (
       SELECT count(*) AS times
         FROM ledger_extension extension JOIN ledger_entry entry ON entry.id = extension.entry_id
        WHERE extension.lot_id = lot.id AND entry.actor = %(actor)s) before
 WHERE lot.open AND lot.programme_id = %(programme)s
   AND lot.expires_at > %(now)s AND lot.expires_at <= %(until)s
   AND before.times < %(most)s
   AND (SELECT entry.recorded_at FROM ledger_entry entry
         WHERE entry.account_id = lot.account_id AND entry.kind = ANY (%(activity)s)
         ORDER BY entry.seq DESC LIMIT 1) >= %(since)s
 ORDER BY lot.expires_at, lot.account_id, before.times, lot.seq, lot.number
 LIMIT %(limit)s"""


def extend(*, now: datetime, limit: int) -> Posted:
    """One pass: first the rules, then what nobody was told of in time, up to `limit` lots each."""
    return apply(now=now, limit=limit) + extend_untold(now=now, limit=limit)


def apply(*, now: datetime, limit: int) -> Posted:
    """Extend up to `limit` lots by the rules in force, the soonest-expiring first within each rule."""
    posted = Posted()
    for rule in ExtensionRule.objects.filter(active=True).select_related("programme").order_by("pk"):
        if posted.lots >= limit:
            break
        due = _due(rule, now, limit - posted.lots)
        posted += post_all(_orders(rule, due, now), lots=len(due))
    return posted


def _due(rule: ExtensionRule, now: datetime, limit: int) -> list[tuple[int, datetime, int, int]]:
    """(account, date, times extended before, lot) of the lots that this rule extends now."""
    zone = rule.programme.tz
    with connection.cursor() as cursor:
        cursor.execute(
            _DUE,
            {
                "programme": rule.programme_id,
                "now": now,
                "since": now - timedelta(days=rule.active_days),
                "until": end_of_day(now.astimezone(zone).date() + timedelta(days=rule.days_before), zone),
                "actor": str(_actor(rule)),
                "most": rule.most_times,
                "activity": [kind.value for kind in ACTIVITY],
                "limit": limit,
            },
        )
        rows: list[tuple[int, datetime, int, int]] = cursor.fetchall()
    return rows


def _orders(rule: ExtensionRule, due: list[tuple[int, datetime, int, int]], now: datetime) -> Iterable[Order]:
    """One order for the lots of an account that go together and were extended as often."""
    for (account_id, expires_at, times), rows in groupby(due, key=itemgetter(0, 1, 2)):
        lots = [lot_id for *_, lot_id in rows]
        yield extend_by_days_order(
            account_id=account_id,
            lots=lots,
            was=expires_at,
            days=rule.extend_days,
            now=now,
            key=f"rule:{rule.pk}:{lots[0]}:{times}",
            by=_actor(rule),
            reason=f"active in the last {rule.active_days} days",
        )


def _actor(rule: ExtensionRule) -> Actor:
    return Actor("rule", str(rule.pk))
