"""Whether notices stand for a lot's date."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.allocation import LotState
from ledger.announcing import is_announced
from ledger.policies import Model, Terms
from ledger.undoing import NoticeFacts
from tests.builders import SEOUL

ENDS = datetime(2025, 5, 31, 15, tzinfo=UTC)
LOT = LotState(3, 0, 3, 1, "purchase", 100, 100, ENDS - timedelta(days=90), ENDS, gated=True, notice_days=30)
TERMS = Terms(1, SEOUL, Model.ROLLING, 2, notice_days=30, notice_max_days=60)
TOLD = NoticeFacts(4, ENDS, date(2025, 5, 31), date(2025, 4, 20), "email", "", {(3, 0)})


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        ({}, True),
        ({"told_on": date(2025, 5, 1)}, True),
        ({"told_on": date(2025, 5, 2)}, False),  # too late
        ({"told_on": date(2025, 4, 1)}, True),
        ({"told_on": date(2025, 3, 31)}, False),  # too early
        ({"expires_at": ENDS + timedelta(days=1)}, False),  # of another date
        ({"lots": {(3, 1)}}, False),  # of another lot
        ({"withdrawn": True}, False),
        ({"waiver": "opted_out"}, False),  # where none are accepted
    ],
)
def test_a_notice_is_good_of_its_own_lot_and_date_given_in_time(change, is_good):
    assert is_announced(LOT, TERMS, [replace(TOLD, **change)]) is is_good


def test_several_channels_are_different_ones():
    terms = replace(TERMS, notice_channels=2)
    assert not is_announced(LOT, terms, [TOLD, replace(TOLD, seq=5)])
    assert is_announced(LOT, terms, [TOLD, replace(TOLD, seq=5, channel="text")])


def test_a_waiver_counts_where_it_is_accepted_as_if_all_channels_had_been_used():
    terms = replace(TERMS, notice_channels=2, accepts_waivers=True)
    assert is_announced(LOT, terms, [replace(TOLD, waiver="no_contact", channel="")])


def test_without_notices_nothing_is_announced():
    assert not is_announced(LOT, TERMS, [])
