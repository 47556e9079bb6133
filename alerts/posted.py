"""Posting many orders in bounded batches, where a refusal or a busy account must not stop the others."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from ledger.errors import AccountBusy, LedgerError
from ledger.posting import Order, post
from ledger.receipts import Receipt

logger = logging.getLogger(__name__)

BATCH = 200


@dataclass(frozen=True, slots=True)
class Posted:
    """What a pass did: `lots` that it looked at, `orders` that the ledger took, `refused` for the next pass."""

    lots: int = 0
    orders: int = 0
    refused: int = 0

    def __add__(self, other: Posted) -> Posted:
        return Posted(self.lots + other.lots, self.orders + other.orders, self.refused + other.refused)


def post_all(orders: Iterable[Order], *, lots: int) -> Posted:
    """Post orders in batches, each a transaction of its own. What is refused or busy is left for the next pass."""
    taken = refused = 0
    orders = iter(orders)
    while batch := list(islice(orders, BATCH)):
        for outcome in outcomes_of(batch):
            if isinstance(outcome, LedgerError):
                refused += 1
                logger.info("order refused: %s", outcome.code)
            else:
                taken += 1
    return Posted(lots, taken, refused)


def outcomes_of(batch: Sequence[Order]) -> list[Receipt | LedgerError]:
    """Post a batch: one outcome for each order, in their order. A busy account's is AccountBusy, and stops no other."""
    try:
        return list(post(batch))
    except AccountBusy as busy:
        if len(batch) == 1:
            return [busy]
    # Somebody holds one of these accounts: the others need not wait for it.
    outcomes: list[Receipt | LedgerError] = []
    middle = len(batch) // 2
    for part in (batch[:middle], batch[middle:]):
        outcomes += outcomes_of(part)
    return outcomes
