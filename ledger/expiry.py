"""The sweep: catch-up for accounts where nobody acts. When it runs changes no number (law 11)."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import Error, InterfaceError, OperationalError, connection

from ledger.errors import AccountBusy, FutureAct, LedgerError
from ledger.posting import tidy

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one pass did; `left` are accounts that somebody was writing to, or that the database would not let pass."""

    found: int  # accounts for which the clock has done something that is not written yet
    entries: int
    left: frozenset[int]


def sweep(*, now: datetime, limit: int = 1000, programme_id: int | None = None, without: Collection[int] = ()) -> Sweep:
    """Write what the clock has done: up to `limit` overdue lots, lapsed holds and closures, but for those of `without`.

    Resumable at any point: a pass that was stopped wrote whole batches or nothing.
    """
    due = _accounts_overdue(now, limit, programme_id, without)
    entries, left = _tidy(due, now)
    return Sweep(found=len(due), entries=entries, left=frozenset(left))


def sweep_all(*, now: datetime, programme_id: int | None = None, most_passes: int | None = None) -> int:
    """Sweep until nothing more can be written, or `most_passes` are done; returns the number of entries.

    Accounts that one pass had to leave wait for the next run: they hold up no other.
    """
    total = passes = 0
    left: set[int] = set()
    while most_passes is None or passes < most_passes:
        done = sweep(now=now, programme_id=programme_id, without=left)
        if not done.found:
            break
        total += done.entries
        left |= done.left
        passes += 1
    return total


def _tidy(account_ids: set[int], now: datetime) -> tuple[int, set[int]]:
    """Entries written, and accounts left. One account that cannot be swept must not stop the others: it is set aside.

    Whatever the reason is: but not where the database is away, or nothing at all may be swept as of `now`.
    """
    if not account_ids:
        return 0, set()
    try:
        return tidy(account_ids, now)
    except (OperationalError, InterfaceError, AccountBusy, FutureAct):
        raise
    except (LedgerError, Error, ArithmeticError) as error:
        if len(account_ids) == 1:
            said = error if isinstance(error, LedgerError) else type(error).__name__  # a driver's words name values
            logger.error("account %s cannot be swept: %s", next(iter(account_ids)), said)
            return 0, account_ids
    ordered = sorted(account_ids)
    middle = len(ordered) // 2
    entries, left = _tidy(set(ordered[:middle]), now)
    more_entries, more_left = _tidy(set(ordered[middle:]), now)
    return entries + more_entries, left | more_left


def _accounts_overdue(now: datetime, limit: int, programme_id: int | None, without: Collection[int]) -> set[int]:
    # The lock in `tidy` is what decides; this only looks for candidates.
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_DUE.format('ledger_lot', 'open AND NOT gated', 'expires_at')} UNION ALL "
            f"{_DUE.format('ledger_hold', 'open', 'lapses_at')} UNION ALL "
            f"{_DUE.format('ledger_closure', 'open', 'closes_at')}",
            {"now": now, "limit": limit, "programme": programme_id, "without": list(without)},
        )
        return {account_id for (account_id,) in cursor.fetchall()}


# Oldest first within each kind; the partial index of each serves it.
_DUE = """
(SELECT account_id FROM {0}
  WHERE {1} AND {2} <= %(now)s AND account_id <> ALL (%(without)s::bigint[])
    AND (%(programme)s::bigint IS NULL OR programme_id = %(programme)s)
  ORDER BY {2} LIMIT %(limit)s)"""
