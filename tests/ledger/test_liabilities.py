"""What a programme owes: by the month of expiry, in points and money."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import pytest

from ledger import point_values
from ledger.expiry import sweep_all
from ledger.kinds import Origin
from ledger.liabilities import Liability, liability
from ledger.policies import Model
from ledger.tables import write_csv
from tests import builders
from tests.builders import LONG_AGO, NOW, STAFF, days, grant, lot_of, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def spring(moa, minji):
    """A point is worth 1.5 won. Ten of the short points and all others are live; thirty of the short are on hold."""
    point_values.record(programme=moa, value=Decimal("1.5"), currency="KRW", since=LONG_AGO, now=NOW, by=STAFF)
    builders.policy(moa, origin=Origin.COMPENSATION, effective_from=NOW, model=Model.NEVER, count=0)
    grant(minji, 40, expires_at=NOW + days(20))
    grant(minji, 100)
    grant(minji, 10, origin=Origin.COMPENSATION)
    grant(builders.jun(moa), 5, spendable_at=NOW + days(5))
    builders.hold(minji, 30, lapses_at=NOW + days(9))
    return moa


def csv_of(rows: list[Liability]) -> str:
    file = StringIO()
    assert write_csv(file, Liability, rows) == len(rows)
    return file.getvalue()


def test_months_come_soonest_first_then_never_then_on_hold(spring):
    assert csv_of(liability(spring, at=NOW)) == (
        "month,points,promised,gated,money,currency\n"
        "2025-03,10,0,0,15,KRW\n"
        "2026-03,105,5,0,157.5,KRW\n"
        "never,10,0,0,15,KRW\n"
        "on hold,30,0,0,45,KRW\n"
    )


def test_it_is_what_it_was_then_whatever_came_later(spring):
    before = liability(spring, at=NOW)
    builders.redeem(builders.minji(spring), 50, now=NOW + days(3))
    sweep_all(now=NOW + days(30))
    assert liability(spring, at=NOW) == before
    # The held points came back on day 9, for thirty days: through 18 April.
    assert csv_of(liability(spring, at=NOW + days(30))) == (
        "month,points,promised,gated,money,currency\n"
        "2025-04,30,0,0,45,KRW\n"
        "2026-03,65,0,0,97.5,KRW\n"
        "never,10,0,0,15,KRW\n"
    )


def test_the_last_day_says_the_month_and_a_gated_month_can_have_passed():
    byeol = builders.byeol(count=2)
    minji = builders.minji(byeol)
    told, _ = lot_of(grant(minji, 10)), lot_of(grant(minji, 7))
    tell(minji, [told.pk], told_on=NOW.date(), now=NOW)
    gone = datetime(2025, 5, 31, 15, tzinfo=UTC)
    assert liability(byeol, at=NOW) == [Liability("2025-05", 17, 0, 7, Decimal(17), "KRW")]
    assert liability(byeol, at=gone) == [Liability("2025-05", 7, 0, 7, Decimal(7), "KRW")]


def test_nothing_is_owed_before_the_first_grant_nor_by_another_programme(spring):
    assert liability(spring, at=NOW - days(1)) == []
    assert liability(builders.moa("other"), at=NOW) == []


def test_with_known_at_it_is_what_was_believed_then(moa, minji):
    grant(minji, 5, now=NOW + days(40), effective_at=NOW)
    assert [row.points for row in liability(moa, at=NOW + days(1))] == [5]
    assert liability(moa, at=NOW + days(1), known_at=NOW + days(1)) == []
