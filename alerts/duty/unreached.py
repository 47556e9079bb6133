"""Members under a notice duty who have an address, and whom the programme's reminders cannot reach as the duty asks.

They have no address on any channel by which the programme reminds early enough, or on fewer than their policy asks. No
notice of theirs is ever enough, and no waiver would be true: their points stay until the programme uses another
channel, or they give another address. So staff are told: by a system check, and by a gauge beside those of `watch`.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from alerts.addresses.reachable import REACHABLE
from alerts.planning.conditions import IS_KEPT
from alerts.watch import gauges
from alerts.watch.counting import MOST, NEAR
from alerts.watch.gauges import Gauge, Sample

# `lot_untold`, once for each programme: what was told in time is not there any more, so what stays comes first. A
# programme without any reminder in time is another finding (`alerts.W022`, `alerts.W023`).
_UNREACHED = f"""
SELECT programme.code, count(DISTINCT account.member_id)
  FROM ledger_programme programme
 CROSS JOIN LATERAL (
       SELECT DISTINCT account_id, policy_id, notice_days
         FROM (SELECT account_id, policy_id, notice_days FROM ledger_lot
                WHERE open AND gated AND programme_id = programme.id AND expires_at <= %(until)s::timestamptz
                ORDER BY expires_at LIMIT %(most)s) soonest) late
  JOIN ledger_policy policy ON policy.id = late.policy_id
  JOIN ledger_account account ON account.id = late.account_id AND {IS_KEPT}
 CROSS JOIN LATERAL (
       SELECT count(DISTINCT rule.id) AS rules, count(DISTINCT contact.channel) AS channels
         FROM alerts_reminderrule rule
         LEFT JOIN alerts_contact contact ON contact.member_id = account.member_id
              AND contact.channel = ANY (rule.channels) AND {REACHABLE}
        WHERE rule.programme_id = programme.id AND rule.offset_days >= late.notice_days) in_time
 WHERE in_time.rules > 0 AND in_time.channels < policy.notice_channels
   AND EXISTS (SELECT FROM alerts_contact contact WHERE contact.member_id = account.member_id AND {REACHABLE})
 GROUP BY programme.code
 ORDER BY programme.code"""  # noqa: S608  # our own constants


def members(*, now: datetime, until: datetime | None = None) -> dict[str, int]:
    """By the code of their programme: how many there are with points that go by `until`, whenever without it. Counted
    among the MOST lots of each programme that go first; programmes without any are left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_UNREACHED, {"now": now, "until": until or "infinity", "most": MOST})
        return dict(cursor.fetchall())


def gauge(*, now: datetime) -> Gauge:
    """Of all programmes together; points whose date comes soon, or has gone by, as among the untold lots."""
    return Gauge(
        "unreached_members",
        f"Members with points under a notice duty whose date comes within {NEAR.days} days or has gone by, who have an "
        "address, but not on as many channels of the programme's reminders as the duty asks: they are never told, and "
        f"their points stay. Counted among {MOST} lots of a programme.",
        [Sample(sum(members(now=now, until=now + NEAR).values()), 0)],
    )


def all_gauges(*, now: datetime) -> list[Gauge]:
    """Those of `watch` and this one: the list that `manage.py alerts_status` and /metrics show."""
    return [*gauges.read(now=now), gauge(now=now)]
