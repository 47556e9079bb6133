"""What an account held, lot by lot, at any past instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from ledger import asof
from ledger.allocation import LotState
from ledger.models import Account
from ledger.policies import last_day


@dataclass(frozen=True, slots=True)
class HeldLot:
    """A live lot: `12.0` is the first that the account's entry 12 made. `points` are what was left of it.

    `promised` and `gated` are parts of `points`: not spendable yet; waiting for a notice. A lot without a date never
    goes.
    """

    lot: str
    origin: str
    granted: int
    points: int
    promised: int
    gated: int
    spendable_at: datetime
    expires_at: datetime | None
    last_day: date | None  # in the programme's zone


def held(account: Account, *, at: datetime, known_at: datetime | None = None) -> list[HeldLot]:
    """The account's live lots at `at` in redemption order, as known at `known_at`. Raises BadInput."""
    zone = account.programme.tz

    def row(lot: LotState) -> HeldLot:
        return HeldLot(
            lot=f"{lot.seq}.{lot.number}",
            origin=lot.origin,
            granted=lot.granted,
            points=lot.remaining,
            promised=lot.remaining if lot.spendable_at > at else 0,
            gated=lot.remaining if lot.gated else 0,
            spendable_at=lot.spendable_at,
            expires_at=lot.expires_at,
            last_day=last_day(lot.expires_at, zone) if lot.expires_at else None,
        )

    return [row(lot) for lot in asof.lots(account, at=at, known_at=known_at)]
