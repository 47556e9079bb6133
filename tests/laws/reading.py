"""What is written, as the database tells it and as the model has it, in the same shape; and the laws in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from tests.laws.wallet import Wallet

# Of a lot that is empty, its date and its gate are nobody's business until points come back to it.
QUERIES = {
    "account": """
        SELECT balance, debt, seq, last_recorded_at, active_at, not_before, lapses_at, closes_at, closed
          FROM ledger_account WHERE id = %(account)s""",
    "lots": """
        SELECT seq, number, family_seq, origin, granted, remaining, spendable_at, first_spendable_at, first_expires_at,
               notice_days, CASE WHEN open THEN expires_at END, open AND gated, open AND moved_untold
          FROM ledger_lot WHERE account_id = %(account)s ORDER BY seq, number""",
    "holds": """
        SELECT seq, points, lapses_at, open FROM ledger_hold WHERE account_id = %(account)s ORDER BY seq""",
    "closures": """
        SELECT seq, closes_at, points, open FROM ledger_closure WHERE account_id = %(account)s ORDER BY seq""",
    "entries": """
        SELECT seq, kind, amount, debt_delta, written_off, effective_at, recorded_at, balance_after, debt_after, asked,
               available, CASE WHEN kind NOT IN ('note', 'forfeit') THEN undoes_seq END
          FROM ledger_entry WHERE account_id = %(account)s AND seq > %(since)s ORDER BY seq""",
    "allocations": """
        SELECT e.seq, l.seq, l.number, a.delta, a.until
          FROM ledger_allocation a
          JOIN ledger_entry e ON e.id = a.entry_id
          JOIN ledger_lot l ON l.id = a.lot_id
         WHERE e.account_id = %(account)s AND e.seq > %(since)s ORDER BY e.seq, a.id""",
    "moves": """
        SELECT e.seq, l.seq, l.number, x.was, x.until, x.spendable_was, x.spendable_until
          FROM ledger_extension x
          JOIN ledger_entry e ON e.id = x.entry_id
          JOIN ledger_lot l ON l.id = x.lot_id
         WHERE e.account_id = %(account)s AND e.seq > %(since)s ORDER BY e.seq, l.seq, l.number""",
    "notices": """
        SELECT e.seq, n.expires_at, n.told_on, n.channel, n.waiver
          FROM ledger_notice n JOIN ledger_entry e ON e.id = n.entry_id
         WHERE e.account_id = %(account)s AND e.seq > %(since)s ORDER BY e.seq""",
}


def of_the_ledger(cursor: Any, account_id: int, since: int) -> dict[str, list[tuple]]:
    """All that is written of an account; of its entries those behind number `since`."""
    found = {}
    for name, query in QUERIES.items():
        cursor.execute(query, {"account": account_id, "since": since})
        found[name] = cursor.fetchall()
    return found


def of_the_model(wallet: Wallet, since: int) -> dict[str, list[tuple]]:
    """The same of the model."""
    lapses = [hold.lapses for hold in wallet.holds.values() if hold.open]
    closing = wallet.closing or (wallet.closings[-1] if wallet.closed else None)
    entries = list(enumerate(wallet.log, start=1))[since:]
    return {
        "account": [
            (
                wallet.written,
                wallet.debt,
                len(wallet.log),
                wallet.last,
                wallet.active,
                wallet.not_before,
                min(lapses, default=None),
                closing.closes if closing else None,
                wallet.closed,
            )
        ],
        "lots": [
            (
                *(lot.seq, lot.number, lot.family, lot.origin, lot.granted, lot.left, lot.spendable),
                *(lot.first_spendable, lot.first_ends, lot.duty),
                lot.ends if lot.left else None,
                lot.left > 0 and wallet.gated(lot),
                lot.left > 0 and lot.moved_untold,
            )
            for lot in sorted(wallet.lots, key=lambda lot: lot.name)
        ],
        "holds": [
            (hold.seq, hold.points, hold.lapses, hold.open)
            for hold in sorted(wallet.holds.values(), key=lambda hold: hold.seq)
        ],
        "closures": [(closing.seq, closing.closes, closing.points, closing.open) for closing in wallet.closings],
        "entries": [
            (
                *(n, e.kind, e.amount, e.debt_delta, e.written_off, e.effective, e.recorded, e.balance, e.debt),
                *(e.asked, e.available, e.undoes),
            )
            for n, e in entries
        ],
        "allocations": [(n, *name, delta, until) for n, e in entries for name, delta, until in e.slices],
        "moves": [
            (n, *move.name, move.was, move.until, move.spendable_was, move.spendable_until)
            for n, e in entries
            for move in sorted(e.moves, key=lambda move: move.name)
        ],
        "notices": [
            (told.seq, told.ends, told.on, told.channel, told.waiver)
            for told in sorted(wallet.told.values(), key=lambda told: told.seq)
            if told.seq > since
        ],
    }


def differences(written: dict[str, list[tuple]], expected: dict[str, list[tuple]]) -> str:
    """The rows that only one side has, to be read by a person."""
    lines = []
    for name in written:
        only_written = [row for row in written[name] if row not in expected[name]]
        only_expected = [row for row in expected[name] if row not in written[name]]
        if only_written or only_expected:
            lines += [f"{name}: {QUERIES[name].split('FROM')[0].split(maxsplit=1)[1].strip()}"]
            lines += [f"  written  {plain(row)}" for row in only_written]
            lines += [f"  expected {plain(row)}" for row in only_expected]
    return "\n".join(lines) or "the same rows in another order"


def plain(row: tuple) -> str:
    return ", ".join(f"{value:%Y-%m-%dT%H:%M:%S.%f}" if isinstance(value, datetime) else str(value) for value in row)


def fingerprint(programme_id: int) -> tuple:
    """What must be the same before and after an act that was cut down."""
    with connection.cursor() as cursor:
        cursor.execute(FINGERPRINT, {"programme": programme_id})
        return tuple(cursor.fetchone())


def ask_the_laws(cursor: Any, programme_id: int) -> None:
    """Asserts laws 3, 4, 6, 14 and 15 over all rows of the programme."""
    for law, query in LAWS.items():
        cursor.execute(query, {"programme": programme_id})
        assert cursor.fetchall() == [], law


FINGERPRINT = """
SELECT (SELECT array_agg((a.id, a.balance, a.debt, a.seq, a.head_hash, a.lapses_at, a.closes_at) ORDER BY a.id)::text
          FROM ledger_account a WHERE programme_id = %(programme)s),
       (SELECT count(*) FROM ledger_entry WHERE programme_id = %(programme)s),
       (SELECT array_agg((l.id, l.remaining, l.expires_at, l.gated, l.spendable_at) ORDER BY l.id)::text
          FROM ledger_lot l WHERE programme_id = %(programme)s),
       (SELECT array_agg((h.id, h.open) ORDER BY h.id)::text FROM ledger_hold h WHERE programme_id = %(programme)s),
       (SELECT array_agg((c.id, c.open) ORDER BY c.id)::text FROM ledger_closure c WHERE programme_id = %(programme)s)
"""

LAWS = {
    "3: what is left of a lot is the sum of its allocations": """
        SELECT l.id FROM ledger_lot l WHERE l.programme_id = %(programme)s AND l.remaining <> (
               SELECT coalesce(sum(a.delta), 0) FROM ledger_allocation a WHERE a.lot_id = l.id)""",
    "4: a balance is the sum of what is left; whoever is in debt has no live lot": """
        SELECT a.id FROM ledger_account a
         WHERE a.programme_id = %(programme)s
           AND (a.debt > 0 AND a.balance > 0 OR a.balance <> (
               SELECT coalesce(sum(l.remaining), 0) FROM ledger_lot l WHERE l.account_id = a.id))""",
    "6: what came back ends when its lot ended at that time, never later than told, and never dead on arrival": """
        SELECT a.id
          FROM ledger_allocation a
          JOIN ledger_entry e ON e.id = a.entry_id
          JOIN ledger_lot l ON l.id = a.lot_id
         WHERE e.programme_id = %(programme)s AND e.kind IN ('refund', 'release', 'reinstate')
           AND (a.until <= e.effective_at OR (a.until IS NULL) <> (l.expires_at IS NULL)
                OR (l.seq = e.seq AND a.until <> l.first_expires_at))""",
    "14: sums by kind": """
        SELECT 1 WHERE (SELECT coalesce(sum(amount), 0) FROM ledger_entry WHERE programme_id = %(programme)s)
            <> (SELECT coalesce(sum(balance - debt), 0) FROM ledger_account WHERE programme_id = %(programme)s)""",
    "15: nothing has expired unannounced": """
        SELECT e.id
          FROM ledger_entry e
          JOIN ledger_allocation a ON a.entry_id = e.id
          JOIN ledger_lot l ON l.id = a.lot_id
          JOIN ledger_policy p ON p.id = l.policy_id
         WHERE e.programme_id = %(programme)s AND e.kind = 'expire' AND l.notice_days > 0
           AND (SELECT count(DISTINCT n.channel) + count(*) FILTER (WHERE n.waiver > '' AND p.accepts_waivers) * 100
                  FROM ledger_notice n
                  JOIN ledger_entry told ON told.id = n.entry_id
                 WHERE n.account_id = e.account_id AND n.expires_at = e.effective_at AND l.id = ANY (n.lots)
                   AND (n.waiver = '' OR p.accepts_waivers)
                   AND n.told_on <= n.expires_on - l.notice_days
                   AND (p.notice_max_days = 0 OR n.told_on >= n.expires_on - p.notice_max_days)
                   AND NOT EXISTS (SELECT 1 FROM ledger_entry w
                                    WHERE w.account_id = e.account_id AND w.kind = 'notify'
                                      AND w.undoes_seq = told.seq AND w.seq < e.seq)) < p.notice_channels""",
}
