"""The API's first look: the signed-in member's own accounts. Read only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger import statements
from ledger.allocation import LotState
from ledger.models import Account
from ledger.policies import last_day

MOST_LOTS = 100
MOST_DATES = 400
MOST_HOLDS = 100


class Accounts(APIView):
    """GET: what the member holds in each programme, what expires when, and the lots in redemption order."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: Request) -> Response:
        assert request.user.pk is not None  # the permission class lets nobody in without a sign-in
        accounts = Account.objects.filter(member__user_id=request.user.pk).select_related("programme", "member")
        now = timezone.now()
        body = [account_of(account, now) for account in accounts.order_by("programme__code")]
        return Response({"accounts": body}, headers={"Cache-Control": "private, no-store"})


def account_of(account: Account, now: datetime) -> dict[str, Any]:
    """An account as JSON: points are integers, instants UTC, days are those of the programme's zone."""
    at = max(now, account.last_recorded_at) if account.last_recorded_at else now
    balance = statements.balance(account, at=at)
    dates = statements.expiring(account, at=at)
    promised, holds = statements.promised(account, at=at), statements.holds(account, at=at)
    lots = statements.open_lots(account, at=at, limit=MOST_LOTS + 1)
    programme = account.programme
    return {
        "programme": {
            "code": programme.code,
            "name": programme.name,
            "unit": programme.unit,
            "zone": programme.zone,
        },
        "member": account.member.reference,
        "as_of": at,
        "balance": {
            "spendable": balance.spendable,
            "promised": balance.promised,
            "on_hold": balance.on_hold,
            "debt": balance.debt,
        },
        "promised": [
            {"spendable_at": promise.spendable_at, "points": promise.points} for promise in promised[:MOST_DATES]
        ],
        "more_promised": len(promised) > MOST_DATES,
        "on_hold": [{"points": hold.points, "lapses_at": hold.lapses_at} for hold in holds[:MOST_HOLDS]],
        "more_on_hold": len(holds) > MOST_HOLDS,
        "closes_at": account.closes_at,
        "closed": account.closes_at is not None and account.closes_at <= at,
        "expiring": [
            {
                "last_day": date.last_day,
                "expires_at": date.expires_at,
                "points": date.points,
                "notice_due": date.gated,
            }
            for date in dates[:MOST_DATES]
        ],
        "more_expiring": len(dates) > MOST_DATES,
        "undated": statements.undated(account, at=at),
        "lots": [_lot(lot, account) for lot in lots[:MOST_LOTS]],
        "more_lots": len(lots) > MOST_LOTS,
    }


def _lot(lot: LotState, account: Account) -> dict[str, Any]:
    return {
        "name": f"{lot.seq}.{lot.number}",
        "origin": lot.origin,
        "granted": lot.granted,
        "remaining": lot.remaining,
        "spendable_at": lot.spendable_at,
        "expires_at": lot.expires_at,
        "last_day": last_day(lot.expires_at, account.programme.tz) if lot.expires_at else None,
        "notice_due": lot.gated,
    }
