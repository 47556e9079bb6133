"""A feed comes in while members spend: each row and each act is decided on what is there by then."""

from __future__ import annotations

from functools import partial
from io import StringIO

import pytest

from ledger.errors import InsufficientPoints
from ledger.feed import COLUMNS, Feed
from ledger.imports import Import, Rejected, Tally
from ledger.models import Programme
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, grant, redeem
from tests.feeds import purchase, redemption
from tests.looking import entries, row_of
from tests.races.test_redemptions import adds_up
from tests.races.together import all_at_once, behind_a_writer, in_this_order

pytestmark = pytest.mark.django_db(transaction=True)
AT = "2025-03-10 12:00:00"


@pytest.fixture
def minji():
    account = builders.minji(builders.moa())
    grant(account, 100)
    return account


def bring_in(programme: Programme, *rows: dict[str, str]) -> Tally:
    text = "".join(",".join(row[column] for column in COLUMNS) + "\n" for row in rows)
    rejected: list[Rejected] = []
    work = Import(programme, NOW, rejected.append)
    for _ in work.run(Feed(StringIO(",".join(COLUMNS) + "\n" + text), programme.tz)):
        pass
    assert rejected == []
    return work.tally


@pytest.mark.parametrize(("points", "answer"), [(61, InsufficientPoints), (60, Receipt)])
def test_a_redemption_behind_an_import_finds_what_the_rows_left(minji, points, answer):
    rows = [redemption(AT, "1", "minji", "60"), purchase(AT, "2", "minji", "20")]
    tally, found = in_this_order(minji, partial(bring_in, minji.programme, *rows), partial(redeem, minji, points))
    assert tally == Tally(rows=2, applied=2)
    assert isinstance(found, answer)
    assert row_of(minji)[0] == (60 if answer is InsufficientPoints else 0)
    assert adds_up(minji)


def test_an_import_behind_a_redemption_declines_the_row_that_comes_too_late(minji):
    rows = [redemption(AT, "1", "minji", "60"), purchase(AT, "2", "minji", "20")]
    redeemed, tally = in_this_order(minji, partial(redeem, minji, 80), partial(bring_in, minji.programme, *rows))
    assert isinstance(redeemed, Receipt)
    assert tally == Tally(rows=2, applied=2, declined=1)
    assert entries(minji) == [("grant", 100), ("redeem", -80), ("decline", 0), ("grant", 20)]
    assert adds_up(minji)


def test_the_same_rows_brought_in_from_four_sides_are_applied_once(minji):
    rows = [purchase(AT, str(n), "minji", "20") for n in range(5)]
    answers = behind_a_writer(minji, [partial(bring_in, minji.programme, *rows) for _ in range(4)])
    tallies = [found for found in answers if isinstance(found, Tally)]
    assert sum(tally.applied for tally in tallies) == 5
    assert sum(tally.already_there for tally in tallies) == 15
    assert row_of(minji) == (200, 0, 6)
    assert adds_up(minji)


def test_feeds_of_many_members_in_opposite_orders_never_wait_for_each_other_in_a_circle(minji):
    there = [purchase(AT, f"there{n}", f"m{n}", "20") for n in range(20)]
    back = [purchase(AT, f"back{n}", f"m{n}", "20") for n in reversed(range(20))]
    for found in all_at_once([partial(bring_in, minji.programme, *rows) for rows in (there, back)]):
        assert found == Tally(rows=20, applied=20)
