"""Returns: each takes back what its purchase gave for that money, at the rate at which it gave it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from ledger.audit import audit
from ledger.feed import Feed
from ledger.imports import Import, Rejected
from ledger.kinds import Kind
from ledger.management.feeds import open_feed
from ledger.models import Entry, Programme
from ledger.policies import Rounding
from ledger.returns import Purchase, reason_of_purchase, reason_of_return
from tests import builders
from tests.feeds import a_return, feed_file, purchase, redemption

pytestmark = pytest.mark.django_db

Row = dict[str, str]


@pytest.fixture
def shop(db: None) -> Programme:
    return builders.moa("shop", zone="Europe/London", count=3, rounding=Rounding.MONTH)


@pytest.fixture
def feed(tmp_path: Path, shop: Programme):
    """Bring rows in, as one file; `rate` sets the programme's earn rate before."""

    def bring_in(*rows: Row, rate: str = "") -> list[Rejected]:
        if rate:
            shop.earn_rate = Decimal(rate)
            shop.save()
        rejected: list[Rejected] = []
        with open_feed(feed_file(tmp_path / "feed.csv", *rows)) as file:
            for _ in Import(shop, timezone.now(), rejected.append).run(Feed(file, shop.tz)):
                pass
        return rejected

    return bring_in


def bought(amount: str, event: str = "1") -> Row:
    return purchase("2010-12-01 08:00:00", event, "anne", amount)


def came_back(amount: str, event: str, original: str = "1") -> Row:
    return a_return(f"2010-12-02 08:00:{int(event):02}", event, "anne", amount, original)


def story() -> list[tuple[str, int]]:
    return [(entry.kind, entry.amount) for entry in Entry.objects.order_by("seq")]


def in_order() -> None:
    assert list(audit()) == []


@pytest.mark.parametrize("rate", ["2", "0.5", "0"])
def test_a_rate_that_was_changed_since_changes_no_return(feed, rate):
    feed(bought("100.00"))
    feed(came_back("50.00", "2"), rate=rate)
    assert story() == [(Kind.GRANT, 100), (Kind.CLAWBACK, -50)]
    feed(came_back("50.00", "3"))
    assert story()[2:] == [(Kind.CLAWBACK, -50)]
    in_order()


def test_a_whole_return_takes_exactly_all_whatever_the_rate_is_now(feed):
    feed(bought("33.33"), rate="1.5")
    feed(came_back("33.33", "2"), rate="7")
    assert story() == [(Kind.GRANT, 49), (Kind.CLAWBACK, -49)]
    assert Entry.objects.get(kind=Kind.CLAWBACK).asked == 49


@pytest.mark.parametrize("together", [True, False])
def test_parts_are_rounded_down_as_the_purchase_was_and_the_last_takes_the_rest(feed, together):
    parts = [came_back("3.40", "2"), came_back("3.40", "3"), came_back("3.20", "4"), came_back("1.00", "5")]
    if together:
        feed(bought("10.00"), *parts, rate="1")
    else:
        feed(bought("10.00"))
        for part in parts:
            feed(part, rate="9")
    # 3 + 3, and the last, though it is worth 3, takes the 4 that are left; what comes on top finds nothing.
    assert story() == [
        (Kind.GRANT, 10),
        (Kind.CLAWBACK, -3),
        (Kind.CLAWBACK, -3),
        (Kind.CLAWBACK, -4),
        (Kind.NOTE, 0),
    ]
    in_order()


def test_parts_too_small_for_a_point_count_towards_the_whole(feed):
    feed(bought("2.00"), came_back("0.90", "2"), came_back("0.90", "3"))
    feed(came_back("0.20", "4"))
    assert story() == [(Kind.GRANT, 2), (Kind.NOTE, 0), (Kind.NOTE, 0), (Kind.CLAWBACK, -2)]
    in_order()


def test_a_last_part_too_small_for_a_point_takes_the_rest_all_the_same(feed):
    feed(bought("10.50"), came_back("5.25", "2"), came_back("5.25", "3"), came_back("0.50", "4"))
    assert story() == [(Kind.GRANT, 10), (Kind.CLAWBACK, -5), (Kind.CLAWBACK, -5), (Kind.NOTE, 0)]
    in_order()


def test_no_more_is_taken_than_the_purchase_gave_however_much_comes_back(feed):
    feed(bought("10.00"), bought("90.00", "2"), came_back("25.00", "3"), came_back("10.00", "4"), rate="2")
    assert story() == [(Kind.GRANT, 20), (Kind.GRANT, 180), (Kind.CLAWBACK, -20), (Kind.NOTE, 0)]
    in_order()


def test_what_a_person_took_back_of_it_is_not_taken_again(feed, shop):
    feed(bought("10.00"))
    account = Entry.objects.get().account
    at = Entry.objects.get().recorded_at
    builders.clawback(account, 4, now=at + timedelta(hours=1), undoes="feed:1", reason="a mistake")
    feed(came_back("3.00", "2"), came_back("7.00", "3"))
    assert story() == [(Kind.GRANT, 10), (Kind.CLAWBACK, -4), (Kind.CLAWBACK, -3), (Kind.CLAWBACK, -3)]
    in_order()


def test_a_purchase_that_gave_nothing_keeps_its_rate_too(feed):
    feed(bought("0.80"), rate="1")
    feed(came_back("0.80", "2"), rate="100")
    assert story() == [(Kind.NOTE, 0), (Kind.NOTE, 0)]


def test_without_a_known_purchase_todays_rate_counts(feed):
    feed(came_back("2.00", "1", original=""), came_back("2.00", "2", original="no-such"), rate="3")
    assert story() == [(Kind.CLAWBACK, -6), (Kind.CLAWBACK, -6)]


def test_a_grant_that_no_feed_made_says_no_rate(feed, shop):
    minji = builders.minji(shop)
    builders.grant(minji, 10, key="feed:1", reason="order 12.00")
    row = a_return("2025-03-11 08:00:00", "2", "minji", "3.00", "1")
    feed(row, rate="2")
    assert story() == [(Kind.GRANT, 10), (Kind.CLAWBACK, -6)]


def test_a_purchase_of_another_customer_is_none(feed):
    feed(bought("10.00"), rate="1")
    feed(a_return("2010-12-02 08:00:00", "2", "ben", "4.00", "1"), rate="2")
    assert story().count((Kind.CLAWBACK, -8)) == 1


def test_the_return_of_a_redemption_is_that_of_no_purchase(feed):
    feed(bought("10.00"), redemption("2010-12-01 09:00:00", "9", "anne", "5"), came_back("0.50", "2", original="9"))
    note = Entry.objects.get(kind=Kind.NOTE)
    assert (note.reason, note.undoes_seq) == ("a return of 0.50 is worth no point", None)
    in_order()


def test_run_again_nothing_changes_though_the_rate_did(feed):
    rows = [bought("10.00"), redemption("2010-12-01 09:00:00", "9", "anne", "5"), came_back("5.00", "2")]
    feed(*rows, rate="1")
    before = story()
    assert feed(*rows, rate="3") == []
    assert story() == before


def test_more_than_an_entry_can_hold_is_the_most(feed):
    feed(bought("10.00"), rate="900000")
    feed(came_back("999999999999.00", "2"), rate="1")
    assert story() == [(Kind.GRANT, 9_000_000), (Kind.CLAWBACK, -9_000_000)]


def test_entries_say_what_was_bought_at_which_rate_and_what_came_back(feed):
    feed(bought("10.50"), bought("0.50", "2"), came_back("4.00", "3"), came_back("0.50", "4"), rate="1.500000")
    assert list(Entry.objects.order_by("seq").values_list("reason", flat=True)) == [
        "a purchase of 10.50 at 1.5",
        "a purchase of 0.50 at 1.5 is worth no point",
        "a return of 4.00",
        "a return of 0.50 is worth no point",
    ]
    assert reason_of_purchase(Purchase(Decimal(5), Decimal("1000.000000")), 1) == "a purchase of 5 at 1000"
    assert reason_of_return(Decimal("1.00"), 0) == "a return of 1.00 is worth no point"
