"""The balance page's facts: what can be used now, what comes, and what expires when. Looks only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from ledger import statements
from ledger.models import Account
from portal import closing
from portal.chart import Chart, draw

# A programme that counts to the second may have thousands of dates; the rest is said in one line.
MOST_DAYS = 60
MOST_PROMISES = 6
MOST_HOLDS = 6


@dataclass(frozen=True, slots=True)
class LastDay:
    """Points that can be used through `on`; `left` is the number of days from today until then."""

    on: date
    points: int
    left: int
    notice_due: bool  # some of them stay until the member was told in time
    told_on: date | None = None  # when the member was last told of this day
    promised: int = 0  # of the points: not to be used yet

    @property
    def usable(self) -> int:
        return self.points - self.promised


@dataclass(frozen=True, slots=True)
class Promise:
    """Points that are the member's already and can be used from the day `on` on."""

    on: date
    points: int


@dataclass(frozen=True, slots=True)
class OnHold:
    """Points set aside: given back at `lapses_at`, on the clock of the programme, unless they are used before."""

    lapses_at: datetime
    points: int


@dataclass(frozen=True, slots=True)
class Summary:
    account: Account
    closing: closing.State
    balance: statements.Balance
    promises: list[Promise]  # soonest first, at most MOST_PROMISES
    holds: list[OnHold]  # the soonest lapse first, at most MOST_HOLDS
    on_hold: int
    days: list[LastDay]  # soonest first, at most MOST_DAYS
    further_points: int  # of the days that are not listed
    undated: int
    chart: Chart | None

    @property
    def next(self) -> LastDay | None:
        """The day of the points to use first: one on which some go that can be used already.

        A day that has passed is no deadline: its points wait for their notice.
        """
        return next((day for day in self.days if day.left >= 0 and day.usable), None)

    @property
    def any_notice_due(self) -> bool:
        return any(day.notice_due for day in self.days)


def summary(account: Account, *, now: datetime) -> Summary:
    """What the account holds. Goes by the later of `now` and the last entry: clocks of two machines may differ."""
    at = max(now, account.last_recorded_at) if account.last_recorded_at else now
    state = closing.state(account, at=at)
    if state.closed:
        return _closed(account, state, statements.balance(account, at=at))
    zone = account.programme.tz
    today = at.astimezone(zone).date()
    days = by_day(statements.expiring(account, at=at), today)
    balance = statements.balance(account, at=at)
    holds = statements.holds(account, at=at)
    return Summary(
        account=account,
        closing=state,
        balance=balance,
        promises=by_first_day(statements.promised(account, at=at), account)[:MOST_PROMISES],
        holds=[OnHold(hold.lapses_at.astimezone(zone), hold.points) for hold in holds[:MOST_HOLDS]],
        on_hold=balance.on_hold,
        days=days[:MOST_DAYS],
        further_points=sum(day.points for day in days[MOST_DAYS:]),
        undated=statements.undated(account, at=at),
        chart=draw([(day.on, day.points) for day in days], today, account.programme.unit),
    )


def _closed(account: Account, state: closing.State, balance: statements.Balance) -> Summary:
    """Nothing is left, whether that is written down yet or not; a debt stays, less what points on hold paid of it."""
    return Summary(
        account=account,
        closing=state,
        balance=balance,
        promises=[],
        holds=[],
        on_hold=0,
        days=[],
        further_points=0,
        undated=0,
        chart=None,
    )


def by_first_day(promises: Iterable[statements.Promised], account: Account) -> list[Promise]:
    """Promises put together by the day from which their points can be used."""
    zone = account.programme.tz
    grouped = groupby(promises, key=lambda promise: promise.spendable_at.astimezone(zone).date())
    return [Promise(on, sum(part.points for part in parts)) for on, parts in grouped]


def by_day(dates: Iterable[statements.Expiring], today: date) -> list[LastDay]:
    """Dates put together by their last day: to a member, points that go at noon and at three go on one day."""
    return [
        LastDay(
            on=on,
            points=sum(part.points for part in parts),
            left=(on - today).days,
            notice_due=any(part.gated for part in parts),
            told_on=max((part.told_on for part in parts if part.told_on), default=None),
            promised=sum(part.promised for part in parts),
        )
        for on, parts in ((on, list(group)) for on, group in groupby(dates, key=lambda date: date.last_day))
    ]
