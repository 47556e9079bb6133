"""A member's looks: balance, coming dates, history. Every figure goes by the clock and counts live lots only.

Where a hold has lapsed or a closure has taken effect and nobody has written it yet, every look works it out as
catch-up would, so that all of them add up to the balance of the same instant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple

from django.db.models import Count, Max, Q, Sum

from ledger import asof
from ledger.allocation import LotState
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
    promised: int = 0  # of the points: not spendable yet


@dataclass(frozen=True, slots=True)
class Promised:
    """Live points that can be spent from `spendable_at` on."""

    spendable_at: datetime
    points: int


def balance(account: Account, *, at: datetime) -> Balance:
    """What the account holds at `at`, which must not lie before its last entry."""
    kept = Account.objects.values("debt", "lapses_at", "closes_at", "closed").get(pk=account.pk)
    if _is_more_due(at, kept["lapses_at"], kept["closes_at"], kept["closed"]):
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


def _is_more_due(at: datetime, lapses_at: datetime | None, closes_at: datetime | None, closed: bool) -> bool:
    """Whether the clock has done more to the account than end lots, and nobody has written it."""
    return not closed and any(instant and instant <= at for instant in (lapses_at, closes_at))


def _worked_out(account: Account, at: datetime) -> list[LotState] | None:
    """The live lots in redemption order, where their rows do not say yet what the clock has done; else None."""
    kept = Account.objects.values_list("lapses_at", "closes_at", "closed").get(pk=account.pk)
    return asof.lots(account, at=at) if _is_more_due(at, *kept) else None


class _Date(NamedTuple):
    expires_at: datetime | None
    points: int
    lots: int
    gated: int
    promised: int


def expiring(account: Account, *, at: datetime, before: datetime | None = None) -> list[Expiring]:
    """The account's live points that have a date, soonest first, one row per date."""
    lots = _worked_out(account, at)
    found = _dates_on_record(account, at) if lots is None else _dates_of(lots, at)
    told = dict(
        Notice.objects.filter(account=account, expires_at__gte=at).values_list("expires_at").annotate(Max("told_on"))
    )
    zone = account.programme.tz
    return [
        Expiring(
            expires_at=row.expires_at,
            last_day=last_day(row.expires_at, zone),
            points=row.points,
            lots=row.lots,
            gated=row.gated > 0,
            told_on=told.get(row.expires_at),
            promised=row.promised,
        )
        for row in found
        if row.expires_at and (before is None or row.expires_at < before)
    ]


def _dates_on_record(account: Account, at: datetime) -> Iterable[_Date]:
    rows = (
        Lot.objects.filter(account=account, expires_at__isnull=False)
        .live(at)
        .values_list("expires_at")
        .annotate(
            points=Sum("remaining"),
            lots=Count("pk"),
            of_them_gated=Count("pk", filter=Q(gated=True)),
            promised=Sum("remaining", filter=Q(spendable_at__gt=at), default=0),
        )
        .order_by("expires_at")
    )
    return [_Date(until, int(points), lots, gated, int(promised)) for until, points, lots, gated, promised in rows]


def _dates_of(lots: Iterable[LotState], at: datetime) -> Iterable[_Date]:
    """The same of lots that come in redemption order."""
    for until, group in groupby(lots, key=lambda lot: lot.expires_at):
        of_date = list(group)
        yield _Date(
            expires_at=until,
            points=sum(lot.remaining for lot in of_date),
            lots=len(of_date),
            gated=sum(lot.gated for lot in of_date),
            promised=sum(lot.remaining for lot in of_date if lot.spendable_at > at),
        )


def undated(account: Account, *, at: datetime) -> int:
    """The account's live points that never expire."""
    lots = _worked_out(account, at)
    if lots is not None:
        return sum(lot.remaining for lot in lots if lot.expires_at is None)
    rows = Lot.objects.filter(account=account, expires_at=None).live(at)
    return int(rows.aggregate(points=Sum("remaining", default=0))["points"])


def promised(account: Account, *, at: datetime) -> list[Promised]:
    """The account's live points that cannot be spent yet, soonest first, one row per instant of spending."""
    lots = _worked_out(account, at)
    if lots is not None:
        later = sorted((lot for lot in lots if lot.spendable_at > at), key=lambda lot: lot.spendable_at)
        grouped = groupby(later, key=lambda lot: lot.spendable_at)
        return [Promised(spendable_at, sum(lot.remaining for lot in group)) for spendable_at, group in grouped]
    live = Lot.objects.filter(account=account, spendable_at__gt=at).live(at)
    rows = live.values_list("spendable_at").annotate(points=Sum("remaining")).order_by("spendable_at")
    return [Promised(spendable_at, int(points)) for spendable_at, points in rows]


def holds(account: Account, *, at: datetime) -> list[Hold]:
    """The account's holds that are open at `at`, the soonest lapse first."""
    if Account.objects.filter(pk=account.pk, closes_at__lte=at).exists():
        return []
    return list(Hold.objects.filter(account=account, open=True, lapses_at__gt=at).order_by("lapses_at", "seq"))


def open_lots(account: Account, *, at: datetime, limit: int = 200) -> list[LotState]:
    """The account's live lots in redemption order, at most `limit`.

    Points that came back by the clock and that nobody has written yet may stand in lots without an id.
    """
    lots = _worked_out(account, at)
    if lots is not None:
        return lots[:limit]
    rows = Lot.objects.filter(account=account).live(at).order_by("expires_at", "seq", "number")[:limit]
    return [row.state() for row in rows]


def lots_expiring(dates: Collection[tuple[int, datetime]], *, at: datetime) -> dict[tuple[int, datetime], list[Lot]]:
    """For each (account id, instant): the live lots that go at exactly that instant, with their policies.

    They are what a message about that date is about, in the order of granting. The rows are to be looked at, not saved:
    where points came back by the clock, they say what is left with those. Two statements for all that have nothing due.
    """
    found: dict[tuple[int, datetime], list[Lot]] = {date: [] for date in dates}
    kept = Account.objects.filter(pk__in={account_id for account_id, _ in dates})
    clocks = kept.values_list("pk", "lapses_at", "closes_at", "closed")
    due = {pk for pk, lapses_at, closes_at, closed in clocks if _is_more_due(at, lapses_at, closes_at, closed)}
    settled = [date for date in dates if date[0] not in due]
    # More than was asked for may come where accounts differ in their dates: it is left out here.
    rows = Lot.objects.filter(account__in={date[0] for date in settled}, expires_at__in={date[1] for date in settled})
    for lot in rows.live(at).select_related("policy").order_by("seq", "number"):
        if lot.expires_at and (lot.account_id, lot.expires_at) in found:
            found[lot.account_id, lot.expires_at].append(lot)
    for account in Account.objects.filter(pk__in=due).select_related("programme"):
        going = asof.lots(account, at=at)
        found |= {date: _rows_of(going, date[1]) for date in dates if date[0] == account.pk}
    return found


def lots_expiring_at(account: Account, expires_at: datetime, *, at: datetime) -> list[Lot]:
    """The same of one account and instant."""
    return lots_expiring([(account.pk, expires_at)], at=at)[account.pk, expires_at]


def _rows_of(lots: Iterable[LotState], expires_at: datetime) -> list[Lot]:
    """The rows of those of these lots that go at this instant, as the clock has left them."""
    going = {lot.id: lot for lot in lots if lot.id and lot.expires_at == expires_at}
    rows = list(Lot.objects.filter(pk__in=going).select_related("policy").order_by("seq", "number"))
    for row in rows:
        lot = going[row.pk]
        row.remaining, row.open, row.gated, row.expires_at = lot.remaining, True, lot.gated, expires_at
    return rows


def history(account: Account, *, before_seq: int | None = None, limit: int = 50) -> list[Entry]:
    """The newest entries in `seq` order, at most `limit`, those before `before_seq` where it is given."""
    entries = Entry.objects.filter(account=account)
    if before_seq is not None:
        entries = entries.filter(seq__lt=before_seq)
    return list(entries.order_by("-seq").prefetch_related("extensions", "allocations__lot")[:limit])
