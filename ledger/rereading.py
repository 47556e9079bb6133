"""Reading what must be known of an account's earlier entries to tell it on from where it was last told clean.

As an act would: those that the entries since undo, and what was left of them then; the notices that lots had; the last
move of their dates. "Then" is always the entry up to which the account was told, as its verdict has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from ledger.kinds import ACTIVITY
from ledger.rewinding import LastMove

# Of an account's last so many activities the latest counts: only those that were dated back are out of order.
ACTIVITIES = 20

Name = tuple[int, int]  # an entry or a grant's family, by account and seq; or a lot, by account and id

# An entry that is asked about comes with all that undid it by then: so what was left of it is known. A capture comes
# with its hold, a notice with the other notices of its lots, a family with what expired and was reinstated of it.
_EARLIER = """
    WITH told AS (SELECT account_id, seq FROM ledger_accountverdict WHERE account_id = ANY (%(ids)s)),
    asked AS (
        SELECT e.id, e.account_id, e.seq, e.kind, e.undoes_seq
          FROM unnest(%(accounts)s::bigint[], %(seqs)s::bigint[]) AS w (account_id, seq)
          JOIN ledger_entry e ON e.account_id = w.account_id AND e.seq = w.seq),
    doubted AS (
        SELECT d.account_id, array_agg(d.lot) AS lots
          FROM (SELECT * FROM unnest(%(lot_accounts)s::bigint[], %(lots)s::bigint[]) AS w (account_id, lot)
                 UNION SELECT a.account_id, unnest(n.lots) FROM asked a JOIN ledger_notice n ON n.entry_id = a.id) AS d
         GROUP BY d.account_id),
    found AS (
        SELECT account_id, seq FROM asked
         UNION SELECT account_id, undoes_seq FROM asked WHERE kind = 'capture'
         UNION SELECT e.account_id, e.seq
                 FROM doubted d
                 JOIN ledger_notice n ON n.account_id = d.account_id AND n.lots && d.lots
                 JOIN ledger_entry e ON e.id = n.entry_id
         UNION SELECT e.account_id, e.seq
                 FROM unnest(%(family_accounts)s::bigint[], %(families)s::bigint[]) AS f (account_id, seq)
                 JOIN ledger_lot l ON l.account_id = f.account_id AND l.family_seq = f.seq
                 JOIN ledger_allocation p ON p.lot_id = l.id
                 JOIN ledger_entry e ON e.id = p.entry_id AND e.kind IN ('expire', 'reinstate'))
    SELECT f.account_id, f.seq FROM found f JOIN told t ON t.account_id = f.account_id AND f.seq <= t.seq
     UNION
    SELECT e.account_id, e.seq
      FROM found f
      JOIN told t ON t.account_id = f.account_id
      JOIN ledger_entry e ON e.account_id = f.account_id AND e.undoes_seq = f.seq AND e.seq <= t.seq"""

_LAST_MOVES = """
    SELECT DISTINCT ON (x.lot_id) x.lot_id, e.seq, e.reference, x.until
      FROM ledger_extension x
      JOIN ledger_entry e ON e.id = x.entry_id
      JOIN ledger_accountverdict t ON t.account_id = e.account_id AND e.seq <= t.seq
     WHERE x.lot_id = ANY (%(lots)s)
     ORDER BY x.lot_id, e.seq DESC"""

_ACTIVE_AT = f"""
    SELECT t.account_id, a.active_at
      FROM ledger_accountverdict t
     CROSS JOIN LATERAL (
           SELECT max(last.effective_at) AS active_at
             FROM (SELECT e.effective_at FROM ledger_entry e
                    WHERE e.account_id = t.account_id AND e.seq <= t.seq AND e.kind = ANY (%(activity)s)
                    ORDER BY e.seq DESC LIMIT {ACTIVITIES}) AS last) AS a
     WHERE t.account_id = ANY (%(ids)s)"""

_NOT_BEFORE = """
    SELECT t.account_id, max(x.until)
      FROM ledger_accountverdict t
      JOIN ledger_lot l ON l.account_id = t.account_id AND l.policy_id = ANY (%(inactivity)s)
      JOIN ledger_extension x ON x.lot_id = l.id
      JOIN ledger_entry e ON e.id = x.entry_id AND e.kind = 'extend' AND e.seq <= t.seq
     WHERE t.account_id = ANY (%(ids)s)
     GROUP BY t.account_id"""


def earlier_entries(
    ids: Sequence[int], entries: Iterable[Name], lots: Iterable[Name], families: Iterable[Name]
) -> list[Name]:
    """The entries up to then that must be known of these accounts, if these entries, the notices of these lots, and
    these families are asked about."""
    params: dict[str, Any] = {"ids": list(ids)}
    params["accounts"], params["seqs"] = _columns(entries)
    params["lot_accounts"], params["lots"] = _columns(lots)
    params["family_accounts"], params["families"] = _columns(families)
    return [(account_id, seq) for account_id, seq in _rows(_EARLIER, params)]


def last_moves(lots: Iterable[int]) -> dict[int, LastMove]:
    """The last extension or postponement of these lots up to then."""
    rows = _rows(_LAST_MOVES, {"lots": list(lots)})
    return {lot: LastMove(seq, reference, until) for lot, seq, reference, until in rows}


def activity_of(ids: Sequence[int]) -> dict[int, datetime | None]:
    """When these accounts were last active then."""
    return dict(_rows(_ACTIVE_AT, {"ids": list(ids), "activity": [kind.value for kind in ACTIVITY]}))


def not_before_of(ids: Sequence[int], inactivity: Sequence[int]) -> dict[int, datetime]:
    """Before when points of these accounts under inactivity policies could not go then."""
    return dict(_rows(_NOT_BEFORE, {"ids": list(ids), "inactivity": list(inactivity)}))


def _columns(names: Iterable[Name]) -> tuple[list[int], list[int]]:
    names = list(names)
    return [name[0] for name in names], [name[1] for name in names]


def _rows(statement: str, params: dict[str, Any]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())
