import logging

import pytest

from alerts.dispatching import Due, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch):
    """A steady clock that only sleeping moves."""
    now = [1_000.0]
    monkeypatch.setattr("alerts.dispatching.time.monotonic", lambda: now[0])
    monkeypatch.setattr("alerts.dispatching.time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_each_tick_runs_when_it_is_due_in_the_order_of_the_table(clock):
    ran = []
    ticks = [
        Due("plan", lambda: ran.append(("plan", clock[0])), 30),
        Due("deliver", lambda: ran.append(("d", clock[0])), 10),
    ]
    run(ticks, stopped=lambda: clock[0] >= 1_031)
    assert [(name, at - 1_000) for name, at in ran] == [
        ("plan", 0),
        ("d", 0),
        ("d", 10),
        ("d", 20),
        ("plan", 30),
        ("d", 30),
    ]


def test_once_is_once(clock):
    ran = []
    run([Due("plan", lambda: ran.append(1), 30), Due("deliver", lambda: ran.append(2), 10)], stopped=bool, once=True)
    assert ran == [1, 2]


def test_a_tick_that_fails_is_logged_and_stops_neither_the_others_nor_itself(clock, caplog):
    ran = []

    def fail():
        ran.append("failed")
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR, logger="alerts.dispatching"):
        run(
            [Due("plan", fail, 10), Due("deliver", lambda: ran.append("went on"), 10)],
            stopped=lambda: clock[0] >= 1_015,
        )
    assert ran == ["failed", "went on"] * 2
    assert [record.message for record in caplog.records] == ["the tick plan failed; it runs again in 10 s"] * 2


def test_when_it_is_asked_to_end_the_tick_that_runs_is_finished_and_no_other_begins(clock):
    ran: list[str] = []

    def asked():
        return bool(ran)

    run([Due("plan", lambda: ran.append("plan"), 10), Due("deliver", lambda: ran.append("d"), 10)], stopped=asked)
    assert ran == ["plan"]


def test_a_tick_that_took_longer_than_its_period_is_not_made_up_for(clock):
    ran = []

    def slow():
        ran.append(clock[0] - 1_000)
        clock[0] += 35

    run([Due("deliver", slow, 10)], stopped=lambda: clock[0] >= 1_100)
    assert ran == [0, 45, 90]
