"""The sweep: catch-up for accounts where nobody acts. When it runs changes no number (law 11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from ledger.posting import tidy


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one pass did; `more` says whether overdue lots may be left."""

    accounts: int
    entries: int
    more: bool


def sweep(*, now: datetime, limit: int = 1000, programme_id: int | None = None) -> Sweep:
    """Write off up to `limit` overdue lots, oldest first; accounts that somebody writes to wait for the next pass.

    Resumable at any point: a pass that was stopped wrote whole batches or nothing.
    """
    due = _accounts_with_overdue_lots(now, limit, programme_id)
    entries = tidy(due, now) if due else 0
    return Sweep(accounts=len(due), entries=entries, more=entries > 0)


def sweep_all(*, now: datetime, programme_id: int | None = None, most_passes: int | None = None) -> int:
    """Sweep until nothing more can be written, or `most_passes` are done; returns the number of entries."""
    total = passes = 0
    while most_passes is None or passes < most_passes:
        done = sweep(now=now, programme_id=programme_id)
        if not done.more:
            break
        total += done.entries
        passes += 1
    return total


def _accounts_with_overdue_lots(now: datetime, limit: int, programme_id: int | None) -> set[int]:
    # The lock in `tidy` is what decides; this only looks for candidates.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account_id FROM ledger_lot
             WHERE open AND NOT gated AND expires_at <= %(now)s
               AND (%(programme)s::bigint IS NULL OR programme_id = %(programme)s)
             ORDER BY expires_at LIMIT %(limit)s
            """,
            {"now": now, "limit": limit, "programme": programme_id},
        )
        return {account_id for (account_id,) in cursor.fetchall()}
