"""Reading what the facts add up to: never a number that is kept beside them, and streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.models import Lot
from ledger.policies import Model, Rounding, Unit
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


@pytest.fixture
def idle():
    """Minji under an inactivity policy, with ten lots."""
    minji = builders.minji(builders.moa(model=Model.INACTIVITY, count=100, unit=Unit.DAYS, rounding=Rounding.NONE))
    for n in range(10):
        grant(minji, 5, now=NOW + timedelta(hours=n))
    return minji


def test_each_lot_was_dated_with_the_extensions_before_its_last_activity(idle):
    """What came back to an empty lot was dated anew then; the others at the account's last activity."""
    first, second, *_ = Lot.objects.filter(account=idle).order_by("seq")
    redeem(idle, 5, key="r", now=NOW + days(1))  # the first lot is empty
    for day, until in ((2, date(2025, 8, 31)), (3, date(2025, 9, 30)), (5, date(2025, 12, 31))):
        builders.extend(idle, [second.pk], until, now=NOW + days(day))
        if day == 3:
            builders.refund(idle, 5, "r", now=NOW + days(4))
    rules = rules_of(idle.programme_id)
    august, september, december = (
        datetime(2025, month, day, 15, tzinfo=UTC) for month, day in ((8, 31), (9, 30), (12, 31))
    )

    def told(day: float) -> tuple:
        facts = read_account(idle.pk, Moment(NOW + days(day)), rules)
        assert facts
        kept = {lot.not_before for lot in facts.lots if lot.lot.id != first.pk}
        return facts.not_before, kept, [lot.not_before for lot in facts.lots if lot.lot.id == first.pk]

    assert told(1) == (None, {None}, [])
    assert told(2) == (august, {None}, [])
    assert told(3) == (september, {None}, [])
    assert told(4) == (september, {None}, [september])
    assert told(5) == (december, {None}, [september])
    grant(idle, 1, now=NOW + days(6))
    assert told(6) == (december, {december}, [december])


def nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def test_the_extensions_of_an_account_are_read_once_and_not_once_for_each_lot(idle):
    """Else the time grows with the square of a history: it took minutes for twenty thousand entries."""
    builders.extend(idle, [Lot.objects.filter(account=idle).values_list("pk", flat=True)[0]], date(2025, 8, 31))
    with CaptureQueriesContext(connection) as seen:
        facts = read_account(idle.pk, Moment(NOW + days(1)), rules_of(idle.programme_id))
    assert facts
    assert len(facts.lots) == 10
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {seen.captured_queries[-1]['sql']}")
        (plan,) = cursor.fetchone()
    (found,) = json.loads(plan) if isinstance(plan, str) else plan
    windows = [
        node for node in nodes(found["Plan"]) if node["Node Type"] == "WindowAgg" and "'extend'" in json.dumps(node)
    ]
    assert [node["Actual Loops"] for node in windows] == [1]  # however the rows below it are found
