"""A member's looks: balance, coming dates, history. Every figure goes by the clock and counts live lots only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Max, Q, QuerySet, Sum

from ledger.models import Account, Entry, Lot, Notice
from ledger.policies import last_day


@dataclass(frozen=True, slots=True)
class Balance:
    """Points of an account at an instant. `live` = `spendable` + `promised` while there is no debt."""

    spendable: int
    promised: int  # live, to be spendable later
    live: int
    debt: int


@dataclass(frozen=True, slots=True)
class Expiring:
    """Live points that go together: `expires_at` is the instant, `last_day` the last day to use them."""

    expires_at: datetime
    last_day: date
    points: int
    lots: int
    gated: bool  # some of them wait for a notice: they stay whatever the date
    told_on: date | None = None  # the day of the newest notice of this date


def balance(account: Account, *, at: datetime) -> Balance:
    """What the account holds at `at`, which must not lie before its last entry."""
    sums = (
        Lot.objects.filter(account=account)
        .live(at)
        .aggregate(
            live=Sum("remaining", default=0), spendable=Sum("remaining", filter=Q(spendable_at__lte=at), default=0)
        )
    )
    debt = Account.objects.values_list("debt", flat=True).get(pk=account.pk)
    live = int(sums["live"])
    spendable = 0 if debt else int(sums["spendable"])
    return Balance(spendable=spendable, promised=live - int(sums["spendable"]), live=live, debt=debt)


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
