"""When points go: the dates of lots, worked out purely from a policy's terms and a time zone.

Instants are aware datetimes in UTC; days are dates in the programme's zone. "Valid through 31 March" is the
first instant of 1 April in that zone. None means never.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from ledger.errors import NoPolicy


class Model(TextChoices):
    NEVER = "never", _("Never")
    ROLLING = "rolling", _("A time after each grant")
    FIXED_DAY = "fixed_day", _("On a fixed day of the year")
    INACTIVITY = "inactivity", _("A time after the account's last activity")


class Unit(TextChoices):
    DAYS = "days", _("Days")
    WEEKS = "weeks", _("Weeks")
    MONTHS = "months", _("Months")
    YEARS = "years", _("Years")


class Rounding(TextChoices):
    """Up to the end of the period that contains the date; a week ends on Sunday."""

    NONE = "none", _("To the second")
    DAY = "day", _("End of the day")
    WEEK = "week", _("End of the week")
    MONTH = "month", _("End of the month")
    QUARTER = "quarter", _("End of the quarter")
    HALF_YEAR = "half_year", _("End of the half-year")
    YEAR = "year", _("End of the year")


class Beyond(TextChoices):
    """What a clawback does beyond the live points at hand."""

    DEBT = "debt", _("becomes a debt")
    WRITE_OFF = "write_off", _("is written off")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy says, as plain values. A lot copies the notice duty; the rest is looked up by `policy_id`.

    Days are counted in wall-clock days of `zone`; 0 means none, where a number of days can be none.
    """

    policy_id: int
    zone: ZoneInfo
    model: Model
    count: int = 0
    unit: Unit = Unit.MONTHS
    rounding: Rounding = Rounding.NONE
    fixed_month: int = 0
    fixed_day: int = 0
    spendable_after_days: int = 0
    notice_days: int = 0
    notice_slack: int = 0
    notice_max_days: int = 0  # a notice given earlier than this many days ahead is too early
    notice_channels: int = 1  # on how many different channels the member must have been told
    accepts_waivers: bool = False
    restored_floor_days: int = 30  # what comes back lives at least so long
    reinstate_window_days: int = 0  # how long after its end a lot can be reinstated
    reinstate_life_days: int = 30
    clawback_beyond: Beyond = Beyond.DEBT


@dataclass(frozen=True, slots=True)
class Rules:
    """A programme's rules as plain values: its zone, and its policies, newest first."""

    zone: ZoneInfo
    dated: Sequence[tuple[datetime, str, Terms]]  # (in force from, origin or "", terms)

    def in_force(self, at: datetime, origin: str) -> Terms:
        """The newest policy in force at `at`: one for this origin before one for all. Raises NoPolicy."""
        for wanted in (origin, ""):
            for since, policy_origin, terms in self.dated:
                if policy_origin == wanted and since <= at:
                    return terms
        raise NoPolicy(field="policy")

    def terms(self, policy_id: int) -> Terms:
        """The terms of a lot's own policy. Raises NoPolicy when these rules are older than the policy."""
        for _since, _origin, terms in self.dated:
            if terms.policy_id == policy_id:
                return terms
        raise NoPolicy(field="policy")

    @property
    def has_inactivity(self) -> bool:
        return any(terms.model == Model.INACTIVITY for _, _, terms in self.dated)


def spendable_from(terms: Terms, granted_at: datetime) -> datetime:
    """The instant from which points granted at `granted_at` can be spent, unless they are promised for another."""
    return days_after(granted_at, terms.spendable_after_days, terms.zone) if terms.spendable_after_days else granted_at


def postponed_date(terms: Terms, was: datetime, spendable_was: datetime, spendable_at: datetime) -> datetime:
    """The date of points that go at `was`, when the instant from which they can be spent moves to `spendable_at`.

    Dated as the points of a new promise are, never earlier than before; so under inactivity they have their life from
    the day of spending on. A date given by hand under a policy without dates keeps its distance.
    """
    if terms.model == Model.NEVER:
        return was + (spendable_at - spendable_was)
    local = _wall(spendable_at, terms.zone)
    return max(was, _dated(local + _life(terms), local, terms))


def expiry_date(terms: Terms, since: datetime, *, granted_at: datetime | None = None) -> datetime | None:
    """The instant from which points that can be spent from `since` on are gone; None: never.

    Months clamp: 31 January + 1 month = 28 (29) February. Under a notice duty the date is at least
    the grant (`granted_at`, or `since`) + `notice_days` + `notice_slack` days, so that there is time to tell.
    """
    if terms.model == Model.NEVER:
        return None
    local = _wall(since, terms.zone)
    date_of = local + _life(terms)
    if terms.notice_days:
        granted = _wall(granted_at or since, terms.zone)
        date_of = max(date_of, granted + timedelta(days=terms.notice_days + terms.notice_slack))
    return _dated(date_of, local, terms)


def _dated(least: datetime, since: datetime, terms: Terms) -> datetime:
    return _fixed_day_after(least, since, terms) if terms.model == Model.FIXED_DAY else rounded(least, terms)


def inactivity_date(terms: Terms, active_at: datetime, not_before: datetime | None, first: datetime) -> datetime:
    """The instant from which points under an inactivity policy are gone.

    The latest of the life counted from the account's last activity, the account's `not_before`, and the date that
    the lot was made with: activity and extensions only ever move it later.
    """
    local = _wall(active_at, terms.zone) + _life(terms)
    return max(rounded(local, terms), not_before or first, first)


def _life(terms: Terms) -> relativedelta:
    return _span(terms.unit, terms.count)


@cache
def _span(unit: Unit, count: int) -> relativedelta:
    return relativedelta(**{str(unit.value): count})  # type: ignore[arg-type]  # the units are its own words


def _fixed_day_after(least: datetime, since: datetime, terms: Terms) -> datetime:
    """The end of the first fixed day that does not come before the wall-clock time `least`: "nearer: next year's".

    A day that ends in the very instant `since` is over. 29 February is the 28th in a year without one.
    """
    for year in (least.year - 1, least.year, least.year + 1):
        day = date(year, terms.fixed_month, 1) + relativedelta(day=terms.fixed_day)
        ends = datetime.combine(day + timedelta(days=1), time())
        if ends >= least and ends > since:
            return rounded(datetime.combine(day, time()), terms) if _rounds(terms) else end_of_day(day, terms.zone)
    raise AssertionError("a fixed day comes every year")


def _rounds(terms: Terms) -> bool:
    return terms.rounding not in (Rounding.NONE, Rounding.DAY)


def date_with_full_notice(terms: Terms, now: datetime) -> datetime:
    """Where a lot's date moves when nobody was told in time: today + `notice_days` + `notice_slack`, rounded."""
    local = _wall(now, terms.zone) + timedelta(days=terms.notice_days + terms.notice_slack)
    return rounded(local, terms)


def restored_date(terms: Terms, was: datetime, at: datetime) -> datetime:
    """The date of points that come back at `at` and cannot go back to a lot that ends at `was`: law 6.

    The later of that date and `at` + floor; under a notice duty there is time to tell of it.
    """
    floor = terms.restored_floor_days
    if terms.notice_days:
        floor = max(floor, terms.notice_days + terms.notice_slack)
    return max(was, days_after(at, floor, terms.zone))


def has_floor_left(terms: Terms, expires_at: datetime | None, at: datetime) -> bool:
    """Whether a lot with this date lives long enough for points to come back to it."""
    return expires_at is None or expires_at >= days_after(at, terms.restored_floor_days, terms.zone)


def reinstated_date(terms: Terms, at: datetime) -> datetime:
    """The date of points reinstated at `at`: the policy's life, at least the full notice, rounded as it rounds."""
    days = terms.reinstate_life_days
    if terms.notice_days:
        days = max(days, terms.notice_days + terms.notice_slack)
    return rounded(_wall(at, terms.zone) + timedelta(days=days), terms)


def can_be_reinstated(terms: Terms, ended_at: datetime, at: datetime) -> bool:
    """Whether the window after a lot's end is still open at `at`."""
    return at < days_after(ended_at, terms.reinstate_window_days, terms.zone)


def is_good_day(told_on: date, expires_on: date, notice_days: int, notice_max_days: int = 0) -> bool:
    """Whether a notice given on `told_on` is early enough, and not too early, for the last day `expires_on`."""
    ahead = (expires_on - told_on).days
    return ahead >= notice_days and (not notice_max_days or ahead <= notice_max_days)


def days_after(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same wall-clock time so many days later."""
    return instant(_wall(at, zone) + timedelta(days=days), zone)


def rounded(local: datetime, terms: Terms) -> datetime:
    """The wall-clock time `local`, moved up to the end of the period that contains its date, as an instant."""
    if terms.rounding == Rounding.NONE:
        return instant(local, terms.zone)
    return start_of_day(_NEXT_PERIOD[terms.rounding](local.date()), terms.zone)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day in the zone."""
    return instant(datetime.combine(day, time()), zone)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The instant from which points that are valid through `day` are gone."""
    return start_of_day(day + timedelta(days=1), zone)


def last_day(expires_at: datetime, zone: ZoneInfo) -> date:
    """The last day on which points that expire at `expires_at` can be used; this is the day that members are told."""
    return (expires_at.astimezone(UTC) - timedelta(microseconds=1)).astimezone(zone).date()


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """A wall-clock time as an instant in UTC: in a fold the first, in a gap the first instant after it."""
    first = local.replace(tzinfo=zone, fold=0)
    found = first.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local:
        return found
    # The clocks skip this time. Both readings of it lie either side of the gap, one offset apart; the
    # gap begins where the earlier offset ends, so shifting back by what is missing gives its end.
    before, after = first.utcoffset(), local.replace(tzinfo=zone, fold=1).utcoffset()
    assert before is not None
    assert after is not None
    low, high = sorted((local - before, local - after))
    return _first_instant_with(after, low.replace(tzinfo=UTC), high.replace(tzinfo=UTC), zone)


def _first_instant_with(offset: timedelta, low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The instant between `low` and `high` at which the zone changes to `offset`, to the second."""
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _next_multiple_of_months(months: int) -> Callable[[date], date]:
    """The first day after the period of `months` months, counted from January, that contains the day."""

    def next_period(day: date) -> date:
        first_month = (day.month - 1) // months * months + 1
        return date(day.year, first_month, 1) + relativedelta(months=months)

    return next_period


_NEXT_PERIOD: dict[Rounding, Callable[[date], date]] = {
    Rounding.DAY: lambda day: day + timedelta(days=1),
    Rounding.WEEK: lambda day: day + timedelta(days=7 - day.weekday()),
    Rounding.MONTH: _next_multiple_of_months(1),
    Rounding.QUARTER: _next_multiple_of_months(3),
    Rounding.HALF_YEAR: _next_multiple_of_months(6),
    Rounding.YEAR: _next_multiple_of_months(12),
}
