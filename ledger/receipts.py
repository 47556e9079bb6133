"""The answer to an act, rebuilt from facts alone, so that the same key gets the same answer for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger.kinds import Kind


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an act did. Points are positive; `balance` and `debt` are those right after the act and its settling."""

    account_id: int
    seq: int
    kind: Kind
    points: int  # moved by the act: granted, redeemed, clawed back
    settled: int  # of a grant: points that paid debt at once
    debt_added: int
    asked: int | None  # where less was done than asked: what was asked
    available: int | None  # … and what there was
    balance: int
    debt: int
    effective_at: datetime
    recorded_at: datetime
    replayed: bool  # the key was known: nothing was written now

    @property
    def declined(self) -> bool:
        return self.kind == Kind.DECLINE
