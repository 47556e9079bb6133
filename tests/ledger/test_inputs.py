from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ledger.errors import BadInput, BadKey, BadPoints
from ledger.inputs import MOST, check_instant, check_key, check_points, check_text


@pytest.mark.parametrize("points", [0, -1, MOST + 1, 1.0, 1.5, "1", True, None])
def test_an_amount_that_is_not_a_whole_positive_number_in_bounds_is_refused(points):
    with pytest.raises(BadPoints) as refusal:
        check_points(points)
    assert refusal.value.field == "points"


@pytest.mark.parametrize("points", [1, 100, MOST])
def test_a_whole_positive_amount_is_let_through(points):
    assert check_points(points) == points


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\x00b", 7, None])
def test_a_key_that_cannot_be_stored_is_refused(key):
    with pytest.raises(BadKey) as refusal:
        check_key(key)
    assert refusal.value.field == "key"


@pytest.mark.parametrize("at", [datetime(2025, 3, 10, 12), "2025-03-10T12:00:00Z", None])  # noqa: DTZ001  # the point
def test_a_time_without_a_zone_is_refused_by_its_name(at):
    with pytest.raises(BadInput, match="effective_at: Must be a time with a zone.") as refusal:
        check_instant(at, field="effective_at")
    assert refusal.value.code == "bad_input"


@pytest.mark.parametrize("year", [1, 1899, 9001, 9999])
def test_a_time_at_the_ends_of_the_calendar_is_refused_by_its_name(year):
    """Not every zone has it."""
    with pytest.raises(BadInput, match="lapses_at: Must lie between the years 1900 and 9000.") as refusal:
        check_instant(datetime(year, 1, 1, tzinfo=ZoneInfo("Asia/Seoul")), field="lapses_at")
    assert refusal.value.field == "lapses_at"


def test_a_time_with_a_zone_is_let_through():
    at = datetime(2025, 3, 10, 12, tzinfo=UTC)
    assert check_instant(at, field="now") is at


@pytest.mark.parametrize("text", ["x" * 11, "a\x00", "two\nlines", "\udcff", 7])
def test_a_text_that_cannot_be_stored_is_refused_by_its_name(text):
    with pytest.raises(BadInput, match="reason: At most 10 printable characters."):
        check_text(text, field="reason", longest=10)


def test_an_empty_text_is_a_text():
    assert check_text("", field="reason", longest=10) == ""
