"""A member's looks, true by the clock. The SQL predicates agree with `allocation.py` on every lot at every instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ledger import allocation, statements
from ledger.accounts import open_account
from ledger.allocation import LotState
from ledger.expiry import sweep_all
from ledger.kinds import Origin
from ledger.models import Lot
from ledger.policies import Model
from ledger.statements import Balance, Expiring, Promised
from tests import builders
from tests.builders import NOW, days, grant, lot_of, redeem, tell

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


def as_state(lot: Lot) -> LotState:
    return LotState(
        seq=lot.seq,
        number=lot.number,
        family_seq=lot.family_seq,
        policy_id=lot.policy_id,
        origin=lot.origin,
        granted=lot.granted,
        remaining=lot.remaining,
        spendable_at=lot.spendable_at,
        expires_at=lot.expires_at,
        gated=lot.gated,
        notice_days=lot.notice_days,
        id=lot.pk,
    )


@pytest.fixture
def grid(moa):
    """Lots of every sort: spent and not, with a date and without, gated, told, told too late, and extended."""
    builders.policy(moa, origin=Origin.COMPENSATION, effective_from=builders.LONG_AGO, model=Model.NEVER, count=0)
    builders.policy(moa, origin=Origin.PROMOTION, effective_from=builders.LONG_AGO, count=2, notice_days=30)
    minji, jun = builders.minji(moa), builders.jun(moa)
    for account in (minji, jun):
        early = NOW - days(40)
        late = lot_of(grant(account, 10, origin=Origin.PROMOTION, expires_at=NOW + days(20), now=early))
        grant(account, 10, origin=Origin.COMPENSATION)
        for offset in (10, 20, 20, 30):
            grant(account, 10, expires_at=NOW + days(offset))
        gated, told, moved = (lot_of(grant(account, 10, origin=Origin.PROMOTION)) for _ in range(3))
        assert gated.expires_at == datetime(2025, 5, 31, 15, tzinfo=UTC)
        tell(account, [told.pk, moved.pk], told_on=NOW.date(), now=NOW)
        builders.extend(account, [moved.pk], date(2025, 6, 30))
        tell(account, [late.pk], told_on=NOW.date(), now=NOW)
    spent = open_account(programme=moa, reference="sora")
    grant(spent, 10)
    redeem(spent, 10)
    return moa


def instants() -> list[datetime]:
    dates = [NOW, *(NOW + days(n) for n in (10, 20, 30)), datetime(2025, 5, 31, 15, tzinfo=UTC)]
    dates.append(datetime(2025, 6, 30, 15, tzinfo=UTC))
    return [at + offset for at in dates for offset in (-TICK, timedelta(0), TICK)]


@pytest.mark.parametrize("at", instants())
def test_the_predicates_in_sql_are_those_of_allocation(grid, at):
    lots = [as_state(lot) for lot in Lot.objects.all()]
    assert len(lots) == 19

    def ids(queryset):
        return set(queryset.values_list("pk", flat=True))

    assert ids(Lot.objects.all().live(at)) == {lot.id for lot in lots if allocation.is_live(lot, at)}
    assert ids(Lot.objects.all().spendable(at)) == {lot.id for lot in lots if allocation.is_spendable(lot, at)}
    overdue = {lot.id for lot in lots if lot.remaining and allocation.is_overdue(lot, at)}
    assert ids(Lot.objects.all().overdue(at)) == overdue


def test_the_grid_has_lots_of_every_sort(grid):
    at = datetime(2025, 5, 31, 15, tzinfo=UTC)
    live, overdue = Lot.objects.all().live(at), Lot.objects.all().overdue(at)
    assert live.filter(expires_at=None).exists()
    assert live.filter(expires_at__gt=at).exists()
    assert live.filter(expires_at__lte=at, gated=True).exists()
    assert overdue.exists()
    assert Lot.objects.filter(open=False).exists()
    assert not Lot.objects.all().spendable(NOW - days(40) - TICK).exists()


@pytest.mark.parametrize("at", instants()[3::4])
def test_open_lots_are_the_live_ones_in_redemption_order(grid, at):
    minji = builders.minji(grid)
    live = [as_state(lot) for lot in Lot.objects.filter(account=minji)]
    live = sorted((lot for lot in live if allocation.is_live(lot, at)), key=allocation.redemption_order)
    assert [lot.id for lot in statements.open_lots(minji, at=at)] == [lot.id for lot in live]
    assert [lot.id for lot in statements.open_lots(minji, at=at, limit=2)] == [lot.id for lot in live][:2]


def test_a_balance_counts_live_lots_by_the_clock_swept_or_not(minji):
    grant(minji, 100, expires_at=NOW + days(10))
    grant(minji, 50, expires_at=NOW + days(20))
    redeem(minji, 30)
    at = NOW + days(10)
    assert statements.balance(minji, at=at - TICK) == Balance(spendable=120, promised=0, live=120, debt=0)
    assert statements.balance(minji, at=at) == Balance(spendable=50, promised=0, live=50, debt=0)
    sweep_all(now=at)
    assert statements.balance(minji, at=at) == Balance(spendable=50, promised=0, live=50, debt=0)


def test_an_account_in_debt_has_nothing_to_spend(minji):
    grant(minji, 10)
    builders.clawback(minji, 30)
    assert statements.balance(minji, at=NOW) == Balance(spendable=0, promised=0, live=0, debt=20)


def test_an_empty_account_has_zeros(minji):
    assert statements.balance(minji, at=NOW) == Balance(0, 0, 0, 0)
    assert statements.expiring(minji, at=NOW) == []
    assert statements.undated(minji, at=NOW) == 0
    assert statements.open_lots(minji, at=NOW) == []
    assert statements.history(minji) == []


def test_what_goes_when_is_one_row_per_date_soonest_first(moa, minji):
    builders.policy(moa, origin=Origin.COMPENSATION, model=Model.NEVER, count=0)
    grant(minji, 1000, origin=Origin.COMPENSATION)
    at_noon = NOW + days(20)
    for points, date_of in ((10, at_noon), (5, NOW + days(10)), (7, at_noon)):
        grant(minji, points, expires_at=date_of)
    grant(minji, 100)
    midnight = datetime(2026, 3, 31, 15, tzinfo=UTC)
    soon = Expiring(NOW + days(10), date(2025, 3, 20), 5, 1, gated=False)
    noon = Expiring(at_noon, date(2025, 3, 30), 17, 2, gated=False)
    assert statements.expiring(minji, at=NOW) == [soon, noon, Expiring(midnight, date(2026, 3, 31), 100, 1, False)]
    assert statements.expiring(minji, at=NOW, before=at_noon) == [soon]
    assert statements.expiring(minji, at=NOW, before=at_noon + TICK) == [soon, noon]
    assert statements.expiring(minji, at=NOW + days(10), before=at_noon + TICK) == [noon]
    assert statements.undated(minji, at=NOW) == 1000
    assert [lot.granted for lot in statements.lots_expiring_at(minji, at_noon, at=NOW)] == [10, 7]


def test_a_date_of_which_the_member_was_told_says_when():
    minji = builders.minji(builders.byeol(count=2))
    lot = lot_of(grant(minji, 10))
    builders.tell(minji, [lot.pk], told_on=date(2025, 3, 20), now=NOW + days(10))
    (row,) = statements.expiring(minji, at=NOW + days(11))
    assert (row.gated, row.told_on) == (False, date(2025, 3, 20))


def test_a_gated_date_is_shown_as_such_and_stays_after_it_has_come():
    minji = builders.minji(builders.byeol(count=2))
    told, untold = lot_of(grant(minji, 10)), lot_of(grant(minji, 7))
    tell(minji, [told.pk], told_on=NOW.date(), now=NOW)
    gone = datetime(2025, 5, 31, 15, tzinfo=UTC)
    assert told.expires_at == gone
    assert statements.expiring(minji, at=NOW) == [
        Expiring(gone, date(2025, 5, 31), 17, 2, gated=True, told_on=NOW.date())
    ]
    assert statements.expiring(minji, at=gone) == [
        Expiring(gone, date(2025, 5, 31), 7, 1, gated=True, told_on=NOW.date())
    ]
    assert statements.lots_expiring_at(minji, gone, at=gone) == [untold]


def test_spent_points_go_nowhere(minji):
    grant(minji, 10, expires_at=NOW + days(10))
    redeem(minji, 4)
    assert [row.points for row in statements.expiring(minji, at=NOW)] == [6]
    redeem(minji, 6)
    assert statements.expiring(minji, at=NOW) == []


def test_looks_show_one_account_only(minji, moa):
    jun = builders.jun(moa)
    grant(jun, 10)
    assert statements.balance(minji, at=NOW).live == 0
    assert statements.expiring(minji, at=NOW) == []
    assert statements.history(minji) == []


def test_history_is_newest_first_and_goes_on_where_the_page_before_ended(minji):
    for _ in range(5):
        grant(minji, 1)
    assert [entry.seq for entry in statements.history(minji)] == [5, 4, 3, 2, 1]
    assert [entry.seq for entry in statements.history(minji, limit=2)] == [5, 4]
    assert [entry.seq for entry in statements.history(minji, limit=2, before_seq=4)] == [3, 2]
    assert [entry.seq for entry in statements.history(minji, before_seq=1)] == []


def test_history_reads_as_many_statements_for_two_entries_as_for_many(minji, django_assert_num_queries):
    grant(minji, 10)
    redeem(minji, 5)
    for _ in range(8):
        grant(minji, 1)
    for limit in (2, 10):
        with django_assert_num_queries(4):
            for entry in statements.history(minji, limit=limit):
                assert [allocation.lot.granted for allocation in entry.allocations.all()]
                assert list(entry.extensions.all()) == []


def test_points_on_hold_stand_beside_the_balance_and_come_back_by_the_clock(minji):
    grant(minji, 100)
    builders.hold(minji, 30, lapses_at=NOW + days(2))
    at = NOW + days(2)
    assert statements.balance(minji, at=at - TICK) == Balance(70, 0, 70, 0, on_hold=30)
    assert statements.balance(minji, at=at) == Balance(100, 0, 100, 0, on_hold=0)
    sweep_all(now=at)
    assert statements.balance(minji, at=at) == Balance(100, 0, 100, 0, on_hold=0)


def looked(account, at) -> dict:
    """Every look of the account at one instant."""
    return {
        "balance": statements.balance(account, at=at),
        "expiring": statements.expiring(account, at=at),
        "undated": statements.undated(account, at=at),
        "promised": statements.promised(account, at=at),
        "holds": [hold.points for hold in statements.holds(account, at=at)],
        "lots": [(lot.seq, lot.number, lot.remaining) for lot in statements.open_lots(account, at=at)],
    }


def test_every_look_gives_a_lapsed_hold_back_at_its_instant_swept_or_not(moa, minji):
    builders.policy(moa, origin=Origin.COMPENSATION, effective_from=NOW, model=Model.NEVER, count=0)
    grant(minji, 100, expires_at=NOW + days(5))
    year = lot_of(grant(minji, 20))
    grant(minji, 30, origin=Origin.COMPENSATION)
    grant(minji, 40, spendable_at=NOW + days(20))
    builders.hold(minji, 130, lapses_at=NOW + days(7))  # all of the 100, all of the 20, 10 of the 30
    builders.hold(minji, 5, key="later", lapses_at=NOW + days(50))
    end = datetime(2026, 3, 31, 15, tzinfo=UTC)
    soon, last = NOW + days(37), date(2026, 3, 31)
    promised = [Promised(NOW + days(20), 40)]
    before = {
        "balance": Balance(15, 40, 55, 0, on_hold=135),
        "expiring": [Expiring(end, last, 40, 1, gated=False, promised=40)],
        "undated": 15,
        "promised": promised,
        "holds": [130, 5],
        "lots": [(4, 0, 40), (3, 0, 15)],
    }
    at_lapse = {
        "balance": Balance(145, 40, 185, 0, on_hold=5),
        # What had ended meanwhile comes back for the floor of thirty days; the rest is where it was.
        "expiring": [
            Expiring(soon, date(2025, 4, 16), 100, 1, gated=False),
            Expiring(end, last, 60, 2, gated=False, promised=40),
        ],
        "undated": 25,
        "promised": promised,
        "holds": [5],
        "lots": [(7, 0, 100), (2, 0, 20), (4, 0, 40), (3, 0, 25)],
    }
    after = {
        "balance": Balance(85, 0, 85, 0, on_hold=5),
        "expiring": [Expiring(end, last, 60, 2, gated=False)],
        "undated": 25,
        "promised": [],
        "holds": [5],
        "lots": [(2, 0, 20), (4, 0, 40), (3, 0, 25)],
    }
    assert looked(minji, NOW + days(7) - TICK) == before
    assert looked(minji, soon) == after  # the clock gave the 100 back and ended them, and nobody wrote either
    for _ in ("never swept", "swept"):
        assert looked(minji, NOW + days(7)) == at_lapse
        assert [row.points for row in statements.expiring(minji, at=NOW + days(7), before=end)] == [100]
        assert [lot.remaining for lot in statements.open_lots(minji, at=NOW + days(7), limit=2)] == [100, 20]
        going = statements.lots_expiring_at(minji, end, at=NOW + days(7))
        assert [(lot.seq, lot.remaining, lot.open, lot.policy_id) for lot in going] == [
            (2, 20, True, year.policy_id),
            (4, 40, True, year.policy_id),
        ]
        sweep_all(now=NOW + days(7))
    sweep_all(now=soon)
    assert looked(minji, soon) == after


def test_a_gated_lot_that_a_hold_had_emptied_is_shown_past_its_date_with_what_came_back():
    minji = builders.minji(builders.byeol(count=2))
    grant(minji, 10)
    builders.hold(minji, 10, lapses_at=NOW + days(20))
    gone = datetime(2025, 5, 31, 15, tzinfo=UTC)
    for _ in ("never swept", "swept"):
        assert statements.expiring(minji, at=gone) == [Expiring(gone, date(2025, 5, 31), 10, 1, gated=True)]
        assert [(lot.remaining, lot.gated) for lot in statements.lots_expiring_at(minji, gone, at=gone)] == [(10, True)]
        sweep_all(now=gone)


def test_no_look_shows_anything_of_an_account_from_its_closure_on_swept_or_not(minji):
    grant(minji, 100)
    grant(minji, 40, spendable_at=NOW + days(20))
    builders.hold(minji, 30, lapses_at=NOW + days(99))
    builders.close(minji)
    at = datetime(2025, 3, 24, 15, tzinfo=UTC)
    assert looked(minji, at - TICK)["holds"] == [30]
    for _ in ("never swept", "swept"):
        nothing = {"expiring": [], "undated": 0, "promised": [], "holds": [], "lots": []}
        assert looked(minji, at) == {"balance": Balance(0, 0, 0, 0), **nothing}
        assert statements.lots_expiring_at(minji, datetime(2026, 3, 31, 15, tzinfo=UTC), at=at) == []
        sweep_all(now=at)


def test_an_account_that_has_closed_holds_nothing_whether_that_is_written_or_not(minji):
    grant(minji, 100)
    builders.hold(minji, 30, lapses_at=NOW + days(99))
    builders.close(minji)
    at = datetime(2025, 3, 24, 15, tzinfo=UTC)
    assert statements.balance(minji, at=at - TICK) == Balance(70, 0, 70, 0, on_hold=30)
    for _ in ("never swept", "swept"):
        assert statements.balance(minji, at=at) == Balance(0, 0, 0, 0, on_hold=0)
        sweep_all(now=at)
