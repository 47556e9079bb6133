"""Ratios, goals and verdicts. Never timed: what a machine measures is no test's business."""

from __future__ import annotations

import pytest

from benchmarks.results import (
    AT_LEAST,
    AT_MOST,
    GOAL,
    GOALS,
    Failed,
    Measured,
    as_json,
    compared,
    percentile,
    verdict,
)


def of(name: str, *ratios: float) -> Measured:
    return Measured(name, GOAL[name].size, ratios, ours=1, yardstick=1, unit="/s")


def test_the_goals_are_those_of_the_table():
    assert [(goal.name, goal.size, goal.goal, goal.direction, goal.fails) for goal in GOALS] == [
        ("redeem", 100_000, 0.5, AT_LEAST, 0.25),
        ("redeem_db_cpu", 100_000, 1.5, AT_MOST, 3),
        ("grant", 100_000, 0.6, AT_LEAST, None),
        ("hot_batch", 50, 10, AT_LEAST, None),
        ("import", 1_000_000, 0.5, AT_LEAST, None),
        ("sweep", 1_000_000, 0.5, AT_LEAST, None),
        ("sweep_p99", 1_000_000, 3, AT_MOST, None),
        ("long_history", 100_000, 1.1, AT_MOST, None),
        ("many_lots", 1_000, 1.5, AT_MOST, None),
        ("big_table", 10_000_000, 1.3, AT_MOST, None),
        ("plan", 1_000_000, 0.5, AT_LEAST, None),
        ("plan_big", 10_000_000, 1.3, AT_MOST, None),
        ("smtp", 150, 0.6, AT_LEAST, None),
        ("http", 150, 0.6, AT_LEAST, None),
        ("peers", 100_000, 5, AT_LEAST, None),
    ]


def test_sizes_are_a_tenth_unless_the_run_is_full():
    assert GOAL["import"].size_of(full=False) == 100_000
    assert GOAL["import"].size_of(full=True) == 1_000_000
    assert GOAL["hot_batch"].size_of(full=False) == GOAL["hot_batch"].size_of(full=True) == 50


def test_a_figure_is_the_median_of_its_rounds_ratios():
    row = compared("redeem", 10, [(100, 200), (300, 400), (10, 100), (90, 100), (60, 100)], "/s")
    assert row.ratios == [0.5, 0.75, 0.1, 0.9, 0.6]
    assert row.ratio == 0.6
    assert (row.ours, row.yardstick) == (90, 100)


def test_of_an_even_number_of_rounds_it_is_the_middle_of_the_two_in_the_middle():
    assert of("redeem", 1, 2, 3, 4, 5, 6).ratio == 3.5


def test_rates_are_turned_round_where_the_claim_is_about_durations():
    row = compared("long_history", 10, [(100, 110)] * 5, "/s", inverse=True)
    assert row.ratio == pytest.approx(1.1)
    assert (row.ours, row.yardstick) == (100, 110)


def test_fewer_than_five_rounds_make_no_figure():
    with pytest.raises(ValueError, match="redeem: 4 rounds, at least 5"):
        _ = of("redeem", 1, 1, 1, 1).ratio


@pytest.mark.parametrize(
    ("name", "ratio", "expected"),
    [
        ("redeem", 0.5, "met"),
        ("redeem", 0.499, "missed"),
        ("redeem", 0.25, "missed"),
        ("redeem", 0.249, "failure"),
        ("redeem_db_cpu", 1.5, "met"),
        ("redeem_db_cpu", 1.51, "missed"),
        ("redeem_db_cpu", 3.0, "missed"),
        ("redeem_db_cpu", 3.01, "failure"),
        ("grant", 0.01, "missed"),
        ("sweep_p99", 3.0, "met"),
    ],
)
def test_a_goal_is_met_at_its_very_value_and_failed_only_beyond_the_other(name, ratio, expected):
    assert verdict(of(name, *[ratio] * 5)) == expected


def test_what_could_not_be_measured_is_not_met():
    assert verdict(Failed("peers", 10, "no network")) == "not measured"


def test_the_json_has_six_keys_in_the_order_of_the_table():
    rows: list[Measured | Failed] = [
        Failed("peers", 100, "no network"),
        of("redeem_db_cpu", *[2.00049] * 5),
        of("redeem", *[0.5] * 5),
    ]
    assert as_json(rows) == [
        {"name": "redeem", "size": 100_000, "ratio": 0.5, "goal": 0.5, "direction": "at_least", "met": True},
        {"name": "redeem_db_cpu", "size": 100_000, "ratio": 2.0, "goal": 1.5, "direction": "at_most", "met": False},
        {"name": "peers", "size": 100, "ratio": None, "goal": 5, "direction": "at_least", "met": False},
    ]


def test_a_percentile_is_one_of_the_values():
    values = list(range(100, 0, -1))
    assert percentile(values, 99) == 99
    assert percentile(values, 50) == 50
    assert percentile(values, 100) == 100
    assert percentile([7.5], 99) == 7.5
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 99)
