"""What happened to Minji in the last weeks besides buying and paying: every kind of thing that a history can show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.diary import Deed, Diary
from ledger import closures, grants, holds, promises, redemptions, refunds, reinstatements
from ledger.actors import Actor
from ledger.kinds import Kind, Origin
from ledger.models import Account, Allocation, Lot

SHOP = Actor("api", "shop")
STAFF = Actor("staff", "demo")
MEMBER = Actor("member", "demo")


@dataclass
class Incidents:
    now: datetime
    diary: Diary

    def plan(self, *, moa: Account, byeol: Account) -> None:
        """Write into the diary what is going to happen to these two accounts of Minji."""
        self._add(14, lambda at: self._pay(moa, 600, "hotel", at))
        self._add(12, lambda at: self._refund(moa, 250, "hotel", at))
        self._add(10, lambda at: self._reinstate(moa, at))
        self._add(9, lambda at: closures.close(account=moa, now=at, key="demo:close", by=MEMBER))
        self._add(8, lambda at: closures.withdraw(account=moa, now=at, key="demo:stay", by=MEMBER))
        self._add(7, lambda at: self._hold(moa, 400, "car", at + timedelta(days=3), at))
        self._add(6, lambda at: self._capture(moa, 320, "car", at))
        self._add(1, lambda at: self._hold(moa, 150, "concert", self.now + timedelta(days=2), at))
        self._add(20, lambda at: self._promise(byeol, 450, self.now + timedelta(days=10), at))
        self._add(5, lambda at: self._postpone(byeol, self.now + timedelta(days=25), at))

    def _add(self, days_ago: int, deed: Deed) -> None:
        self.diary.add(self.now - timedelta(days=days_ago, hours=2), deed)

    def _pay(self, account: Account, points: int, what: str, at: datetime) -> None:
        redemptions.redeem(
            account=account, points=points, now=at, key=f"demo:payment-{what}", by=SHOP, reference=f"payment-{what}"
        )

    def _refund(self, account: Account, points: int, what: str, at: datetime) -> None:
        refunds.refund(
            account=account,
            points=points,
            undoes=f"demo:payment-{what}",
            now=at,
            key=f"demo:refund-{what}",
            by=SHOP,
            reference=f"refund-{what}",
            reason="one of three nights was cancelled",
        )

    def _reinstate(self, account: Account, at: datetime) -> None:
        ended = Allocation.objects.filter(entry__account=account, entry__kind=Kind.EXPIRE).order_by("pk").last()
        assert ended is not None
        reinstatements.reinstate(
            account=account,
            lot=ended.lot_id,
            now=at,
            key="demo:reinstatement",
            by=STAFF,
            reason="our app was down on the last day",
        )

    def _hold(self, account: Account, points: int, what: str, lapses_at: datetime, at: datetime) -> None:
        holds.hold(
            account=account,
            points=points,
            lapses_at=lapses_at,
            now=at,
            key=f"demo:hold-{what}",
            by=SHOP,
            reference=f"booking-{what}",
        )

    def _capture(self, account: Account, points: int, what: str, at: datetime) -> None:
        holds.capture(
            account=account,
            hold=f"demo:hold-{what}",
            points=points,
            now=at,
            key=f"demo:capture-{what}",
            by=SHOP,
            reference=f"booking-{what}",
        )

    def _promise(self, account: Account, points: int, spendable_at: datetime, at: datetime) -> None:
        grants.grant(
            account=account,
            points=points,
            now=at,
            key="demo:payback",
            by=SHOP,
            origin=Origin.PROMOTION,
            spendable_at=spendable_at,
            reason="payback of the autumn promotion",
        )

    def _postpone(self, account: Account, spendable_at: datetime, at: datetime) -> None:
        lot = Lot.objects.get(account=account, spendable_at__gt=at)
        promises.postpone(
            account=account,
            lots=[lot.pk],
            spendable_at=spendable_at,
            now=at,
            key="demo:postponement",
            by=STAFF,
            reason="the return period of the purchase was extended",
        )
