"""The balance page's facts: what can be used now, what comes, and what expires when. Looks only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from ledger import statements
from ledger.models import Account
from portal.chart import Chart, draw

# A programme that counts to the second may have thousands of dates; the rest is said in one line.
MOST_DAYS = 60


@dataclass(frozen=True, slots=True)
class LastDay:
    """Points that can be used through `on`; `left` is the number of days from today until then."""

    on: date
    points: int
    left: int
    notice_due: bool  # some of them stay until the member was told in time
    told_on: date | None = None  # when the member was last told of this day


@dataclass(frozen=True, slots=True)
class Summary:
    account: Account
    balance: statements.Balance
    days: list[LastDay]  # soonest first, at most MOST_DAYS
    further_points: int  # of the days that are not listed
    undated: int
    chart: Chart | None

    @property
    def next(self) -> LastDay | None:
        """The points to use first. A day that has passed is no deadline: its points wait for their notice."""
        return next((day for day in self.days if day.left >= 0), None)

    @property
    def any_notice_due(self) -> bool:
        return any(day.notice_due for day in self.days)


def summary(account: Account, *, now: datetime) -> Summary:
    """What the account holds. Goes by the later of `now` and the last entry: clocks of two machines may differ."""
    at = max(now, account.last_recorded_at) if account.last_recorded_at else now
    today = at.astimezone(account.programme.tz).date()
    days = by_day(statements.expiring(account, at=at), today)
    return Summary(
        account=account,
        balance=statements.balance(account, at=at),
        days=days[:MOST_DAYS],
        further_points=sum(day.points for day in days[MOST_DAYS:]),
        undated=statements.undated(account, at=at),
        chart=draw([(day.on, day.points) for day in days], today, account.programme.unit),
    )


def by_day(dates: Iterable[statements.Expiring], today: date) -> list[LastDay]:
    """Dates put together by their last day: to a member, points that go at noon and at three go on one day."""
    return [
        LastDay(
            on=on,
            points=sum(part.points for part in parts),
            left=(on - today).days,
            notice_due=any(part.gated for part in parts),
            told_on=max((part.told_on for part in parts if part.told_on), default=None),
        )
        for on, parts in ((on, list(group)) for on, group in groupby(dates, key=lambda date: date.last_day))
    ]
