from datetime import UTC, datetime, timedelta

import pytest

from alerts.sending.retries import MOST_CALLS, next_try

NOW = datetime(2026, 1, 30, 3, tzinfo=UTC)
FAR = NOW + timedelta(days=60)


@pytest.mark.parametrize(
    ("calls", "seconds"),
    [(1, 30), (2, 120), (3, 600), (4, 1_800), (5, 7_200), (6, 21_600), (7, 21_600), (MOST_CALLS - 1, 21_600)],
)
def test_each_wait_is_longer_and_the_last_one_repeats(calls, seconds):
    assert next_try(calls=calls, now=NOW, expires_at=FAR, jitter=0.5) == NOW + timedelta(seconds=seconds)


def test_jitter_spreads_the_wait_by_a_fifth_to_both_sides():
    assert next_try(calls=2, now=NOW, expires_at=FAR, jitter=0) == NOW + timedelta(seconds=96)
    assert next_try(calls=2, now=NOW, expires_at=FAR, jitter=1) == NOW + timedelta(seconds=144)


def test_calls_are_used_up_at_last():
    assert next_try(calls=MOST_CALLS, now=NOW, expires_at=FAR, jitter=0.5) is None


def test_a_provider_that_asks_for_more_time_gets_it():
    later = timedelta(minutes=5)
    assert next_try(calls=1, now=NOW, expires_at=FAR, jitter=0.5, retry_after=later) == NOW + later


def test_the_next_try_is_never_later_than_the_expiry():
    soon = NOW + timedelta(seconds=7)
    assert next_try(calls=6, now=NOW, expires_at=soon, jitter=0.5) == soon
    assert next_try(calls=6, now=NOW, expires_at=NOW - timedelta(days=1), jitter=0.5) == NOW
