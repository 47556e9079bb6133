"""The answer to an act, rebuilt from facts alone, so that the same key gets the same answer for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from ledger.kinds import RESTORING, Kind


class Restored(NamedTuple):
    """Points that came back, and the instant from which they are gone; None: never."""

    points: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an act did. Points are positive; `balance` and `debt` are those right after the act and its settling."""

    account_id: int
    seq: int
    kind: Kind
    points: int  # moved by the act: granted, redeemed, refunded, clawed back, held, captured, released, reinstated
    settled: int  # points that came in and paid debt at once
    debt_added: int
    asked: int | None  # where less was done than asked: what was asked
    available: int | None  # … and what there was
    balance: int
    debt: int
    effective_at: datetime
    recorded_at: datetime
    replayed: bool  # the key was known: nothing was written now
    written_off: int = 0  # of a clawback: what nobody paid and nobody owes
    restored: Sequence[Restored] = ()  # what came back, slice by slice: also what a capture left of its hold

    @property
    def declined(self) -> bool:
        return self.kind == Kind.DECLINE

    @property
    def spendable(self) -> int:
        """Of the points that came back, how many can be spent; the others paid debt."""
        return sum(points for points, _ in self.restored) - self.settled


class Line(Protocol):
    """An entry as an answer needs it; a draft and a row of the database both have these."""

    account_id: int
    seq: int
    kind: Kind
    amount: int
    debt_delta: int
    written_off: int
    asked: int | None
    available: int | None
    balance_after: int
    debt_after: int
    effective_at: datetime
    recorded_at: datetime

    @property
    def restored(self) -> Sequence[Restored]: ...


def receipt_of(entry: Line, companions: Sequence[Line]) -> Receipt:
    """The answer to the act that wrote `entry`; its companions stand right behind it."""
    last = companions[-1] if companions else entry
    came_back = [line for line in (entry, *companions) if line.kind in RESTORING]
    return Receipt(
        account_id=entry.account_id,
        seq=entry.seq,
        kind=entry.kind,
        points=entry.asked or 0 if entry.kind == Kind.CAPTURE else abs(entry.amount),
        settled=-sum(line.debt_delta for line in companions if line.kind == Kind.SETTLE),
        debt_added=entry.debt_delta,
        asked=entry.asked,
        available=entry.available,
        balance=last.balance_after,
        debt=last.debt_after,
        effective_at=entry.effective_at,
        recorded_at=entry.recorded_at,
        replayed=False,
        written_off=entry.written_off,
        restored=tuple(part for line in came_back for part in line.restored),
    )
