"""What a point is worth: dated, recorded, and in every figure of the past what it was then."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ledger import point_values
from ledger.errors import BadInput
from ledger.liabilities import liability
from ledger.models import BEGINNING, PointValue, Programme
from tests import builders
from tests.builders import LONG_AGO, NOW, STAFF, days, grant
from tests.looking import nothing_changes

pytestmark = pytest.mark.django_db


def record(programme: Programme, value: str, **more: object) -> PointValue:
    given: dict = {"currency": "KRW", "now": NOW, "by": STAFF} | more
    return point_values.record(programme=programme, value=Decimal(value), **given)


def money(programme: Programme, *, at, known_at=None) -> list[tuple[Decimal, str]]:
    return [(row.money, row.currency) for row in liability(programme, at=at, known_at=known_at)]


def test_a_later_value_leaves_the_money_of_every_earlier_instant_as_it_was(moa, minji):
    grant(minji, 100, now=NOW - days(20))
    at, known_at = NOW - days(10), NOW - days(5)
    assert money(moa, at=at) == money(moa, at=at, known_at=known_at) == [(Decimal(100), "KRW")]

    record(moa, "0.5", currency="EUR", since=NOW + days(30))
    assert money(moa, at=at) == money(moa, at=at, known_at=known_at) == [(Decimal(100), "KRW")]
    just_before = NOW + days(30) - timedelta(microseconds=1)
    assert money(moa, at=just_before) == [(Decimal(100), "KRW")]
    assert money(moa, at=NOW + days(30)) == [(Decimal(50), "EUR")]
    # Whoever asks what was believed before it was recorded gets what was believed then.
    assert money(moa, at=NOW + days(30), known_at=NOW - timedelta(microseconds=1)) == [(Decimal(100), "KRW")]
    assert money(moa, at=NOW + days(30), known_at=NOW) == [(Decimal(50), "EUR")]


def test_of_two_values_that_begin_together_the_one_recorded_later_counts(moa, minji):
    grant(minji, 10)
    record(moa, "3", since=NOW + days(5))
    record(moa, "4", since=NOW + days(9), now=NOW + days(1))
    record(moa, "2", since=NOW + days(5), now=NOW + days(2))
    assert money(moa, at=NOW + days(5)) == [(Decimal(20), "KRW")]
    assert money(moa, at=NOW + days(5), known_at=NOW + days(1)) == [(Decimal(30), "KRW")]
    assert money(moa, at=NOW + days(9)) == [(Decimal(40), "KRW")]


def test_money_is_exact(moa, minji):
    grant(minji, 3)
    record(moa, "0.100001", since=NOW)
    assert money(moa, at=NOW) == [(Decimal("0.300003"), "KRW")]


def test_the_first_value_counts_for_all_times(moa):
    assert point_values.value_at(moa, at=BEGINNING - days(1)).value == 1
    assert point_values.value_at(moa, at=NOW, known_at=LONG_AGO).value == 1


def test_without_a_day_it_counts_from_now_on(moa, minji):
    grant(minji, 1)
    assert record(moa, "2").since == NOW
    assert point_values.value_at(moa, at=NOW - timedelta(microseconds=1)).value == 1


def test_a_value_never_reaches_back_once_anything_is_on_record(moa, minji):
    early = record(moa, "7", since=LONG_AGO)  # nothing was granted yet: nothing was reported
    assert point_values.value_at(moa, at=NOW) == early
    grant(minji, 1)
    with nothing_changes(), pytest.raises(BadInput, match="counts from now on, never back") as refusal:
        record(moa, "2", since=NOW - timedelta(microseconds=1))
    assert refusal.value.field == "since"
    assert record(moa, "2", since=NOW).value == 2


def test_the_entries_of_another_programme_are_none_of_its_own(moa, minji):
    grant(minji, 1)
    assert record(builders.byeol(), "2", since=LONG_AGO).value == 2


@pytest.mark.parametrize(
    ("field", "value", "more"),
    [
        ("value", "-1", {}),
        ("value", "0.0000001", {}),
        ("currency", "1", {"currency": "won"}),
        ("since", "1", {"since": NOW.replace(tzinfo=None)}),
        ("since", "1", {"since": NOW + days(40_000)}),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(moa, field, value, more):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        record(moa, value, **more)
    assert refusal.value.field == field
    assert moa.point_values.count() == 1
