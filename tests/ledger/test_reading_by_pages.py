"""Pages are a matter of speed alone: whatever their size, the same acts get the same answers, and write the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

import pytest
from django.db import connection
from django.db.models import QuerySet

from ledger import reading
from ledger.audit import audit
from ledger.clawbacks import clawback_order
from ledger.closures import close_order
from ledger.errors import InsufficientPoints, LedgerError
from ledger.expiry import sweep_all
from ledger.extensions import extend_order, undo_order
from ledger.grants import grant_order
from ledger.holds import capture_order, hold_order, release_order
from ledger.kinds import Origin
from ledger.models import Account, Allocation, Entry, Extension, Hold, Lot, Programme
from ledger.notices import record_order
from ledger.policies import Beyond, Model, Unit
from ledger.posting import Order, act, post
from ledger.promises import postpone_order
from ledger.receipts import Receipt
from ledger.redemptions import redeem_order
from ledger.refunds import refund_order
from ledger.reinstatements import reinstate_order
from tests import builders
from tests.builders import NOW, SEOUL, SHOP, days
from tests.looking import row_of

pytestmark = pytest.mark.django_db

LOTS = 240  # with which each life begins
STEPS = 40
AT_ONCE = 10_000  # a page that holds every lot

PROGRAMMES: dict[str, Callable[..., Programme]] = {
    "moa": builders.moa,
    "written-off": partial(builders.moa, clawback_beyond=Beyond.WRITE_OFF),
    "gated": partial(builders.byeol, restored_floor_days=60),
    "by-inactivity": partial(builders.moa, model=Model.INACTIVITY, count=60, unit=Unit.DAYS),
}


class Life:
    """An account and acts by chance, which are the same for the same seed as long as the same comes of them."""

    def __init__(self, programme: Programme, seed: int) -> None:
        builders.policy(programme, origin=Origin.COMPENSATION, effective_from=NOW, model=Model.NEVER, count=0)
        self.account = builders.minji(programme)
        self.chance = Random(seed)
        self.now = NOW
        self.keys: dict[str, list[str]] = {kind: [] for kind in ("grant", "spend", "hold", "extension")}
        self.number = 0
        self.answers: list[object] = []

    def live(self) -> None:
        self.answer(*(self.grant() for _ in range(LOTS)), at_once=True)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE ledger_lot, ledger_entry, ledger_allocation")  # nobody else does, inside a test
        self.answer(redeem_order(points=300, **self.common("spend")), self.hold(), self.capture())
        acts = [self.redeem, self.decline, self.hold, self.capture, self.release, self.refund, self.clawback]
        acts += [self.adjust_down, self.extend, self.undo, self.postpone, self.reinstate, self.tell, self.tell]
        for _ in range(STEPS):
            self.now += days(self.chance.choice([0, 0, 1, 3, 9]))
            some = self.chance.choice([1, 1, 1, 2, 5])
            self.answer(*(self.chance.choice(acts)() for _ in range(some)), at_once=some > 1)
            self.answer(*(self.grant() for _ in range(5)), at_once=True)
        self.answer(close_order(**self.common("close")))
        sweep_all(now=self.now + days(40), programme_id=self.account.programme_id)

    def answer(self, *orders: Order, at_once: bool = False) -> None:
        """Post them; alone they go at a glance, and together under the lock."""
        if at_once:
            self.answers += [said(outcome) for outcome in post(orders)]
            return
        for order in orders:
            try:
                self.answers.append(said(act(order)))
            except LedgerError as refusal:
                self.answers.append(said(refusal))

    def common(self, kind: str) -> dict:
        self.number += 1
        key = f"{kind}:{self.number}"
        if kind in self.keys:
            self.keys[kind].append(key)
        return {"account_id": self.account.pk, "now": self.now, "key": key, "by": SHOP}

    def a_key(self, kind: str) -> str:
        return self.chance.choice(self.keys[kind][-40:] or ["unknown"])

    def points(self, most: int = 30) -> int:
        return self.chance.randint(1, most)

    def day(self, first: int = 3, last: int = 300) -> datetime:
        return self.now + days(self.chance.randint(first, last) // 3 * 3)  # many share a day

    def some_lots(self, number: int, **which: object) -> list[int]:
        lots = Lot.objects.filter(account=self.account).order_by("seq", "number").values_list("pk", flat=True)
        found = list(lots.filter(**which)) or list(lots)
        return self.chance.sample(found, min(number, len(found)))

    def grant(self) -> Order:
        points, how, day = self.points(), self.chance.randint(1, 10), self.day()
        common = self.common("grant")
        if how == 1:
            return grant_order(points=points, origin=Origin.COMPENSATION, **common)
        if how == 2:
            return grant_order(points=points, spendable_at=self.now + days(9), expires_at=day + days(10), **common)
        return grant_order(points=points, expires_at=day if how > 4 else None, **common)

    def redeem(self) -> Order:
        return redeem_order(points=self.points(self.chance.choice([20, 200, 600])), **self.common("spend"))

    def decline(self) -> Order:
        return redeem_order(points=self.chance.choice([3_500, 9_999]), **self.common("declined"))

    def hold(self) -> Order:
        lapses_at = self.now + days(self.chance.randint(1, 9))
        return hold_order(points=self.points(200), lapses_at=lapses_at, **self.common("hold"))

    def capture(self) -> Order:
        (hold,) = self.keys["hold"][-1:] or ["unknown"]
        return capture_order(hold=hold, points=self.points(), **self.common("spend"))

    def release(self) -> Order:
        return release_order(hold=self.a_key("hold"), **self.common("release"))

    def refund(self) -> Order:
        return refund_order(undoes=self.a_key("spend"), points=self.points(200), **self.common("refund"))

    def clawback(self) -> Order:
        return clawback_order(undoes=self.a_key("grant"), points=self.points(60), **self.common("clawback"))

    def adjust_down(self) -> Order:
        return clawback_order(points=self.points(self.chance.choice([30, 300])), **self.common("clawback"))

    def extend(self) -> Order:
        until = self.day(250, 500).date()
        lots = self.some_lots(self.chance.choice([1, 3, 20]), open=True, expires_at__gt=self.now + days(9))
        return extend_order(lots=lots, until=until, reason="why", **self.common("extension"))

    def undo(self) -> Order:
        return undo_order(extension=self.a_key("extension"), reason="why", **self.common("undone"))

    def postpone(self) -> Order:
        until = self.now + timedelta(days=self.chance.randint(10, 20))
        return postpone_order(
            lots=self.some_lots(1, spendable_at__gt=NOW), spendable_at=until, reason="why", **self.common("postponed")
        )

    def tell(self) -> Order:
        """Of the lots of a day that lies well ahead, so that under a notice duty they can go."""
        dated = Lot.objects.filter(account=self.account, expires_at__gt=self.now + days(32), open=True)
        expires_at = dated.order_by("expires_at").values_list("expires_at", flat=True)[0]
        lots = list(dated.filter(expires_at=expires_at).values_list("pk", flat=True))
        told_on = self.now.astimezone(SEOUL).date()
        said_how: dict = {"told_on": told_on, "channel": "email", "evidence": "letter:1"}
        return record_order(lots=lots, expires_at=expires_at or NOW, **said_how, **self.common("told"))

    def reinstate(self) -> Order:
        return reinstate_order(lot=self.some_lots(1, open=False)[0], reason="why", **self.common("reinstated"))


def said(outcome: Receipt | LedgerError) -> object:
    """An answer without the account that it is of."""
    if isinstance(outcome, InsufficientPoints):
        return "insufficient", replace(outcome.receipt, account_id=0)
    if isinstance(outcome, LedgerError):
        return type(outcome).__name__, str(outcome), outcome.field
    return replace(outcome, account_id=0)


def written(account: Account) -> dict[str, list[tuple]]:
    """All that is on record of the account, without ids and hashes."""
    lot = ("lot__seq", "lot__number")
    numbers = ("amount", "debt_delta", "written_off", "balance_after", "debt_after", "asked", "available")
    entry = ("seq", "kind", *numbers, "key", "undoes_seq", "effective_at", "recorded_at", "reason")
    named = ("seq", "number", "family_seq", "origin", "granted", "remaining", "open")
    dates = ("spendable_at", "expires_at", "gated", "moved_untold")
    rows: dict[str, QuerySet] = {
        "entries": Entry.objects.filter(account=account).order_by("seq").values_list(*entry),
        "allocations": Allocation.objects.filter(entry__account=account)
        .order_by("pk")
        .values_list("entry__seq", *lot, "delta", "until"),
        "moves": Extension.objects.filter(entry__account=account)
        .order_by("entry__seq", *lot)
        .values_list("entry__seq", *lot, "was", "until"),
        "lots": Lot.objects.filter(account=account).order_by("seq", "number").values_list(*named, *dates),
        "holds": Hold.objects.filter(account=account).order_by("seq").values_list("seq", "points", "open"),
    }
    return {name: list(found) for name, found in rows.items()} | {"account": [row_of(account)]}


def read_by(patch: pytest.MonkeyPatch, first: int, growth: int) -> None:
    """Let pages be of this size from now on."""
    patch.setattr(reading, "FIRST_LOTS", first)
    patch.setattr(reading, "GROWTH", growth)
    patch.setattr(reading, "_ONE", reading._page_of("$1", reading._KNOWN))
    patch.setattr(reading, "_MANY", reading._page_of("ANY ($1)", "true"))


@pytest.mark.parametrize("name", PROGRAMMES)
def test_acts_by_chance_come_to_the_same_whatever_the_size_of_a_page(name, monkeypatch):
    kinds = set()
    for seed in range(2):
        lives = []
        for first, growth in [(AT_ONCE, 1), (3, 1), (3, 4)]:
            read_by(monkeypatch, first, growth)
            life = Life(PROGRAMMES[name](f"{name}-{seed}-{first}-{growth}"), seed)
            life.live()
            lives.append((life.answers, written(life.account)))
            assert list(audit(account_id=life.account.pk)) == []
        at_once, by_three, growing = lives
        assert by_three == at_once
        assert growing == at_once
        kinds |= {row[1] for row in at_once[1]["entries"]}
    assert {"grant", "redeem", "decline", "clawback", "refund", "hold", "capture", "release", "extend"} <= kinds
    assert {"notify", "postpone", "forfeit"} <= kinds
    assert "expire" in kinds or name != "moa"
