"""When points go: the dates of lots, worked out purely from a policy's terms and a time zone.

Instants are aware datetimes in UTC; days are dates in the programme's zone. "Valid through 31 March" is the
first instant of 1 April in that zone. None means never.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Model(TextChoices):
    NEVER = "never", _("Never")
    ROLLING = "rolling", _("A time after each grant")


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


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy says, as plain values. A lot copies the notice duty; the rest is looked up by `policy_id`."""

    policy_id: int
    zone: ZoneInfo
    model: Model
    count: int = 0
    unit: Unit = Unit.MONTHS
    rounding: Rounding = Rounding.NONE
    notice_days: int = 0
    notice_slack: int = 0


def expiry_date(terms: Terms, granted_at: datetime) -> datetime | None:
    """The instant from which points granted at `granted_at` are gone; None: never.

    Months clamp: 31 January + 1 month = 28 (29) February. Under a notice duty the date is at least
    the grant + `notice_days` + `notice_slack` days, so that there is time to tell.
    """
    if terms.model == Model.NEVER:
        return None
    life = relativedelta(**{str(terms.unit.value): terms.count})  # type: ignore[arg-type]  # the units are its own words
    local = _wall(granted_at, terms.zone)
    date_of = local + life
    if terms.notice_days:
        date_of = max(date_of, local + timedelta(days=terms.notice_days + terms.notice_slack))
    return rounded(date_of, terms)


def date_with_full_notice(terms: Terms, now: datetime) -> datetime:
    """Where a lot's date moves when nobody was told in time: today + `notice_days` + `notice_slack`, rounded."""
    local = _wall(now, terms.zone) + timedelta(days=terms.notice_days + terms.notice_slack)
    return rounded(local, terms)


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
