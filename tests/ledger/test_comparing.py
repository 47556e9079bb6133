"""Which policies are worse for members than those they follow: on any day of the year, in any of their terms. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ledger.comparing import worsened
from ledger.policies import Beyond, Model, Rounding, Terms, Unit

SINCE = datetime(2025, 6, 1, tzinfo=UTC)
OLD = Terms(
    1,
    ZoneInfo("Asia/Seoul"),
    Model.ROLLING,
    12,
    Unit.MONTHS,
    Rounding.MONTH,
    spendable_after_days=7,
    notice_days=30,
    notice_slack=3,
    notice_channels=2,
    restored_floor_days=30,
    reinstate_window_days=10,
    reinstate_life_days=30,
    clawback_beyond=Beyond.WRITE_OFF,
)


def changed(**terms) -> list[str]:
    return worsened(replace(OLD, policy_id=2, **terms), OLD, SINCE)


def test_the_same_again_is_not_worse():
    assert changed() == []


@pytest.mark.parametrize(
    ("terms", "worse"),
    [
        ({"count": 11}, ["model"]),
        ({"count": 13}, []),
        ({"count": 1, "unit": Unit.YEARS}, []),
        ({"count": 365, "unit": Unit.DAYS}, []),  # rounded up to the same end of the month, or a later one
        ({"rounding": Rounding.NONE}, ["model"]),
        ({"rounding": Rounding.DAY}, ["model"]),
        ({"rounding": Rounding.QUARTER}, []),
        ({"rounding": Rounding.YEAR}, []),
        ({"model": Model.NEVER, "count": 0}, []),
        ({"model": Model.INACTIVITY}, []),
        ({"model": Model.FIXED_DAY, "fixed_month": 12, "fixed_day": 31, "rounding": Rounding.NONE}, []),
        ({"model": Model.FIXED_DAY, "fixed_month": 12, "fixed_day": 31, "count": 6}, ["model"]),
        ({"spendable_after_days": 8}, ["spendable_after_days"]),
        ({"spendable_after_days": 0}, ["model"]),  # spendable sooner, and so gone sooner on some days
        ({"notice_days": 29}, ["notice_days"]),
        ({"notice_days": 31}, []),
        ({"notice_channels": 1}, ["notice_channels"]),
        ({"notice_channels": 3}, []),
        ({"accepts_waivers": True}, ["accepts_waivers"]),
        ({"restored_floor_days": 29}, ["restored_floor_days"]),
        ({"reinstate_window_days": 9}, ["reinstate_window_days"]),
        ({"reinstate_life_days": 29}, ["reinstate_life_days"]),
        ({"clawback_beyond": Beyond.DEBT}, ["clawback_beyond"]),
        ({"count": 1, "notice_channels": 1}, ["model", "notice_channels"]),
    ],
    ids=str,
)
def test_what_is_worse_is_named(terms, worse):
    assert changed(**terms) == worse


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"model": Model.NEVER, "count": 0}, {"count": 1_000}),
        ({"model": Model.INACTIVITY}, {"count": 24}),  # an active member's points never went
        ({"model": Model.INACTIVITY}, {"count": 11, "model": Model.INACTIVITY}),
    ],
    ids=str,
)
def test_a_date_where_there_was_none_and_one_that_activity_no_longer_moves_are_worse(old, new):
    assert worsened(replace(OLD, **new), replace(OLD, **old), SINCE) == ["model"]


def test_the_other_way_round_is_better():
    assert worsened(replace(OLD, model=Model.NEVER, count=0), OLD, SINCE) == []
    assert worsened(replace(OLD, accepts_waivers=False), replace(OLD, accepts_waivers=True), SINCE) == []
    assert worsened(OLD, replace(OLD, clawback_beyond=Beyond.DEBT), SINCE) == []


def test_one_day_of_the_year_on_which_points_go_sooner_is_enough():
    """From 30 June a fixed 30 June gives twelve months more, and on every other day less than twelve."""
    fixed = {"model": Model.FIXED_DAY, "count": 0, "fixed_month": 6, "fixed_day": 30, "rounding": Rounding.NONE}
    assert changed(**fixed) == ["model"]
    assert changed(**(fixed | {"count": 13})) == []
