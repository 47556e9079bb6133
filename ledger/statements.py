"""A member's looks: balance, coming dates, history. Every figure goes by the clock and counts live lots only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Max, Q, QuerySet, Sum

from ledger import asof
from ledger.models import Account, Entry, Hold, Lot, Notice
from ledger.policies import last_day
from ledger.standing import Balance as Balance  # the answer of `balance`


@dataclass(frozen=True, slots=True)
class Expiring:
    """Live points that go together: `expires_at` is the instant, `last_day` the last day to use them."""

    expires_at: datetime
    last_day: date
    points: int
    lots: int
    gated: bool  # some of them wait for a notice: they stay whatever the date
    told_on: date | None = None  # the day of the newest notice of this date


@dataclass(frozen=True, slots=True)
class Promised:
    """Live points that can be spent from `spendable_at` on."""

    spendable_at: datetime
    points: int


def balance(account: Account, *, at: datetime) -> Balance:
    """What the account holds at `at`, which must not lie before its last entry.

    By the clock: where a hold has lapsed or a closure has taken effect and nobody has written it yet, it is worked out.
    """
    kept = Account.objects.values("debt", "lapses_at", "closes_at", "closed").get(pk=account.pk)
    due = kept["lapses_at"], kept["closes_at"]
    if not kept["closed"] and any(instant and instant <= at for instant in due):
        return asof.balance(account, at=at)
    sums = (
        Lot.objects.filter(account=account)
        .live(at)
        .aggregate(
            live=Sum("remaining", default=0), spendable=Sum("remaining", filter=Q(spendable_at__lte=at), default=0)
        )
    )
    live, debt = int(sums["live"]), kept["debt"]
    spendable = 0 if debt else int(sums["spendable"])
    on_hold = 0
    if kept["lapses_at"]:
        held = Hold.objects.filter(account=account, open=True)
        on_hold = int(held.aggregate(points=Sum("points", default=0))["points"])
    return Balance(spendable, promised=live - int(sums["spendable"]), live=live, debt=debt, on_hold=on_hold)


def expiring(account: Account, *, at: datetime, before: datetime | None = None) -> list[Expiring]:
    """The account's live points that have a date, soonest first, one row per date."""
    lots = Lot.objects.filter(account=account, expires_at__isnull=False).live(at)
    if before is not None:
        lots = lots.filter(expires_at__lt=before)
    rows = (
        lots.values("expires_at")
        .annotate(points=Sum("remaining"), lots=Count("pk"), gated=Count("pk", filter=Q(gated=True)))
        .order_by("expires_at")
    )
    told = dict(
        Notice.objects.filter(account=account, expires_at__gte=at).values_list("expires_at").annotate(Max("told_on"))
    )
    zone = account.programme.tz
    return [
        Expiring(
            expires_at=date,
            last_day=last_day(date, zone),
            points=int(row["points"]),
            lots=row["lots"],
            gated=row["gated"] > 0,
            told_on=told.get(date),
        )
        for row in rows
        if (date := row["expires_at"])
    ]


def undated(account: Account, *, at: datetime) -> int:
    """The account's live points that never expire."""
    lots = Lot.objects.filter(account=account, expires_at=None).live(at)
    return int(lots.aggregate(points=Sum("remaining", default=0))["points"])


def promised(account: Account, *, at: datetime) -> list[Promised]:
    """The account's live points that cannot be spent yet, soonest first, one row per instant of spending."""
    lots = Lot.objects.filter(account=account, spendable_at__gt=at).live(at)
    rows = lots.values_list("spendable_at").annotate(points=Sum("remaining")).order_by("spendable_at")
    return [Promised(spendable_at, int(points)) for spendable_at, points in rows]


def holds(account: Account) -> list[Hold]:
    """The account's open holds, the soonest lapse first; one that has lapsed stays until its release is written."""
    return list(Hold.objects.filter(account=account, open=True).order_by("lapses_at", "seq"))


def open_lots(account: Account, *, at: datetime, limit: int = 200) -> QuerySet[Lot]:
    """The account's live lots in redemption order, at most `limit`."""
    return Lot.objects.filter(account=account).live(at).order_by("expires_at", "seq", "number")[:limit]


def lots_expiring_at(account: Account, expires_at: datetime, *, at: datetime) -> QuerySet[Lot]:
    """The live lots that go at exactly this instant: what a message about that date is about."""
    return Lot.objects.filter(account=account, expires_at=expires_at).live(at).order_by("seq", "number")


def history(account: Account, *, before_seq: int | None = None, limit: int = 50) -> list[Entry]:
    """The newest entries in `seq` order, at most `limit`, those before `before_seq` where it is given."""
    entries = Entry.objects.filter(account=account)
    if before_seq is not None:
        entries = entries.filter(seq__lt=before_seq)
    return list(entries.order_by("-seq").prefetch_related("extensions", "allocations__lot")[:limit])
