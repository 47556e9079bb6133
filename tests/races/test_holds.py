"""A hold ends once: captured, released, or lapsed by the clock, whoever comes first; its points never go both ways."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from ledger import holds
from ledger.errors import HoldNotOpen
from ledger.expiry import Sweep, sweep_all
from ledger.models import Hold
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, SHOP, a_key, capture, days, grant, hold, release
from tests.looking import entries, nothing_changes, row_of
from tests.races.test_redemptions import adds_up
from tests.races.together import behind_a_sweep, behind_a_writer, in_this_order, swept_while_writing

pytestmark = pytest.mark.django_db(transaction=True)
LAPSE = NOW + days(1)
JUST_BEFORE = LAPSE - timedelta(microseconds=1)
HELD = [("grant", 100), ("hold", -60)]


@pytest.fixture
def minji():
    account = builders.minji(builders.moa())
    grant(account, 100)
    hold(account, 60, lapses_at=LAPSE)
    return account


def is_over(account) -> bool:
    """The hold has ended, and the account adds up."""
    assert not Hold.objects.get(account=account).open
    return adds_up(account)


def test_a_capture_behind_the_sweep_of_its_lapse_finds_the_hold_released(minji):
    swept, (refused,) = behind_a_sweep(LAPSE, partial(capture, minji, now=JUST_BEFORE))
    assert swept.entries == 1
    assert isinstance(refused, HoldNotOpen)
    assert entries(minji) == [*HELD, ("release", 60)]
    assert row_of(minji)[0] == 100
    assert is_over(minji)


def test_a_sweep_leaves_a_hold_that_is_being_captured_and_finds_nothing_afterwards(minji):
    swept, captured = swept_while_writing(LAPSE, partial(capture, minji, now=JUST_BEFORE))
    assert swept == Sweep(found=1, entries=0, left=frozenset({minji.pk}))
    assert isinstance(captured, Receipt)
    assert sweep_all(now=LAPSE) == 0
    assert entries(minji) == [*HELD, ("capture", 0)]
    assert row_of(minji)[0] == 40
    assert is_over(minji)


def test_at_the_instant_itself_the_clock_has_released_it_whether_it_is_written_or_not(minji):
    with nothing_changes():
        answers = behind_a_writer(minji, [partial(capture, minji, now=LAPSE) for _ in range(4)])
    assert [type(found) for found in answers] == [HoldNotOpen] * 4
    assert sweep_all(now=LAPSE) == 1
    assert entries(minji) == [*HELD, ("release", 60)]
    assert is_over(minji)


def test_a_capture_behind_an_act_of_the_very_instant_comes_too_late(minji):
    granted, refused = in_this_order(
        minji, partial(grant, minji, 5, now=LAPSE), partial(capture, minji, now=JUST_BEFORE)
    )
    assert isinstance(granted, Receipt)
    assert isinstance(refused, HoldNotOpen)
    assert entries(minji) == [*HELD, ("release", 60), ("grant", 5)]
    assert is_over(minji)


def test_an_act_of_the_very_instant_behind_a_capture_releases_nothing(minji):
    captured, granted = in_this_order(
        minji, partial(capture, minji, now=JUST_BEFORE), partial(grant, minji, 5, now=LAPSE)
    )
    assert isinstance(captured, Receipt)
    assert isinstance(granted, Receipt)
    assert entries(minji) == [*HELD, ("capture", 0), ("grant", 5)]
    assert is_over(minji)


def test_a_release_behind_a_capture_and_a_capture_behind_a_release_find_the_hold_ended(minji):
    first, second = in_this_order(minji, partial(capture, minji), partial(release, minji))
    assert (type(first), type(second)) == (Receipt, HoldNotOpen)
    assert entries(minji) == [*HELD, ("capture", 0)]
    hold(minji, 40, key="next", lapses_at=LAPSE)
    first, second = in_this_order(minji, partial(release, minji, hold="next"), partial(capture, minji, hold="next"))
    assert (type(first), type(second)) == (Receipt, HoldNotOpen)
    assert entries(minji)[3:] == [("hold", -40), ("release", 40)]
    assert row_of(minji)[0] == 40
    assert adds_up(minji)


def test_of_captures_and_releases_from_eight_sides_one_ends_the_hold(minji):
    """In part: then the rest is released by the same act."""
    part: dict = {"account": minji, "hold": "hold", "now": NOW, "by": SHOP}
    captures = [partial(holds.capture, points=25, key=a_key(), **part) for _ in range(4)]
    answers = behind_a_writer(minji, [*captures, *[partial(holds.release, key=a_key(), **part) for _ in range(4)]])
    assert sorted(type(found).__name__ for found in answers) == ["HoldNotOpen"] * 7 + ["Receipt"]
    (won,) = (found for found in answers if isinstance(found, Receipt))
    if won.kind == "capture":
        assert entries(minji) == [*HELD, ("capture", 0), ("release", 35)]
    else:
        assert entries(minji) == [*HELD, ("release", 60)]
    assert is_over(minji)
