"""Which points go first, and which points count at all: the predicates and the redemption order, purely.

These two predicates and this one order are used by every act and every look; `models/lot.py` says the
predicates once more in SQL, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, eq=False)
class LotState:
    """A lot as an act sees it. Its name in its account: the entry that made it (`seq`) and a `number` there."""

    seq: int
    number: int
    family_seq: int  # the grant that these points first came from
    policy_id: int
    origin: str
    granted: int
    remaining: int
    spendable_at: datetime
    expires_at: datetime | None
    gated: bool = False
    notice_days: int = 0
    notice_slack: int = 0
    first_spendable_at: datetime | None = None  # as the lot was made
    first_expires_at: datetime | None = None
    moved_untold: bool = False  # its date was last moved because nobody was told, and nobody was told since
    id: int | None = None  # None: not written yet


class Slice(NamedTuple):
    """Some points of one lot."""

    lot: LotState
    points: int


def redemption_order(lot: LotState) -> tuple[datetime, int, int]:
    """Soonest-expiring first, no date last; among equals the older lot."""
    return (lot.expires_at or FOREVER, lot.seq, lot.number)


def is_overdue(lot: LotState, at: datetime) -> bool:
    """Whether the clock has ended the lot: its date is reached and no notice duty holds it."""
    return lot.expires_at is not None and lot.expires_at <= at and not lot.gated


def is_live(lot: LotState, at: datetime) -> bool:
    """Whether the lot counts towards the balance."""
    return lot.remaining > 0 and not is_overdue(lot, at)


def is_spendable(lot: LotState, at: datetime) -> bool:
    """Whether the lot can be redeemed. An account in debt can redeem nothing; the act sees to that."""
    return lot.spendable_at <= at and is_live(lot, at)


def clawback_payers(
    family: Iterable[LotState], others: Iterable[LotState], at: datetime, *, family_only: bool = False
) -> Iterator[LotState]:
    """Who pays a clawback, in order: the family that it undoes, then the others; promised points last.

    Both come live and in redemption order and keep it. They are read only as far as needed; with `family_only` the
    others do not pay.
    """
    for group in (family,) if family_only else (family, others):
        promised = []
        for lot in group:
            if is_spendable(lot, at):
                yield lot
            else:
                promised.append(lot)
        yield from promised


def take(lots: Iterable[LotState], points: int) -> list[Slice]:
    """Up to `points` points from `lots`, in the order they come: never more than a lot has, never an empty slice.

    The slices sum to less than `points` when the lots hold less. `lots` is read only as far as needed.
    """
    slices: list[Slice] = []
    missing = points
    for lot in lots:
        part = min(lot.remaining, missing)
        if part:
            slices.append(Slice(lot, part))
            missing -= part
        if missing == 0:
            break  # here, not at the next lot: asking for one may read another page
    return slices
