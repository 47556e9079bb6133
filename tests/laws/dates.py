"""The dates of lots once more, in plain arithmetic, and the policies of the stages on which the laws are tried.

The stage is Seoul, which has no summer time: its wall clock is UTC + 9 hours, always. So a day is 24 hours, and only
months are work. Written from the domain alone; shares no line with `ledger/policies.py`.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

SEOUL = timezone(timedelta(hours=9))
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

MONTHS_OF = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


@dataclass(frozen=True)
class Rule:
    """A policy: which date points get, whom to tell, what becomes of them afterwards."""

    model: str = "rolling"  # never, rolling, fixed_day, inactivity
    count: int = 20
    unit: str = "days"
    rounding: str = "none"
    fixed: tuple[int, int] = (0, 0)  # month and day
    spendable_after: int = 0
    duty: int = 0
    slack: int = 0
    earliest: int = 0  # a notice more days ahead than this is too early; 0: never too early
    channels: int = 1
    waivers: bool = False
    floor: int = 30
    window: int = 0
    second_life: int = 30
    beyond: str = "debt"

    def __deepcopy__(self, memo: dict) -> Rule:
        return self


@dataclass(frozen=True)
class Stage:
    """A programme: rules by the time from which and the origin for which they are in force."""

    dated: tuple[tuple[datetime, str, Rule], ...]
    cooling_off: int = 14
    books_closed_until: date | None = None

    def __deepcopy__(self, memo: dict) -> Stage:
        return self

    def in_force(self, at: datetime, origin: str) -> Rule:
        for wanted in (origin, ""):
            found = [(since, rule) for since, for_origin, rule in self.dated if for_origin == wanted and since <= at]
            if found:
                return max(found, key=lambda one: one[0])[1]
        raise AssertionError("every stage has rules for everything, since long ago")

    @property
    def origins(self) -> list[str]:
        return sorted({origin for _, origin, _ in self.dated if origin} | {"purchase"})

    @property
    def tells(self) -> bool:
        return any(rule.duty for _, _, rule in self.dated)


# --- days


def day_of(at: datetime) -> date:
    return at.astimezone(SEOUL).date()


def start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SEOUL).astimezone(UTC)


def end_of(day: date) -> datetime:
    return start_of(day + timedelta(days=1))


def last_day(ends: datetime) -> date:
    return day_of(ends - timedelta(microseconds=1))


def later(at: datetime, days: int) -> datetime:
    return at + timedelta(days=days)


# --- lives and roundings


def clamped(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def after(at: datetime, count: int, unit: str) -> datetime:
    """So many days, weeks, months or years later by Seoul's calendar; months clamp to their last day."""
    if unit in ("days", "weeks"):
        return later(at, count * (7 if unit == "weeks" else 1))
    local = at.astimezone(SEOUL)
    months = local.year * 12 + local.month - 1 + count * (12 if unit == "years" else 1)
    day = clamped(months // 12, months % 12 + 1, local.day)
    return local.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC)


def last_of(day: date, rounding: str) -> date:
    """The last day of the period that contains this one; weeks end on Sundays."""
    if rounding == "day":
        return day
    if rounding == "week":
        return day + timedelta(days=6 - day.weekday())
    size = MONTHS_OF[rounding]
    return clamped(day.year, (day.month - 1) // size * size + size, 31)


def rounded(at: datetime, rounding: str) -> datetime:
    return at if rounding == "none" else end_of(last_of(day_of(at), rounding))


def full_notice(rule: Rule, since: datetime) -> datetime:
    """The first instant at which points may go, so that there is time to tell from `since` on."""
    return later(since, rule.duty + rule.slack) if rule.duty else since


def first_date(rule: Rule, granted: datetime, counted_from: datetime) -> datetime | None:
    """Where the points of a grant end: counted from when they can be spent, or from the account's last activity."""
    if rule.model == "never":
        return None
    least = max(after(counted_from, rule.count, rule.unit), full_notice(rule, granted))
    if rule.model == "fixed_day":
        return fixed_day(rule, least)
    return rounded(least, rule.rounding)


def fixed_day(rule: Rule, least: datetime) -> datetime:
    """Valid through the rule's day of the year: of the first year in which that is not nearer than the least life."""
    year = day_of(least).year - 1
    while end_of(clamped(year, *rule.fixed)) < least:
        year += 1
    day = clamped(year, *rule.fixed)
    return end_of(day if rule.rounding == "none" else last_of(day, rule.rounding))


def idle_date(rule: Rule, active: datetime) -> datetime:
    """Where points under an inactivity rule end, if nothing else keeps them."""
    return rounded(after(active, rule.count, rule.unit), rule.rounding)


def restored_date(rule: Rule, was: datetime, at: datetime) -> datetime:
    return max(was, later(at, rule.floor), full_notice(rule, at))


def reinstated_date(rule: Rule, at: datetime) -> datetime:
    return rounded(max(later(at, rule.second_life), full_notice(rule, at)), rule.rounding)


def untold_date(rule: Rule, at: datetime) -> datetime:
    return rounded(full_notice(rule, at), rule.rounding)
