"""Everything that can happen in a small world: every order of a few acts on a few lots, on the page and in the model.

No database: the acts decide on a `Book` as the pen has them do. An act that is refused leaves nothing behind, so no
order goes on after one: the same order without it is tried anyway. The usual run tries orders of up to four acts,
SMALL_SCOPE=whole up to five (a minute).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from ledger import chain
from ledger.actors import Actor
from ledger.book import Book
from ledger.catchup import catch_up
from ledger.clawbacks import clawback_order
from ledger.errors import LedgerError
from ledger.grants import grant_order
from ledger.holds import capture_order, hold_order, release_order
from ledger.kinds import Origin
from ledger.policies import Beyond, Model, Rules, Terms, Unit
from ledger.posting import Order
from ledger.redemptions import redeem_order
from ledger.refunds import refund_order
from tests.laws import model
from tests.laws.dates import LONG_AGO, Rule, Stage
from tests.laws.stages import START

ACTS = ("redeem", "refund", "clawback", "hold", "capture", "release", "time")
LONGEST = 5 if os.environ.get("SMALL_SCOPE") == "whole" else 4
SHOP = Actor("api", "shop")
STEP = timedelta(days=3)  # to the next date: a lot's end, or a hold's lapse
SEOUL = ZoneInfo("Asia/Seoul")

# The three ways of life between which floors, ends and debts come out differently.
STAGE = Stage(
    (
        (LONG_AGO, "", Rule(count=3, floor=2)),
        (LONG_AGO, "promotion", Rule(count=6, floor=5, beyond="write_off")),
        (LONG_AGO, "compensation", Rule("never")),
    )
)
RULES = Rules(
    SEOUL,
    [
        (LONG_AGO, "", Terms(1, SEOUL, Model.ROLLING, 3, Unit.DAYS, restored_floor_days=2)),
        (
            LONG_AGO,
            "promotion",
            Terms(2, SEOUL, Model.ROLLING, 6, Unit.DAYS, restored_floor_days=5, clawback_beyond=Beyond.WRITE_OFF),
        ),
        (LONG_AGO, "compensation", Terms(3, SEOUL, Model.NEVER)),
    ],
)
ORIGINS = (Origin.PURCHASE, Origin.PROMOTION, Origin.COMPENSATION)
WORLDS = [lots for many in (1, 2, 3) for lots in product(ORIGINS, repeat=many)]


class World:
    """Both sides, the time, and the keys of the newest entries that can be undone."""

    def __init__(self, lots: tuple[Origin, ...]) -> None:
        self.book = Book(7, 3, 0, 0, 0, chain.GENESIS, None, RULES)
        self.model = model.Model(STAGE)
        self.now, self.number = START, 0
        self.spent, self.held = "nothing spent", "nothing held"
        for place, origin in enumerate(lots):
            points, key = place + 2, f"grant {place}"
            order = grant_order(account_id=7, points=points, now=START, key=key, by=SHOP, origin=origin)
            self.on_the_page(order)
            self.model.grant(key, points, origin.value, START)

    def on_the_page(self, order: Order) -> str:
        """What came of it: the entry's kind, or the refusal's name."""
        self.book.begin(order.now)
        catch_up(self.book)
        try:
            return str(order.decide(self.book, order.signature).kind)
        except LedgerError as refusal:
            return type(refusal).__name__

    def happens(self, act: str) -> bool:
        """Let it happen on both sides, which must say the same of it. False: it was refused."""
        if act == "time":
            self.now += STEP
            self.book.begin(self.now)
            catch_up(self.book)
            self.model.catch_up(self.now)
            return True
        self.number += 1
        key = f"{act} {self.number}"
        said = self.on_the_page(self.order(act, key))
        refused, expected = self.expected(act, key)
        assert said in expected
        if refused:
            return False
        if said in ("redeem", "capture"):
            self.spent = key
        elif said == "hold":
            self.held = key
        return True

    def expected(self, act: str, key: str) -> tuple[bool, tuple[str, ...]]:
        """Whether the model refuses it, and what may be said then."""
        try:
            return False, (self.in_the_model(act, key).kind,)
        except model.No as no:
            return True, no.names

    def order(self, act: str, key: str) -> Order:
        now = self.now
        match act:
            case "redeem":
                return redeem_order(account_id=7, points=3, now=now, key=key, by=SHOP)
            case "refund":
                return refund_order(account_id=7, points=2, undoes=self.spent, now=now, key=key, by=SHOP)
            case "clawback":
                return clawback_order(account_id=7, points=2, undoes="grant 0", now=now, key=key, by=SHOP)
            case "hold":
                return hold_order(account_id=7, points=2, lapses_at=now + STEP, now=now, key=key, by=SHOP)
            case "capture":
                return capture_order(account_id=7, hold=self.held, points=1, now=now, key=key, by=SHOP)
            case _:
                return release_order(account_id=7, hold=self.held, now=now, key=key, by=SHOP)

    def in_the_model(self, act: str, key: str) -> model.Answer:
        match act:
            case "redeem":
                return self.model.redeem(key, 3, self.now)
            case "refund":
                return self.model.refund(2, self.spent, self.now)
            case "clawback":
                return self.model.clawback(2, "grant 0", self.now)
            case "hold":
                return self.model.hold(key, 2, self.now + STEP, self.now)
            case "capture":
                return self.model.capture(key, self.held, 1, self.now)
            case _:
                return self.model.release(self.held, self.now)

    def agree(self) -> None:
        kept = {(lot.seq, lot.number): (lot.remaining, lot.expires_at) for lot in self.book.lots()}
        assert kept == {lot.name: (lot.left, lot.ends) for lot in self.model.lots if lot.left}
        assert (self.book.balance, self.book.debt) == (self.model.written, self.model.debt)
        drafted = [(str(draft.kind), draft.amount, draft.effective_at) for draft in self.book.drafts]
        assert drafted == [(entry.kind, entry.amount, entry.effective) for entry in self.model.log]


def orders(lots: tuple[Origin, ...], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every order of acts in this world, each tried from the start and compared at its end."""
    for act in ACTS:
        acts = (*before, act)
        world = World(lots)
        went_on = all(world.happens(one) for one in acts)
        yield acts
        if went_on:
            world.agree()
            if len(acts) < LONGEST:
                yield from orders(lots, acts)


@pytest.mark.parametrize("lots", WORLDS, ids="-".join)
def test_in_a_small_world_page_and_model_never_differ(lots):
    tried = list(orders(lots))
    assert {len(acts) for acts in tried} == set(range(1, LONGEST + 1))
    assert {acts[-1] for acts in tried} == set(ACTS)
