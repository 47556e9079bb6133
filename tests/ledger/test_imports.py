"""Bringing a feed in: once, again, stopped half-way, and with rows that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from ledger import imports
from ledger.audit import audit
from ledger.feed import Feed
from ledger.imports import Import, Rejected, Tally
from ledger.kinds import Kind
from ledger.management.feeds import open_feed
from ledger.models import Account, Entry, Lot, Member, Programme
from ledger.policies import Rounding
from tests import builders
from tests.feeds import a_return, feed_file, purchase, redemption

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db: None) -> Programme:
    return builders.moa("shop", zone="Europe/London", count=3, rounding=Rounding.MONTH)


def bring_in(path: Path, programme: Programme, *, only_look: bool = False) -> tuple[Tally, list[Rejected]]:
    rejected: list[Rejected] = []
    work = Import(programme, timezone.now(), rejected.append)
    with open_feed(path) as file:
        feed = Feed(file, programme.tz)
        for _ in work.look(feed) if only_look else work.run(feed):
            pass
    return work.tally, rejected


def story_of(reference: str) -> list[tuple]:
    entries = Entry.objects.filter(account__member__reference=reference).order_by("seq")
    return [(e.kind, e.amount, e.debt_delta, e.balance_after, e.debt_after) for e in entries]


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    return feed_file(
        tmp_path / "feed.csv",
        purchase("2010-12-01 08:00:00", "1", "anne", "100.90"),
        redemption("2010-12-01 09:00:00", "2", "anne", "40"),
        a_return("2010-12-02 09:00:00", "3", "anne", "100.90", "1"),
        purchase("2010-12-03 09:00:00", "4", "anne", "50.00"),
        purchase("2010-12-03 10:00:00", "5", "ben", "0.42"),
        redemption("2010-12-03 11:00:00", "6", "cat", "1"),
        a_return("2010-12-03 12:00:00", "7", "dan", "3.99"),
    )


def test_rows_become_grants_redemptions_returns_notes_and_declines(feed, shop):
    tally, rejected = bring_in(feed, shop)
    assert (tally.rows, tally.applied, tally.already_there, tally.declined, tally.rejected) == (7, 7, 0, 1, 0)
    assert rejected == []
    assert story_of("anne") == [
        (Kind.GRANT, 100, 0, 100, 0),
        (Kind.REDEEM, -40, 0, 60, 0),
        (Kind.CLAWBACK, -100, 40, 0, 40),
        (Kind.GRANT, 50, 0, 50, 40),
        (Kind.SETTLE, 0, -40, 10, 0),
    ]
    assert story_of("ben") == [(Kind.NOTE, 0, 0, 0, 0)]
    assert story_of("cat") == [(Kind.DECLINE, 0, 0, 0, 0)]
    assert story_of("dan") == [(Kind.CLAWBACK, -3, 3, 0, 3)]
    assert list(audit(programme_id=shop.pk)) == []


def test_a_purchase_lives_three_months_to_the_end_of_the_month(feed, shop):
    bring_in(feed, shop)
    lot = Lot.objects.get(account__member__reference="anne", open=True)
    assert lot.expires_at is not None
    assert lot.expires_at.isoformat() == "2011-03-31T23:00:00+00:00"  # 1 April 2011, 00:00 in London


def test_a_second_run_changes_nothing_and_says_so(feed, shop):
    bring_in(feed, shop)
    before = list(Entry.objects.order_by("pk").values())
    tally, rejected = bring_in(feed, shop)
    assert (tally.applied, tally.already_there, tally.declined, rejected) == (0, 7, 1, [])
    assert list(Entry.objects.order_by("pk").values()) == before


def test_an_import_that_was_stopped_goes_on_where_it_stopped(feed, shop, monkeypatch):
    monkeypatch.setattr(imports, "CHUNK", 2)
    work = Import(shop, timezone.now(), lambda rejected: pytest.fail(str(rejected)))
    with open_feed(feed) as file:
        steps = work.run(Feed(file, shop.tz))
        assert [next(steps), next(steps)] == [2, 2]
    assert Entry.objects.filter(key__isnull=False).count() == 4
    tally, _ = bring_in(feed, shop)
    assert (tally.applied, tally.already_there) == (3, 4)
    assert Entry.objects.filter(key__isnull=False).count() == 7


def test_looking_counts_what_would_happen_and_writes_nothing(feed, shop):
    tally, rejected = bring_in(feed, shop, only_look=True)
    assert (tally.applied, tally.already_there, tally.rejected, rejected) == (7, 0, 0, [])
    assert Entry.objects.count() == Member.objects.count() == 0
    bring_in(feed, shop)
    tally, rejected = bring_in(feed, shop, only_look=True)
    assert (tally.applied, tally.already_there, rejected) == (0, 7, [])


@pytest.mark.parametrize("only_look", [False, True])
def test_a_known_id_with_another_content_is_rejected_alone(feed, shop, tmp_path, only_look):
    bring_in(feed, shop)
    entries = Entry.objects.count()
    again = feed_file(
        tmp_path / "again.csv",
        purchase("2010-12-01 08:00:00", "1", "anne", "999.00"),
        purchase("2010-12-01 08:00:00", "4", "eve", "50.00"),
    )
    tally, rejected = bring_in(again, shop, only_look=only_look)
    assert (tally.applied, tally.rejected) == (0, 2)
    assert [(r.line, r.reason) for r in rejected] == [
        (2, "event_id: this event is known with another content"),
        (3, "event_id: this event is known with another content"),
    ]
    assert rejected[0].fields[1] == "1"
    assert Entry.objects.count() == entries
    assert not Member.objects.filter(reference="eve").exists()


def test_the_same_id_twice_in_one_file_counts_once_when_it_says_the_same(shop, tmp_path):
    row = purchase("2010-12-01 08:00:00", "1", "anne", "10.00")
    path = feed_file(tmp_path / "f.csv", row, row, row | {"amount_gbp": "11.00"})
    tally, rejected = bring_in(path, shop)
    assert (tally.applied, tally.already_there, tally.rejected) == (1, 1, 1)
    assert story_of("anne") == [(Kind.GRANT, 10, 0, 10, 0)]
    assert [r.line for r in rejected] == [4]


def test_a_row_after_the_real_clock_is_rejected_and_opens_no_account(shop, tmp_path):
    path = feed_file(tmp_path / "f.csv", purchase("2999-12-01 08:00:00", "1", "anne", "10.00"))
    tally, rejected = bring_in(path, shop)
    assert (tally.applied, tally.rejected) == (0, 1)
    assert rejected[0].reason == "occurred_at: the row is dated after the real clock"
    assert Member.objects.count() == Account.objects.count() == 0


def test_a_return_of_more_than_the_purchase_takes_what_the_purchase_gave(shop, tmp_path):
    path = feed_file(
        tmp_path / "f.csv",
        purchase("2010-12-01 08:00:00", "1", "anne", "10.00"),
        purchase("2010-12-01 09:00:00", "2", "anne", "10.00"),
        a_return("2010-12-02 08:00:00", "3", "anne", "15.00", "1"),
        a_return("2010-12-02 09:00:00", "4", "anne", "5.00", "1"),
        a_return("2010-12-02 10:00:00", "5", "anne", "5.00", "no-such-purchase"),
    )
    bring_in(path, shop)
    assert story_of("anne") == [
        (Kind.GRANT, 10, 0, 10, 0),
        (Kind.GRANT, 10, 0, 20, 0),
        (Kind.CLAWBACK, -10, 0, 10, 0),
        (Kind.NOTE, 0, 0, 10, 0),  # the cap is used up: nothing changes
        (Kind.CLAWBACK, -5, 0, 5, 0),  # an unknown original counts as none: no cap
    ]


def test_the_original_of_another_customer_counts_as_none(shop, tmp_path):
    path = feed_file(
        tmp_path / "f.csv",
        purchase("2010-12-01 08:00:00", "1", "anne", "10.00"),
        a_return("2010-12-02 08:00:00", "2", "ben", "4.00", "1"),
    )
    bring_in(path, shop)
    assert story_of("anne") == [(Kind.GRANT, 10, 0, 10, 0)]
    assert story_of("ben") == [(Kind.CLAWBACK, -4, 4, 0, 4)]


def test_a_programme_without_a_policy_at_that_time_rejects_the_purchase(tmp_path):
    late = builders.moa("late", effective_from=builders.NOW)
    path = feed_file(tmp_path / "f.csv", purchase("2010-12-01 08:00:00", "1", "anne", "10.00"))
    tally, rejected = bring_in(path, late)
    assert (tally.applied, [r.reason for r in rejected]) == (
        0,
        ["policy: The programme has no policy in force at that moment."],
    )
    assert Member.objects.count() == 0
