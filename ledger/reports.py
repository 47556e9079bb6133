"""What every account of a programme holds and how it came to that: the report of a replay.

The other reports: `liabilities.py`, `movements.py` (with the line of law 14), `cohorts.py`, `forecasts.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import datetime

from django.db import connection

from ledger.models import Programme


@dataclass(frozen=True, slots=True)
class AccountTotals:
    """One member's points: granted - redeemed - clawed_back - expired = spendable - debt, when all is spendable.

    Redeemed is less what came back, and counts points on hold; expired counts what a closure took, less what was
    reinstated.
    """

    customer_id: str
    spendable: int
    debt: int
    granted: int
    redeemed: int
    declined: int  # a count of redemptions; all else are points
    clawed_back: int
    expired: int

    @property
    def is_empty(self) -> bool:
        return not any(astuple(self)[1:])


def account_totals(programme: Programme, *, at: datetime) -> Iterator[AccountTotals]:
    """The totals of every account with any number that is not 0, sorted by the member's reference as text.

    What the clock has ended by `at` but nobody has written off yet counts as expired.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.reference, a.debt, e.granted, e.redeemed, e.declined, e.clawed_back,
                   e.expired, l.spendable, l.ended
              FROM ledger_account a
              JOIN ledger_member m ON m.id = a.member_id
             CROSS JOIN LATERAL (
                   SELECT coalesce(sum(amount) FILTER (WHERE kind = 'grant'), 0) AS granted,
                          coalesce(-sum(amount) FILTER (WHERE kind IN ('redeem', 'refund', 'hold', 'release')), 0)
                            AS redeemed,
                          count(*) FILTER (WHERE kind = 'decline') AS declined,
                          coalesce(-sum(amount) FILTER (WHERE kind = 'clawback'), 0) AS clawed_back,
                          coalesce(-sum(amount) FILTER (WHERE kind IN ('expire', 'forfeit', 'reinstate')), 0) AS expired
                     FROM ledger_entry WHERE account_id = a.id) AS e
             CROSS JOIN LATERAL (
                   SELECT coalesce(sum(remaining) FILTER (WHERE ended), 0) AS ended,
                          coalesce(sum(remaining) FILTER (WHERE NOT ended AND spendable_at <= %(at)s), 0) AS spendable
                     FROM (SELECT remaining, spendable_at,
                                  (expires_at IS NOT NULL AND expires_at <= %(at)s AND NOT gated) AS ended
                             FROM ledger_lot WHERE account_id = a.id AND open) AS o) AS l
             WHERE a.programme_id = %(programme)s
             ORDER BY m.reference COLLATE "C"
            """,
            {"at": at, "programme": programme.pk},
        )
        for reference, debt, granted, redeemed, declined, clawed_back, expired, spendable, ended in cursor:
            totals = AccountTotals(
                customer_id=reference,
                spendable=0 if debt else int(spendable),
                debt=debt,
                granted=int(granted),
                redeemed=int(redeemed),
                declined=declined,
                clawed_back=int(clawed_back),
                expired=int(expired + ended),
            )
            if not totals.is_empty:
                yield totals
