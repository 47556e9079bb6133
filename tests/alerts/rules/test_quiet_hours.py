from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rules.quiet_hours import Window, is_open, next_opening

SEOUL, LONDON = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/London")
MONTREAL, LORD_HOWE = ZoneInfo("America/Montreal"), ZoneInfo("Australia/Lord_Howe")

DAY = Window(time(9), time(20, 30))
NIGHT = Window(time(22), time(6))  # across midnight


def seoul(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=SEOUL)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        (seoul(2025, 3, 10, 8, 59, 59), seoul(2025, 3, 10, 9)),
        (seoul(2025, 3, 10, 9), seoul(2025, 3, 10, 9)),
        (seoul(2025, 3, 10, 20, 29, 59), seoul(2025, 3, 10, 20, 29, 59)),
        (seoul(2025, 3, 10, 20, 30), seoul(2025, 3, 11, 9)),
        (seoul(2025, 12, 31, 23), seoul(2026, 1, 1, 9)),
    ],
)
def test_a_message_waits_for_the_morning(at, opening):
    assert next_opening(at, DAY, SEOUL) == opening


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        (seoul(2025, 3, 10, 23), seoul(2025, 3, 10, 23)),
        (seoul(2025, 3, 11, 0), seoul(2025, 3, 11, 0)),
        (seoul(2025, 3, 11, 5, 59), seoul(2025, 3, 11, 5, 59)),
        (seoul(2025, 3, 11, 6), seoul(2025, 3, 11, 22)),
    ],
)
def test_a_window_may_cross_midnight(at, opening):
    assert next_opening(at, NIGHT, SEOUL) == opening


def test_a_window_that_closes_when_it_opens_never_shuts():
    at = seoul(2025, 3, 10, 3)
    assert next_opening(at, Window(time(9), time(9)), SEOUL) is at


@pytest.mark.parametrize(
    ("zone", "window", "at", "opening"),
    [
        # 30 March 2025, 01:00 to 02:00 is skipped in London: an opening at 01:30 is the first instant after.
        (LONDON, Window(time(1, 30), time(8)), utc(2025, 3, 30, 0, 10), utc(2025, 3, 30, 1)),
        # 26 October 2025, 01:00 to 02:00 comes twice: open at once, shut between, open again.
        (LONDON, Window(time(1), time(1, 30)), utc(2025, 10, 25, 23, 50), utc(2025, 10, 26, 0)),
        (LONDON, Window(time(1), time(1, 30)), utc(2025, 10, 26, 0, 40), utc(2025, 10, 26, 1)),
        (LONDON, Window(time(1), time(1, 30)), utc(2025, 10, 26, 1, 40), utc(2025, 10, 27, 1)),
        # At the second 01:10 of 25 October 2026 it has been open since the first 01:30: it opens once more.
        (LONDON, Window(time(1, 30), time(20)), utc(2026, 10, 25, 1, 10), utc(2026, 10, 25, 1, 30)),
        # The clock goes back from 02:00 to 01:00, into a window that has shut.
        (LONDON, Window(time(0, 30), time(1, 10)), utc(2025, 10, 26, 0, 20), utc(2025, 10, 26, 1)),
        # 9 March 2025, 02:00 to 03:00 is skipped in Montreal; the day after has its usual opening.
        (MONTREAL, Window(time(2, 30), time(5)), utc(2025, 3, 9, 6, 59), utc(2025, 3, 9, 7)),
        (MONTREAL, DAY, utc(2025, 3, 9, 2, 0), utc(2025, 3, 9, 13)),
        (MONTREAL, DAY, utc(2025, 11, 2, 2, 0), utc(2025, 11, 2, 14)),
        # Lord Howe moves by half an hour: 02:00 to 02:30 is skipped on 5 October, 01:30 to 02:00 twice on 6 April.
        (LORD_HOWE, Window(time(2, 10), time(3)), utc(2025, 10, 4, 15, 20), utc(2025, 10, 4, 15, 30)),
        (LORD_HOWE, Window(time(1, 30), time(1, 40)), utc(2025, 4, 5, 14, 45), utc(2025, 4, 5, 15)),
    ],
)
def test_changes_of_the_clock(zone, window, at, opening):
    assert next_opening(at, window, zone) == opening


def test_days_of_rest_are_wholly_quiet():
    rest = {date(2025, 5, 5), date(2025, 5, 6)}
    assert next_opening(seoul(2025, 5, 5, 12), DAY, SEOUL, rests_on=rest.__contains__) == seoul(2025, 5, 7, 9)
    # A window across midnight opens with the first day that is none, in the middle of the night.
    assert next_opening(seoul(2025, 5, 5, 23), NIGHT, SEOUL, rests_on=rest.__contains__) == seoul(2025, 5, 7, 0)
    assert not is_open(seoul(2025, 5, 6, 12), DAY, SEOUL, rests_on=rest.__contains__)


def test_a_day_of_rest_is_one_of_the_zone():
    rest = {date(2025, 5, 5)}
    at = utc(2025, 5, 4, 16)  # already the 5th in Seoul
    assert next_opening(at, Window(time(0), time(0)), SEOUL, rests_on=rest.__contains__) == utc(2025, 5, 5, 15)


def test_nothing_turns_in_circles_when_every_day_rests():
    with pytest.raises(ValueError, match="no day is open"):
        next_opening(seoul(2025, 5, 5, 12), DAY, SEOUL, rests_on=lambda day: True)


def test_an_instant_needs_its_zone():
    with pytest.raises(ValueError, match="needs its zone"):
        next_opening(datetime(2025, 5, 5, 12), DAY, SEOUL)  # noqa: DTZ001


minutes = st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))
CHANGES = [
    utc(2025, 3, 9, 7),
    utc(2025, 3, 30, 1),
    utc(2025, 4, 5, 15),
    utc(2025, 10, 4, 15),
    utc(2025, 10, 26, 1),
    utc(2025, 11, 2, 6),
]
# In three years, or within two days of one of the changes of the clock in 2025.
instants = st.one_of(
    st.builds(lambda n: utc(2024, 1, 1) + timedelta(minutes=n), st.integers(0, 3 * 365 * 24 * 60)),
    st.builds(lambda base, n: base + timedelta(minutes=n), st.sampled_from(CHANGES), st.integers(-3_000, 3_000)),
)
zones = st.sampled_from([SEOUL, LONDON, MONTREAL, LORD_HOWE])


@settings(max_examples=150, deadline=None)
@given(at=instants, opens=minutes, closes=minutes, zone=zones, rests=st.sets(st.integers(0, 6), max_size=5))
def test_the_opening_is_the_first_instant_that_is_open(at, opens, closes, zone, rests):
    window = Window(opens, closes)

    def rests_on(day: date) -> bool:
        return day.weekday() in rests

    opening = next_opening(at, window, zone, rests_on=rests_on)
    assert opening >= at
    assert is_open(opening, window, zone, rests_on=rests_on)
    step = timedelta(minutes=1)  # windows, instants and changes of the clock are of whole minutes
    earlier = at
    while earlier < opening:
        assert not is_open(earlier, window, zone, rests_on=rests_on)
        earlier += step
