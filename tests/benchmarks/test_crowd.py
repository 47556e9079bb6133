"""The pure parts of the crowd: shares, rates; and that what a member does wrong is told."""

from __future__ import annotations

import multiprocessing
import os
import time

import pytest

from benchmarks.crowd import Crowd, CrowdFailed, Done, Seat, rate


def tell(seat: Seat, *, word: str) -> tuple[int, str]:
    return seat.number, word


def fail(seat: Seat) -> None:
    raise ValueError(f"seat {seat.number} has no chair")


def leave(seat: Seat) -> None:
    os._exit(3)


def wait(seat: Seat) -> str:
    seat.stop.wait(60)
    return "stopped"


def count(seat: Seat, *, start: float, seconds: float) -> Done:
    return Done(sum(1 for _ in seat.until(start, seconds)), 1)


def test_the_rate_of_all_is_the_sum_of_each_ones():
    assert rate([Done(acts=10, seconds=2), Done(acts=30, seconds=3)]) == 15


def test_seats_share_things_and_none_belongs_to_two():
    stop = multiprocessing.Event()
    shares = [list(Seat(number, 3, stop).share(range(10, 20))) for number in range(3)]
    assert shares == [[10, 13, 16, 19], [11, 14, 17], [12, 15, 18]]


def test_a_time_that_is_over_has_no_acts():
    assert list(Seat(0, 1, multiprocessing.Event()).until(time.monotonic() - 5, 1)) == []


def test_everybody_does_the_job_and_answers_in_the_order_of_seats():
    with Crowd(3) as crowd:
        crowd.begin(tell, word="here")
        assert crowd.end() == [(0, "here"), (1, "here"), (2, "here")]
        assert len(crowd.for_seconds(count, 0)) == 3


def test_an_open_ended_job_ends_when_asked():
    with Crowd(2) as crowd:
        crowd.begin(wait)
        assert crowd.end(stop=True) == ["stopped", "stopped"]


def test_what_a_member_does_wrong_is_told_and_the_crowd_goes_on():
    with Crowd(2) as crowd:
        crowd.begin(fail)
        with pytest.raises(CrowdFailed, match="ValueError: seat 0 has no chair"):
            crowd.end()
        crowd.begin(tell, word="still here")
        assert crowd.end() == [(0, "still here"), (1, "still here")]


def test_a_member_that_is_gone_is_missed():
    with Crowd(1) as crowd:
        crowd.begin(leave)
        with pytest.raises(CrowdFailed, match="exit code 3"):
            crowd.end()
