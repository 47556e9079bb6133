"""Rows for tests, made through acts only, never by hand.

The stage: it is noon in Seoul on Monday, 10 March 2025. Moa is a telecom membership: points live twelve months to the
end of the month and nobody has to be told. Byeol is a card payback under the Korean notice duty of 30 days.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from ledger import (
    accounts,
    clawbacks,
    closures,
    extensions,
    grants,
    holds,
    notices,
    programmes,
    promises,
    redemptions,
    refunds,
    reinstatements,
)
from ledger.actors import Actor
from ledger.kinds import Origin
from ledger.models import Account, Lot, Policy, Programme
from ledger.policies import Model, Rounding, Unit
from ledger.receipts import Receipt

SEOUL = ZoneInfo("Asia/Seoul")
LONDON = ZoneInfo("Europe/London")
NOW = datetime(2025, 3, 10, 12, 0, tzinfo=SEOUL).astimezone(UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
SHOP = Actor("api", "shop")
STAFF = Actor("staff", "1")

_keys = count(1)


def a_key(prefix: str = "test") -> str:
    """A key that was never used before."""
    return f"{prefix}:{next(_keys)}"


def days(n: float) -> timedelta:
    return timedelta(days=n)


def moa(code: str = "moa", **changes: object) -> Programme:
    """A programme whose points live twelve months to the end of the month, without a notice duty."""
    terms: dict = {
        "name": "Moa",
        "zone": "Asia/Seoul",
        "effective_from": LONG_AGO,
        "model": Model.ROLLING,
        "count": 12,
        "unit": Unit.MONTHS,
        "rounding": Rounding.MONTH,
    }
    return programmes.create(code=code, **(terms | changes))


def byeol(code: str = "byeol", **changes: object) -> Programme:
    """A programme under a notice duty of 30 days."""
    return moa(code, **({"name": "Byeol", "notice_days": 30} | changes))


def policy(programme: Programme, **terms: object) -> Policy:
    """A further policy of a programme, announced a year before; twelve months to the end of the month unless told."""
    first: dict = {"effective_from": NOW, "model": Model.ROLLING, "count": 12, "rounding": Rounding.MONTH}
    merged: dict = first | terms
    before = merged["effective_from"] - days(365)
    return programmes.add_policy(programme=programme, now=before, **({"announced_on": before.date()} | merged))


def minji(programme: Programme) -> Account:
    """Minji: the member most tests are about."""
    return accounts.open_account(programme=programme, reference="minji")


def jun(programme: Programme) -> Account:
    """Jun: somebody else, to whom nothing must happen."""
    return accounts.open_account(programme=programme, reference="jun")


def grant(account: Account, points: int, *, now: datetime = NOW, key: str | None = None, **more: object) -> Receipt:
    return grants.grant(account=account, points=points, now=now, key=key or a_key(), by=SHOP, **more)  # type: ignore[arg-type]


def redeem(account: Account, points: int, *, now: datetime = NOW, key: str | None = None, **more: object) -> Receipt:
    return redemptions.redeem(account=account, points=points, now=now, key=key or a_key(), by=SHOP, **more)  # type: ignore[arg-type]


def clawback(account: Account, points: int, *, now: datetime = NOW, key: str | None = None, **more: object) -> Receipt:
    return clawbacks.clawback(account=account, points=points, now=now, key=key or a_key(), by=SHOP, **more)  # type: ignore[arg-type]


def refund(account: Account, points: int, undoes: str, *, now: datetime = NOW, key: str | None = None) -> Receipt:
    return refunds.refund(account=account, points=points, undoes=undoes, now=now, key=key or a_key(), by=SHOP)


def hold(
    account: Account,
    points: int,
    *,
    lapses_at: datetime = NOW + timedelta(days=1),
    now: datetime = NOW,
    key: str = "hold",
) -> Receipt:
    return holds.hold(account=account, points=points, lapses_at=lapses_at, now=now, key=key, by=SHOP)


def capture(account: Account, points: int | None = None, *, hold: str = "hold", now: datetime = NOW) -> Receipt:
    return holds.capture(account=account, hold=hold, points=points, now=now, key=f"capture:{hold}", by=SHOP)


def release(account: Account, *, hold: str = "hold", now: datetime = NOW) -> Receipt:
    return holds.release(account=account, hold=hold, now=now, key=f"release:{hold}", by=SHOP)


def reinstate(account: Account, lot: int, *, now: datetime = NOW, key: str | None = None) -> Receipt:
    return reinstatements.reinstate(
        account=account, lot=lot, now=now, key=key or a_key("admin"), by=STAFF, reason="a mistake of ours"
    )


def postpone(account: Account, lots: list[int], spendable_at: datetime, *, now: datetime = NOW) -> Receipt:
    return promises.postpone(
        account=account, lots=lots, spendable_at=spendable_at, now=now, key=a_key("admin"), by=STAFF, reason="delivery"
    )


def close(account: Account, *, now: datetime = NOW, key: str | None = None) -> Receipt:
    return closures.close(account=account, now=now, key=key or a_key("member"), by=Actor("member", "1"))


def extend(
    account: Account, lots: list[int], until: date, *, now: datetime = NOW, reason: str = "a mistake of ours"
) -> Receipt:
    return extensions.extend(
        account=account, lots=lots, until=until, now=now, key=a_key("admin"), by=STAFF, reason=reason
    )


def tell(account: Account, lots: list[int], *, told_on: date, now: datetime) -> Receipt:
    """Record that the member was told of these lots, which all go at the date of the first."""
    expires_at = Lot.objects.get(pk=lots[0]).expires_at
    assert expires_at is not None
    return notices.record(
        account=account,
        lots=lots,
        expires_at=expires_at,
        told_on=told_on,
        channel="email",
        evidence="delivery:1",
        now=now,
        key=a_key("delivery"),
        by=Actor("alerts"),
    )


def lot_of(receipt: Receipt) -> Lot:
    """The lot that a grant made."""
    return Lot.objects.get(account_id=receipt.account_id, seq=receipt.seq)


__all__ = ["LONDON", "LONG_AGO", "NOW", "SEOUL", "Origin"]
