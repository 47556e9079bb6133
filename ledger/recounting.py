"""Reading what the facts add up to at an instant, account by account: one statement, streamed in the order of accounts.

Facts are what was in effect by `at` and recorded by `known_at`: entries, allocations, extensions, notices, and lots,
holds and closures as they were made. Nothing here reads a number that is kept beside them. What the facts mean is said
in `standing.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.db import connection, transaction

from ledger.allocation import LotState, Slice
from ledger.drafts import Closing, HoldState
from ledger.effects import NOTHING_LEFT
from ledger.kinds import ACTIVITY, RESTORING
from ledger.policies import Model, Rules
from ledger.standing import AccountFacts, LotFacts
from ledger.undoing import NoticeFacts

ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Moment:
    """The facts that count: in effect by `at`, and recorded by `known_at` (None: all that is on record by now)."""

    at: datetime
    known_at: datetime | None = None

    def params(self) -> dict[str, Any]:
        return {"at": self.at, "known": self.known_at}


@contextmanager
def one_snapshot() -> Iterator[None]:
    """All that is read inside is of one moment, whoever writes meanwhile. Joins a caller's transaction as it is."""
    joins = connection.in_atomic_block
    with transaction.atomic():
        if not joins:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def on_record(entry: str) -> str:
    """The condition in SQL that this entry was in effect and recorded by the moment."""
    return (
        f"{entry}.effective_at <= %(at)s"
        f" AND (%(known)s::timestamptz IS NULL OR {entry}.recorded_at <= %(known)s::timestamptz)"
    )


# Of an open hold: nothing on record captured or released it.
_OPEN_HOLD = f"""
  FROM ledger_hold h
  JOIN ledger_entry e ON e.account_id = h.account_id AND e.seq = h.seq AND {on_record("e")}
 WHERE h.account_id = {{account}}
   AND NOT EXISTS (SELECT FROM ledger_entry d WHERE d.account_id = h.account_id AND d.undoes_seq = h.seq
                      AND d.kind IN ('capture', 'release') AND {on_record("d")})"""

# Of a closure that was not withdrawn.
_CLOSURE = f"""
  FROM ledger_closure c
  JOIN ledger_entry e ON e.account_id = c.account_id AND e.seq = c.seq AND {on_record("e")}
 WHERE c.account_id = {{account}}
   AND NOT EXISTS (SELECT FROM ledger_entry d WHERE d.account_id = c.account_id AND d.undoes_seq = c.seq
                      AND d.kind = 'close' AND {on_record("d")})"""

# Extensions move `not_before` of the account of the lots under an inactivity policy: `seqs` are those entries, and
# `until` is what each left it at. Read once for an account, whatever the number of its lots.
_NOT_BEFORE = f"""
SELECT array_agg(x.seq ORDER BY x.seq) AS seqs, array_agg(x.until ORDER BY x.seq) AS until
  FROM (SELECT e.seq, max(max(x.until)) OVER (ORDER BY e.seq) AS until
          FROM ledger_entry e
          JOIN ledger_extension x ON x.entry_id = e.id
          JOIN ledger_lot m ON m.id = x.lot_id AND m.policy_id = ANY (%(inactivity)s::bigint[])
         WHERE e.account_id = a.id AND e.kind = 'extend' AND {on_record("e")}
               AND cardinality(%(inactivity)s::bigint[]) > 0
         GROUP BY e.seq) AS x"""

# Lots take it over when they are dated anew: at each activity, and when points come back to an empty one.
_DATED_SEQ = f"""
greatest(f.active_seq,
  (SELECT max(w.seq)
     FROM (SELECT e.seq, e.kind, sum(p.delta) OVER (ORDER BY e.seq, p.id) - p.delta AS before
             FROM ledger_allocation p JOIN ledger_entry e ON e.id = p.entry_id
            WHERE p.lot_id = l.id AND {on_record("e")}) AS w
    WHERE w.before = 0 AND w.kind = ANY (%(restoring)s)))"""

_NOTICES = f"""
(SELECT json_agg(json_build_array(e.seq, n.expires_at, n.expires_on, n.told_on, n.channel, n.waiver,
            EXISTS (SELECT FROM ledger_entry d WHERE d.account_id = e.account_id AND d.undoes_seq = e.seq
                       AND d.kind = 'notify' AND {on_record("d")})))
   FROM ledger_notice n JOIN ledger_entry e ON e.id = n.entry_id AND {on_record("e")}
  WHERE n.account_id = a.id AND l.id = ANY (n.lots))"""

_LOTS = f"""
SELECT l.id, l.seq, l.number, l.family_seq, l.policy_id, l.origin, l.granted, s.left_over, l.first_spendable_at,
       l.first_expires_at, l.notice_days, l.notice_slack, x.until,
       (SELECT max(y.spendable_until) FROM ledger_extension y JOIN ledger_entry e ON e.id = y.entry_id
         WHERE y.lot_id = l.id AND {on_record("e")}) AS spendable_until,
       CASE WHEN l.policy_id = ANY (%(inactivity)s::bigint[])
            THEN k.until[width_bucket({_DATED_SEQ} - 1, k.seqs)]  -- of the last before it; there is no place 0
       END AS lot_not_before,
       CASE WHEN l.notice_days > 0 THEN {_NOTICES} END AS notices
  FROM ledger_lot l
 CROSS JOIN LATERAL (
       SELECT sum(p.delta)::bigint AS left_over
         FROM ledger_allocation p JOIN ledger_entry e ON e.id = p.entry_id AND {on_record("e")}
        WHERE p.lot_id = l.id) AS s
  LEFT JOIN LATERAL (
       SELECT x.until FROM ledger_extension x JOIN ledger_entry e ON e.id = x.entry_id AND {on_record("e")}
        WHERE x.lot_id = l.id ORDER BY e.seq DESC LIMIT 1) AS x ON true
 WHERE l.account_id = a.id AND s.left_over >= %(least)s"""

# One account after the other, each by its own indexes: rows come from the start, and neither side keeps more than one
# account. An empty account is left out.
_FACTS = f"""
SELECT a.id, a.programme_id, f.seq, f.debt, h.on_hold, f.active_at, k.until[cardinality(k.until)], h.has_lapsed,
       c.closes_at, f.ended,
       l.*
  FROM ledger_account a
 CROSS JOIN LATERAL (
       SELECT max(e.seq) AS seq, sum(e.debt_delta)::bigint AS debt,
              max(e.effective_at) FILTER (WHERE e.kind = ANY (%(activity)s)) AS active_at,
              max(e.seq) FILTER (WHERE e.kind = ANY (%(activity)s)) AS active_seq,
              bool_or(e.kind = 'forfeit'
                      OR (e.kind = 'note' AND e.key IS NULL AND e.reason = %(nothing_left)s)) AS ended
         FROM ledger_entry e WHERE e.account_id = a.id AND {on_record("e")}) AS f
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(h.points), 0)::bigint AS on_hold,
              coalesce(bool_or(h.lapses_at <= %(at)s), false) AS has_lapsed
         {_OPEN_HOLD.format(account="a.id")}) AS h
 CROSS JOIN LATERAL (
       SELECT max(c.closes_at) AS closes_at {_CLOSURE.format(account="a.id")}) AS c
 CROSS JOIN LATERAL ({_NOT_BEFORE}) AS k
  LEFT JOIN LATERAL ({_LOTS}) AS l ON true
 WHERE {{accounts}} AND f.seq IS NOT NULL
 ORDER BY a.id"""

# How many columns of a row are the account's.
_OF_ACCOUNT = 10


def read_programme(programme_id: int, moment: Moment, rules: Rules) -> Iterator[AccountFacts]:
    """The facts of every account of a programme, streamed. To be called inside `one_snapshot`."""
    statement = _FACTS.format(accounts="a.programme_id = %(programme)s")
    params = _params(moment, rules) | {"programme": programme_id}
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, params)
        yield from _grouped(_rows(cursor))


def read_account(
    account_id: int, moment: Moment, rules: Rules, *, with_empty_lots: bool = False
) -> AccountFacts | None:
    """The facts of one account; None while nothing had happened to it."""
    statement = _FACTS.format(accounts="a.id = %(account)s")
    params = _params(moment, rules) | {"account": account_id, "least": 0 if with_empty_lots else 1}
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return next(_grouped(iter(cursor.fetchall())), None)


def read_holds(account_id: int, moment: Moment, lots: Sequence[LotState]) -> list[HoldState]:
    """The account's open holds, with what each took from these lots, in the order it took it."""
    by_id = {lot.id: lot for lot in lots}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT h.seq, e.key, h.lapses_at,
                   ARRAY(SELECT ARRAY[p.lot_id, -p.delta]
                           FROM ledger_allocation p WHERE p.entry_id = e.id ORDER BY p.id)
              {_OPEN_HOLD.format(account="%(account)s")}
             ORDER BY h.seq
            """,
            moment.params() | {"account": account_id},
        )
        return [
            HoldState(seq, key, lapses_at, [Slice(by_id[lot_id], points) for lot_id, points in took])
            for seq, key, lapses_at, took in cursor.fetchall()
        ]


def read_closing(account_id: int, moment: Moment) -> Closing | None:
    """The account's closure that was not withdrawn."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.seq, c.closes_at, c.points {_CLOSURE.format(account='%(account)s')} ORDER BY c.seq DESC LIMIT 1",
            moment.params() | {"account": account_id},
        )
        row = cursor.fetchone()
        return Closing(*row) if row else None


def _params(moment: Moment, rules: Rules) -> dict[str, Any]:
    return moment.params() | {
        "inactivity": [terms.policy_id for _, _, terms in rules.dated if terms.model == Model.INACTIVITY],
        "activity": [kind.value for kind in ACTIVITY],
        "restoring": [kind.value for kind in RESTORING],
        "nothing_left": NOTHING_LEFT,
        "least": 1,
    }


def _rows(cursor: object) -> Iterator[tuple]:
    while rows := cursor.fetchmany(ROWS_AT_ONCE):  # type: ignore[attr-defined]  # Django's wrapper of the driver's
        yield from rows


def _grouped(rows: Iterator[tuple]) -> Iterator[AccountFacts]:
    for head, of_account in groupby(rows, key=lambda row: row[:_OF_ACCOUNT]):
        account_id, programme_id, seq, debt, on_hold, active_at, not_before, has_lapsed, closes_at, ended = head
        yield AccountFacts(
            account_id=account_id,
            programme_id=programme_id,
            seq=seq,
            debt=debt,
            on_hold=on_hold,
            active_at=active_at,
            not_before=not_before,
            has_lapsed=has_lapsed,
            closes_at=closes_at,
            ended=ended,
            lots=[_lot(row[_OF_ACCOUNT:]) for row in of_account if row[_OF_ACCOUNT] is not None],
        )


def _lot(row: Sequence) -> LotFacts:
    lot_id, seq, number, family_seq, policy_id, origin, granted, left, spendable_at, expires_at, *more = row
    notice_days, notice_slack, until, spendable_until, not_before, notices = more
    lot = LotState(
        id=lot_id,
        seq=seq,
        number=number,
        family_seq=family_seq,
        policy_id=policy_id,
        origin=origin,
        granted=granted,
        remaining=left,
        spendable_at=spendable_at,
        expires_at=expires_at,
        notice_days=notice_days,
        notice_slack=notice_slack,
        first_spendable_at=spendable_at,
        first_expires_at=expires_at,
    )
    return LotFacts(lot, until, spendable_until, not_before, _told(notices, (seq, number)))


def _told(found: str | list | None, lot: tuple[int, int]) -> list[NoticeFacts]:
    rows = json.loads(found) if isinstance(found, str) else found or ()
    return [
        NoticeFacts(
            seq=seq,
            expires_at=datetime.fromisoformat(expires_at),
            expires_on=date.fromisoformat(expires_on),
            told_on=date.fromisoformat(told_on),
            channel=channel,
            waiver=waiver,
            lots={lot},
            withdrawn=withdrawn,
        )
        for seq, expires_at, expires_on, told_on, channel, waiver, withdrawn in rows
    ]
