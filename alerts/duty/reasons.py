"""Which waiver would be true of a lot now, in SQL: the one place that says it, for recording and for withdrawing.

On `late`: a lot with its `account_id`, `expires_at` and `notice_days`; values: `programme`, `now`. Joined behind it,
`account` is its account while that is kept, `in_time.there` says whether the programme reminds anybody early enough
for the duty, and `reason.waiver` is NULL where the member can and must be told.

Somebody who has an address, but on no channel by which the programme reminds in time, gets no waiver: an address is
known and they did not opt out of everything, so that nobody tells them is the programme's own doing. `unreached.py`
counts them.
"""

from __future__ import annotations

from alerts.addresses.reachable import DELIVERABLE, REACHABLE
from alerts.planning.conditions import IS_KEPT

# Somebody whose addresses all work but who wants no notices on their channels has opted out of everything; so has who
# said no to every channel there is. Points are too few when no reminder that reaches the member is for so few.
REASON = f"""
  JOIN ledger_account account ON account.id = late.account_id AND {IS_KEPT}
 CROSS JOIN LATERAL (
       SELECT sum(lot.remaining)::bigint AS sum FROM ledger_lot lot
        WHERE lot.open AND lot.account_id = late.account_id AND lot.expires_at = late.expires_at) points
 CROSS JOIN LATERAL (
       SELECT count(*) > 0 AS there, min(rule.least_points) AS least,
              min(rule.least_points) FILTER (WHERE EXISTS (
                SELECT FROM alerts_contact contact
                 WHERE contact.member_id = account.member_id AND contact.channel = ANY (rule.channels)
                   AND {REACHABLE})) AS least_reaching
         FROM alerts_reminderrule rule
        WHERE rule.programme_id = %(programme)s AND rule.offset_days >= late.notice_days) in_time
 CROSS JOIN LATERAL (
       SELECT coalesce(bool_or({REACHABLE}), false) AS reachable,
              coalesce(bool_or({DELIVERABLE}), false) AS deliverable
         FROM alerts_contact contact WHERE contact.member_id = account.member_id) told
 CROSS JOIN LATERAL (
       SELECT count(*) = 3 AS no_to_all
         FROM (SELECT DISTINCT ON (channel) given FROM alerts_consent
                WHERE member_id = account.member_id AND purpose = 'notice' ORDER BY channel, id DESC) newest
        WHERE NOT newest.given) said
 CROSS JOIN LATERAL (
       SELECT CASE WHEN told.reachable THEN
                     CASE WHEN points.sum < coalesce(in_time.least_reaching, in_time.least) THEN 'below_least' END
                   WHEN told.deliverable OR said.no_to_all THEN 'opted_out'
                   ELSE 'no_contact' END AS waiver) reason"""  # noqa: S608  # our own constants
