"""What an account held, lot by lot."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ledger.errors import BadInput
from ledger.holdings import HeldLot, held
from ledger.kinds import Origin
from ledger.policies import Model
from tests import builders
from tests.builders import NOW, days, extend, grant, lot_of, redeem, tell

pytestmark = pytest.mark.django_db

MARCH_2026 = datetime(2026, 3, 31, 15, tzinfo=UTC)


def test_lots_come_in_redemption_order_with_the_dates_of_then(moa, minji):
    builders.policy(moa, origin=Origin.COMPENSATION, effective_from=NOW, model=Model.NEVER, count=0)
    grant(minji, 10, origin=Origin.COMPENSATION)
    grant(minji, 100)
    short = lot_of(grant(minji, 40, expires_at=NOW + days(5)))
    grant(minji, 5, spendable_at=NOW + days(3))
    redeem(minji, 30, now=NOW + days(1))
    extend(minji, [short.pk], date(2025, 6, 30), now=NOW + days(2))

    never = HeldLot("1.0", "compensation", 10, 10, 0, 0, NOW, None, None)
    long = HeldLot("2.0", "purchase", 100, 100, 0, 0, NOW, MARCH_2026, date(2026, 3, 31))
    assert held(minji, at=NOW + days(1)) == [
        HeldLot("3.0", "purchase", 40, 10, 0, 0, NOW, NOW + days(5), date(2025, 3, 15)),
        long,
        HeldLot("4.0", "purchase", 5, 5, 5, 0, NOW + days(3), MARCH_2026, date(2026, 3, 31)),
        never,
    ]
    later = held(minji, at=NOW + days(6))
    assert later[0] == HeldLot(
        "3.0", "purchase", 40, 10, 0, 0, NOW, datetime(2025, 6, 30, 15, tzinfo=UTC), date(2025, 6, 30)
    )
    assert (later[2].points, later[2].promised) == (5, 0)
    # Whoever did not know of the later date saw these points go.
    assert [row.lot for row in held(minji, at=NOW + days(6), known_at=NOW + days(1))] == ["2.0", "4.0", "1.0"]


def test_what_waits_for_a_notice_is_gated_and_stays():
    minji = builders.minji(builders.byeol(count=2))
    told, _ = lot_of(grant(minji, 10)), grant(minji, 7)
    tell(minji, [told.pk], told_on=NOW.date(), now=NOW)
    assert [(row.lot, row.points, row.gated) for row in held(minji, at=NOW)] == [("1.0", 10, 0), ("2.0", 7, 7)]
    assert [(row.lot, row.gated) for row in held(minji, at=NOW + days(90))] == [("2.0", 7)]


def test_before_anything_happened_nothing_was_held(minji):
    grant(minji, 10)
    assert held(minji, at=NOW - days(1)) == []


def test_a_time_without_a_zone_is_refused(minji):
    with pytest.raises(BadInput) as refusal:
        held(minji, at=NOW.replace(tzinfo=None))
    assert refusal.value.field == "at"
