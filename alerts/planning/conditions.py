"""The pieces of SQL that planning and the dry run stand on: which lots go soon, which reminder is due, who is reached.

`reminders.py` writes by them and `proof/foretelling.py` counts by them, so that both say the same. Values: `programme`,
`zone`, `now`, `today` (its day in the zone) and `horizon`, the last instant for which anything can be due.
"""

from __future__ import annotations

from alerts.addresses.reachable import REACHABLE

# `lot` is what goes soon, `day.expires_on` its last day. `lot_expiring` serves: open lots by programme and date.
SOON = """
          FROM ledger_lot lot
          JOIN ledger_policy policy ON policy.id = lot.policy_id
         CROSS JOIN LATERAL (
               SELECT ((lot.expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s)::date AS expires_on) day
         WHERE lot.open AND lot.programme_id = %(programme)s
           AND lot.expires_at > %(now)s AND lot.expires_at <= %(horizon)s"""

# A reminder speaks of such a lot. Those that a notice duty holds and of which it is too late to tell are left out: they
# will not go on that day. Those of which it is too early to give a notice that counts wait for their time.
COUNTS = """(NOT lot.gated
                OR (day.expires_on - %(today)s::date >= lot.notice_days
                    AND (policy.notice_max_days = 0 OR day.expires_on - %(today)s::date <= policy.notice_max_days)))"""

# An account that is closed has none left.
IS_KEPT = "(account.closes_at IS NULL OR account.closes_at > %(now)s)"

# Of the due offsets only the nearest counts. On `soon`: points of one account and date.
NEAREST = """
       SELECT rule.offset_days, rule.channels FROM alerts_reminderrule rule
        WHERE rule.programme_id = %(programme)s AND rule.least_points <= soon.points
          AND soon.expires_on - rule.offset_days <= %(today)s::date
        ORDER BY rule.offset_days LIMIT 1"""

IS_REACHED = f"""EXISTS (SELECT FROM alerts_contact contact
                WHERE contact.member_id = account.member_id AND contact.channel = ANY (nearest.channels)
                  AND {REACHABLE})"""

# None is planned that lies behind one that was planned already.
IS_PLANNED = """EXISTS (SELECT FROM alerts_reminder planned
                    WHERE planned.account_id = soon.account_id AND planned.expires_at = soon.expires_at
                      AND planned.offset_days <= nearest.offset_days)"""

# The channels of a reminder `due`, by its rule as it stands: the first that reach the member, as many as are used at
# once. One whose rule was removed has none.
FANNED_OUT = f"""
    JOIN alerts_reminderrule rule USING (programme_id, offset_days)
    JOIN ledger_account account ON account.id = due.account_id
    LEFT JOIN LATERAL (
         SELECT way.channel FROM unnest(rule.channels) WITH ORDINALITY AS way (channel, place)
          WHERE EXISTS (SELECT FROM alerts_contact contact
                         WHERE contact.member_id = account.member_id AND contact.channel = way.channel
                           AND {REACHABLE})
          ORDER BY way.place LIMIT rule.at_once) chosen ON true"""  # noqa: S608
CHANNEL = "coalesce(chosen.channel, rule.channels[1])"
