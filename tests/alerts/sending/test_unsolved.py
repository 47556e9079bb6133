from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from alerts.sending.unsolved import began_at, key_still_holds, look_up_sees, unsolved_since

AT = datetime(2026, 1, 30, 3, tzinfo=UTC)
LEASE, CALL = timedelta(minutes=5), timedelta(seconds=10)


@dataclass
class Call:
    number: int
    outcome: str
    code: str = ""
    at: datetime = AT


@pytest.mark.parametrize(
    ("calls", "number"),
    [
        ([], None),
        ([Call(1, "not_sent"), Call(2, "throttled")], None),
        ([Call(1, "unknown")], 1),
        ([Call(1, "unknown"), Call(2, "unknown")], 1),  # the provider has kept the key since the first
        ([Call(1, "unknown"), Call(2, "throttled")], 1),  # what was refused now may have been taken before
        ([Call(2, "not_sent"), Call(1, "unknown")], 1),  # in whatever order they come
        ([Call(1, "unknown"), Call(2, "not_sent", "look-up")], None),
        ([Call(1, "unknown"), Call(2, "not_sent", "by hand")], None),
        ([Call(1, "unknown"), Call(2, "not_sent", "look-up"), Call(3, "unknown")], 3),
    ],
)
def test_a_call_is_unsolved_until_somebody_says_that_it_was_not_accepted(calls, number):
    first = unsolved_since(calls)
    assert (first.number if first else None) == number


def test_a_call_began_at_most_its_time_outs_before_it_ended_or_its_lease_before_that_ran_out():
    assert began_at(Call(1, "unknown"), lease=LEASE, longest_call=CALL) == AT - CALL
    assert began_at(Call(1, "unknown", "lease"), lease=LEASE, longest_call=CALL) == AT - LEASE


@pytest.mark.parametrize(
    ("after", "holds"), [(timedelta(0), True), (timedelta(seconds=579), True), (timedelta(seconds=580), False)]
)
def test_a_key_holds_if_the_next_call_would_end_within_its_time(after, holds):
    ten_minutes = timedelta(minutes=10)  # less the call before, and the call to come
    call = Call(1, "unknown")
    assert key_still_holds(call, kept_for=ten_minutes, now=AT + after, lease=LEASE, longest_call=CALL) is holds


def test_without_a_key_none_holds():
    assert not key_still_holds(Call(1, "unknown"), kept_for=None, now=AT, lease=LEASE, longest_call=CALL)


@pytest.mark.parametrize(
    ("looks_back", "after", "sees"),
    [
        (None, timedelta(days=900), True),
        (timedelta(days=2), timedelta(hours=47, seconds=-11), True),
        (timedelta(days=2), timedelta(hours=47, seconds=-10), False),
    ],
)
def test_a_look_up_sees_a_call_that_began_within_its_reach_less_an_hour(looks_back, after, sees):
    call = Call(1, "unknown")
    assert look_up_sees(call, looks_back=looks_back, now=AT + after, lease=LEASE, longest_call=CALL) is sees
