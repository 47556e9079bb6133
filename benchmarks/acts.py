"""What each client process does: jobs for the crowd, all of them calls of the ledger's public acts."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

from benchmarks import databases
from benchmarks.crowd import Done, Seat
from benchmarks.members import SHOP, Members, a_key
from ledger import grants, posting, redemptions, refunds
from ledger.errors import InsufficientPoints, LedgerError

POINTS = 7  # of one redemption, or one grant


def redeem(seat: Seat, *, database: str, members: Members, start: float, seconds: float) -> Done:
    """Redeem from accounts by chance."""
    databases.use(database)
    key, chance = a_key(), random.Random()
    number = 0
    for number in seat.until(start, seconds):
        redemptions.redeem(
            account=members.account(chance.choice(members.ids)),
            points=POINTS,
            now=datetime.now(UTC),
            key=f"{key}:{number}",
            by=SHOP,
        )
    return Done.since(start, number + 1)


def grant(seat: Seat, *, database: str, members: Members, start: float, seconds: float) -> Done:
    """Grant to accounts by chance."""
    databases.use(database)
    key, chance = a_key(), random.Random()
    number = 0
    for number in seat.until(start, seconds):
        grants.grant(
            account=members.account(chance.choice(members.ids)),
            points=POINTS,
            now=datetime.now(UTC),
            key=f"{key}:{number}",
            by=SHOP,
        )
    return Done.since(start, number + 1)


def redeem_from_own(seat: Seat, *, database: str, members: Members, start: float, seconds: float) -> Done:
    """Redeem from one account, which is this seat's alone: nobody waits for another's lock."""
    own = members.ids[seat.number : seat.number + 1]
    return redeem(seat, database=database, members=Members(members.programme_id, own), start=start, seconds=seconds)


def redeem_and_give_back(
    seat: Seat, *, database: str, members: Members, points: int, start: float, seconds: float
) -> list[float]:
    """Redeem so many points of this seat's own account, and refund them each time, so that the next finds the same.

    Returns the seconds that each redemption took, without its refund.
    """
    databases.use(database)
    account = members.account(members.ids[seat.number])
    key, took = a_key(), []
    for number in seat.until(start, seconds):
        now, order = datetime.now(UTC), f"{key}:{number}"
        begun = time.perf_counter()
        redemptions.redeem(account=account, points=points, now=now, key=order, by=SHOP)
        took.append(time.perf_counter() - begun)
        refunds.refund(account=account, points=points, undoes=order, now=now, key=f"{order}:back", by=SHOP)
    return took


def be_declined(
    seat: Seat, *, database: str, members: Members, points: int, start: float, seconds: float
) -> list[float]:
    """Ask for more points than this seat's own account has; the seconds that each decline took."""
    databases.use(database)
    account = members.account(members.ids[seat.number])
    key, took = a_key(), []
    for number in seat.until(start, seconds):
        begun = time.perf_counter()
        try:
            redemptions.redeem(account=account, points=points, now=datetime.now(UTC), key=f"{key}:{number}", by=SHOP)
        except InsufficientPoints:
            took.append(time.perf_counter() - begun)
    return took


def redeem_in_batches(seat: Seat, *, database: str, members: Members, batch: int, start: float, seconds: float) -> Done:
    """Redeem from one and the same account, so many redemptions to a call."""
    databases.use(database)
    key = a_key()
    number = 0
    for number in seat.until(start, seconds):
        orders = [
            redemptions.redeem_order(
                account_id=members.ids[0],
                points=1,
                now=datetime.now(UTC),
                key=f"{key}:{number}:{place}",
                by=SHOP,
            )
            for place in range(batch)
        ]
        for outcome in posting.post(orders):
            if isinstance(outcome, LedgerError):
                raise outcome
    return Done.since(start, (number + 1) * batch)


def redeem_at_a_pace(seat: Seat, *, database: str, members: Members, per_second: float) -> list[float]:
    """Redeem from this seat's share of accounts at a fixed pace, until asked to stop.

    Returns the seconds from when each redemption was due until its answer: one that had to wait for the one before
    it has waited, too.
    """
    databases.use(database)
    key, own, chance = a_key(), seat.share(members.ids), random.Random()
    begun = time.monotonic() + chance.random() / per_second
    waits: list[float] = []
    while not seat.stop.is_set():
        due = begun + len(waits) / per_second
        time.sleep(max(0.0, due - time.monotonic()))
        redemptions.redeem(
            account=members.account(chance.choice(own)),
            points=1,
            now=datetime.now(UTC),
            key=f"{key}:{len(waits)}",
            by=SHOP,
        )
        waits.append(time.monotonic() - due)
    return waits
