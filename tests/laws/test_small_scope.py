"""Everything that can happen in a small world: every order of a few acts on a few lots, on the page and in the model.

No database: the acts decide on a `Book` as the pen has them do. An act that is refused leaves nothing behind, so no
order goes on after one: the same order without it is tried anyway. The usual run tries orders of up to four acts,
SMALL_SCOPE=whole up to five; with new grants, notices and closures among the acts one less where there are two lots.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from ledger import chain
from ledger.actors import Actor
from ledger.book import Book
from ledger.catchup import catch_up
from ledger.clawbacks import clawback_order
from ledger.closures import close_order
from ledger.errors import AccountClosed, LedgerError
from ledger.grants import grant_order
from ledger.holds import capture_order, hold_order, release_order
from ledger.kinds import Origin
from ledger.notices import record_order
from ledger.policies import Beyond, Model, Rules, Terms, Unit
from ledger.posting import Order
from ledger.redemptions import redeem_order
from ledger.refunds import refund_order
from tests.laws import model
from tests.laws.dates import LONG_AGO, Rule, Stage, day_of
from tests.laws.stages import START
from tests.laws.wallet import Lot, Name

ACTS = ("redeem", "refund", "clawback", "hold", "capture", "release", "time")
MORE_ACTS = (*ACTS, "grant", "notify", "close")  # where there are few lots: new points, the gate, the end
LONGEST = 5 if os.environ.get("SMALL_SCOPE") == "whole" else 4
SHOP = Actor("api", "shop")
STEP = timedelta(days=3)  # to the next date: a lot's end, a hold's lapse, or an account's end
COOLING_OFF = 2
SEOUL = ZoneInfo("Asia/Seoul")
NOBODY: tuple[list[Lot], datetime] = ([], START)  # there is nothing of which somebody could be told

# The ways of life between which floors, ends and debts come out differently, and one behind the notice gate.
STAGE = Stage(
    (
        (LONG_AGO, "", Rule(count=3, floor=2)),
        (LONG_AGO, "promotion", Rule(count=6, floor=5, beyond="write_off")),
        (LONG_AGO, "compensation", Rule("never")),
        (LONG_AGO, "migration", Rule(count=4, duty=1, slack=1, floor=2)),
    ),
    cooling_off=COOLING_OFF,
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
        (
            LONG_AGO,
            "migration",
            Terms(4, SEOUL, Model.ROLLING, 4, Unit.DAYS, notice_days=1, notice_slack=1, restored_floor_days=2),
        ),
    ],
)
ORIGINS = (Origin.PURCHASE, Origin.PROMOTION, Origin.COMPENSATION)
GATED = Origin.MIGRATION
# (the lots at the start, what can happen, how many acts in a row at the most)
WORLDS = [
    *(pytest.param(lots, ACTS, LONGEST, id="-".join(lots)) for n in (2, 3) for lots in product(ORIGINS, repeat=n)),
    *(
        pytest.param(lots, MORE_ACTS, LONGEST + 1 - len(lots), id=f"{'-'.join(lots)} and more")
        for n in (1, 2)
        for lots in product((*ORIGINS, GATED), repeat=n)
    ),
]


class World:
    """Both sides, the time, and the keys of the newest entries that can be undone."""

    def __init__(self, lots: tuple[Origin, ...]) -> None:
        self.book = Book(7, 3, 0, 0, 0, chain.GENESIS, None, RULES, cooling_off_days=COOLING_OFF)
        self.model = model.Model(STAGE)
        self.now, self.number = START, len(lots)
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
        if self.book.closed:
            return AccountClosed.__name__
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
        if act == "notify" and self.to_be_told() == NOBODY:
            return False
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
            case "grant":
                return grant_order(account_id=7, points=3, now=now, key=key, by=SHOP, origin=Origin.PURCHASE)
            case "notify":
                lots, ends = self.to_be_told()
                for lot in self.book.lots():  # as the database would: a notice names lots by their ids
                    lot.id = number_of((lot.seq, lot.number))
                return record_order(
                    account_id=7,
                    lots=[number_of(lot.name) for lot in lots],
                    expires_at=ends,
                    told_on=day_of(now),
                    channel="email",
                    evidence="m1",
                    now=now,
                    key=key,
                    by=SHOP,
                )
            case "close":
                return close_order(account_id=7, now=now, key=key, by=SHOP)
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
            case "grant":
                return self.model.grant(key, 3, "purchase", self.now)
            case "notify":
                lots, ends = self.to_be_told()
                names = {lot.name for lot in lots}
                return self.model.notify(key, names, ends, day_of(self.now), self.now, channel="email")
            case "close":
                return self.model.close(self.now)
            case "capture":
                return self.model.capture(key, self.held, 1, self.now)
            case _:
                return self.model.release(self.held, self.now)

    def to_be_told(self) -> tuple[list[Lot], datetime]:
        """The lots of which somebody would be told now, with their date: those that wait for it, or else the first."""
        dated = [lot for lot in self.model.live(self.now) if lot.ends]
        first = next((lot.ends for lot in dated if self.model.gated(lot)), dated[0].ends if dated else None)
        return ([lot for lot in dated if lot.ends == first], first) if first else NOBODY

    def agree(self) -> None:
        kept = {(lot.seq, lot.number): (lot.remaining, lot.expires_at, lot.gated) for lot in self.book.lots()}
        told = {lot.name: (lot.left, lot.ends, self.model.gated(lot)) for lot in self.model.lots if lot.left}
        assert kept == told
        numbers = self.book.balance, self.book.debt, self.book.closed
        assert numbers == (self.model.written, self.model.debt, self.model.closed)
        drafted = [(str(draft.kind), draft.amount, draft.effective_at) for draft in self.book.drafts]
        assert drafted == [(entry.kind, entry.amount, entry.effective) for entry in self.model.log]


def number_of(name: Name) -> int:
    return name[0] * 100 + name[1]


def orders(
    lots: tuple[Origin, ...], of: tuple[str, ...], longest: int, before: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Every order of these acts in this world, each tried from the start and compared at its end."""
    for act in of:
        acts = (*before, act)
        world = World(lots)
        went_on = all(world.happens(one) for one in acts)
        yield acts
        if went_on:
            world.agree()
            if len(acts) < longest:
                yield from orders(lots, of, longest, acts)


@pytest.mark.parametrize(("lots", "of", "longest"), WORLDS)
def test_in_a_small_world_page_and_model_never_differ(lots, of, longest):
    tried = list(orders(lots, of, longest))
    assert {len(acts) for acts in tried} == set(range(1, longest + 1))
    assert {acts[-1] for acts in tried} == set(of)


def test_a_new_grant_settles_a_debt_and_a_notice_opens_the_gate_in_some_small_world():
    """What the orders are there for: they come by it."""
    world = World((Origin.PURCHASE,))
    assert [world.happens(act) for act in ("hold", "clawback", "grant")] == [True] * 3
    assert [str(draft.kind) for draft in world.book.drafts] == ["grant", "hold", "clawback", "grant", "settle"]
    told, untold = World((GATED,)), World((GATED,))
    assert [told.happens(act) for act in ("notify", "time", "time")] == [True] * 3
    assert [untold.happens(act) for act in ("time", "time", "notify")] == [True] * 3
    assert [str(draft.kind) for draft in told.book.drafts] == ["grant", "notify", "expire"]
    assert [lot.remaining for lot in untold.book.live()] == [2]
