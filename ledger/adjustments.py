"""Correcting a balance by hand, with a reason and an actor: up by a grant, down by a clawback without a grant."""

from __future__ import annotations

from datetime import datetime

from ledger.actors import Actor
from ledger.clawbacks import clawback_order
from ledger.grants import grant_order
from ledger.inputs import check_reason
from ledger.kinds import Origin
from ledger.models import Account
from ledger.posting import Order, act
from ledger.receipts import Receipt


def adjust_up(*, account: Account, points: int, now: datetime, key: str, by: Actor, reason: str) -> Receipt:
    """Add points that were missing.

    Raises BadInput without a reason, BadPoints, BadKey, NoPolicy, KeyReused, FutureAct, AccountClosed.
    """
    return act(adjust_up_order(account_id=account.pk, points=points, now=now, key=key, by=by, reason=reason))


def adjust_up_order(*, account_id: int, points: int, now: datetime, key: str, by: Actor, reason: str) -> Order:
    """An adjustment upwards as an order for the pen."""
    check_reason(reason)
    return grant_order(
        account_id=account_id, points=points, now=now, key=key, by=by, origin=Origin.ADJUSTMENT, reason=reason
    )


def adjust_down(*, account: Account, points: int, now: datetime, key: str, by: Actor, reason: str) -> Receipt:
    """Take points that were too many; what is not there becomes a debt, or is written off, as the policy says.

    Raises BadInput without a reason, BadPoints, BadKey, NoPolicy, KeyReused, FutureAct, AccountClosed.
    """
    return act(adjust_down_order(account_id=account.pk, points=points, now=now, key=key, by=by, reason=reason))


def adjust_down_order(*, account_id: int, points: int, now: datetime, key: str, by: Actor, reason: str) -> Order:
    """An adjustment downwards as an order for the pen."""
    check_reason(reason)
    return clawback_order(account_id=account_id, points=points, now=now, key=key, by=by, reason=reason)
