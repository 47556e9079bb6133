"""Reading what the facts add up to: never a number that is kept beside them, and streamed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.recounting import Moment, on_record, one_snapshot, read_account, read_closing, read_holds, read_programme
from ledger.rules import rules_of
from tests import builders
from tests.builders import NOW, days, grant, redeem

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


def test_facts_are_sums_up_to_the_moment(moa, minji):
    rules = rules_of(moa.pk)
    grant(minji, 100)
    redeem(minji, 30, now=NOW + days(1))
    builders.clawback(minji, 90, now=NOW + days(2))
    assert read_account(minji.pk, Moment(NOW - TICK), rules) is None
    first, second, third = (read_account(minji.pk, Moment(NOW + days(n)), rules) for n in range(3))
    assert first
    assert second
    assert third
    assert [[lot.lot.remaining for lot in facts.lots] for facts in (first, second, third)] == [[100], [70], []]
    assert [facts.debt for facts in (first, second, third)] == [0, 0, 20]
    assert (first.seq, third.seq, third.active_at) == (1, 3, NOW + days(1))
    with_empty = read_account(minji.pk, Moment(NOW + days(2)), rules, with_empty_lots=True)
    assert with_empty
    assert [lot.lot.remaining for lot in with_empty.lots] == [0]


def test_holds_and_closures_are_those_that_nothing_on_record_ended(moa, minji):
    grant(minji, 50, expires_at=NOW + days(300))
    grant(minji, 50)
    builders.hold(minji, 60, lapses_at=NOW + days(9))
    builders.close(minji, now=NOW + days(1))
    rules = rules_of(moa.pk)
    facts = read_account(minji.pk, Moment(NOW + days(1)), rules, with_empty_lots=True)
    assert facts
    assert (facts.on_hold, facts.has_lapsed, facts.ended) == (60, False, False)
    (hold,) = read_holds(minji.pk, Moment(NOW), [lot.lot for lot in facts.lots])
    assert (hold.key, hold.lapses_at, [part.points for part in hold.slices]) == ("hold", NOW + days(9), [50, 10])
    assert read_closing(minji.pk, Moment(NOW)) is None
    closing = read_closing(minji.pk, Moment(NOW + days(1)))
    assert closing
    assert (closing.points, closing.closes_at) == (40, facts.closes_at)
    builders.release(minji, now=NOW + days(2))
    assert read_holds(minji.pk, Moment(NOW + days(2)), []) == []
    lapsed = read_account(minji.pk, Moment(NOW + days(9), known_at=NOW), rules)
    assert lapsed
    assert lapsed.has_lapsed


def test_a_programme_is_streamed_in_the_order_of_its_accounts(moa, minji):
    jun = builders.jun(moa)
    for account in (jun, minji):
        grant(account, 5)
    with one_snapshot():
        found = list(read_programme(moa.pk, Moment(NOW), rules_of(moa.pk)))
    assert [(facts.account_id, len(facts.lots)) for facts in found] == sorted([(minji.pk, 1), (jun.pk, 1)])


def test_no_number_that_is_kept_beside_the_facts_is_read(moa, minji, django_assert_num_queries):
    """One statement; and the words of the projections do not stand in it."""
    grant(minji, 5)
    rules = rules_of(moa.pk)
    with django_assert_num_queries(1) as seen:
        read_account(minji.pk, Moment(NOW), rules)
    sql = seen.captured_queries[0]["sql"]
    for column in (
        "remaining",
        "balance",
        ".gated",
        ".open",
        "moved_untold",
        "a.debt",
        "a.seq",
        "a.active_at",
        "a.closed",
    ):
        assert column not in sql
    assert "l.expires_at" not in sql
    assert "l.spendable_at" not in sql


def test_without_known_at_all_that_is_on_record_counts(moa, minji):
    grant(minji, 5, now=NOW + days(9), effective_at=NOW)
    rules = rules_of(moa.pk)
    assert read_account(minji.pk, Moment(NOW), rules)
    assert read_account(minji.pk, Moment(NOW, NOW + days(9) - TICK), rules) is None
    assert "recorded_at" in on_record("e")
