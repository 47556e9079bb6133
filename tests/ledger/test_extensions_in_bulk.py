"""Previewing and doing one extension of many lots, as the admin's action does."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from ledger import extensions
from ledger.errors import BadInput, EarlierDate, LotNotLive, PastExpiry
from ledger.models import Entry, Lot
from ledger.policies import last_day
from tests.builders import NOW, SEOUL, STAFF, byeol, days, grant, jun, lot_of, minji, moa, redeem
from tests.looking import entries, nothing_changes

UNTIL = date(2026, 6, 30)


def extend_many(lots: list[Lot], until: date = UNTIL, key: str = "admin:t", reason: str = "our app was down"):
    ids = [lot.pk for lot in lots]
    return extensions.extend_many(lots=ids, until=until, now=NOW, key=key, by=STAFF, reason=reason)


def last_days(*lots: Lot) -> list[date]:
    return [last_day(lot.expires_at, SEOUL) for lot in Lot.objects.filter(pk__in=[x.pk for x in lots])]  # type: ignore[arg-type]


@pytest.fixture
def cast(moa):
    """Two lots of Minji's, one of Jun's: all through 31 March 2026."""
    hers, his = minji(moa), jun(moa)
    return hers, his, [lot_of(grant(hers, 100)), lot_of(grant(hers, 50)), lot_of(grant(his, 7))]


def test_one_act_for_each_account(cast):
    hers, his, lots = cast
    done = extend_many(lots)

    assert (done.lots, done.accounts, done.replayed, done.refused) == (3, 2, False, [])
    assert last_days(*lots) == [UNTIL] * 3
    assert entries(hers) == [("grant", 100), ("grant", 50), ("extend", 0)]
    assert entries(his) == [("grant", 7), ("extend", 0)]
    made = Entry.objects.filter(kind="extend").order_by("pk").values_list("key", "actor", "reason")
    assert list(made) == [
        (f"admin:t:{hers.pk}", "staff:1", "our app was down"),
        (f"admin:t:{his.pk}", "staff:1", "our app was down"),
    ]


def test_the_same_call_again_is_a_replay(cast):
    _, _, lots = cast
    extend_many(lots)
    with nothing_changes():
        done = extend_many(lots)

    assert (done.lots, done.accounts, done.replayed, done.refused) == (3, 2, True, [])


def test_the_same_key_with_other_values_is_refused(cast):
    _, _, lots = cast
    extend_many(lots)
    with nothing_changes():
        done = extend_many(lots, until=date(2026, 12, 31))

    assert (done.lots, done.accounts, [error.code for _, error in done.refused]) == (0, 0, ["key_reused"] * 2)


def test_what_one_account_is_refused_stops_no_other(cast):
    hers, _his, lots = cast
    redeem(hers, 100)  # the first lot is used up
    done = extend_many(lots)

    assert (done.lots, done.accounts) == (1, 1)
    [(account, why)] = done.refused
    assert (account, type(why)) == (hers.pk, LotNotLive)
    assert last_days(*lots) == [date(2026, 3, 31), date(2026, 3, 31), UNTIL]


def test_each_programme_goes_by_its_own_zone(cast):
    london = grant(minji(moa("thames", zone="Europe/London")), 5)
    _, _, [lot, *_] = cast
    extend_many([lot, lot_of(london)])

    assert Lot.objects.get(pk=lot.pk).expires_at == datetime(2026, 7, 1, tzinfo=SEOUL)
    moved = lot_of(london).expires_at
    assert moved is not None
    assert moved.isoformat() == "2026-06-30T23:00:00+00:00"


@pytest.mark.parametrize(
    ("until", "reason", "error", "field"),
    [
        (date(2025, 3, 9), "why", PastExpiry, "until"),
        (date(9999, 12, 31), "why", BadInput, "until"),
        (UNTIL, " ", BadInput, "reason"),
        (UNTIL, "x" * 501, BadInput, "reason"),
    ],
)
def test_bad_input_writes_nothing(cast, until: date, reason: str, error: type[BadInput], field: str):
    _, _, lots = cast
    with nothing_changes(), pytest.raises(error) as refusal:
        extend_many(lots, until=until, reason=reason)
    assert refusal.value.field == field


def test_no_lots_unknown_lots_and_too_many_are_refused(cast, monkeypatch):
    _, _, lots = cast
    monkeypatch.setattr(extensions, "MOST_LOTS", 2)
    with nothing_changes():
        with pytest.raises(BadInput, match="at least one lot"):
            extend_many([])
        with pytest.raises(BadInput, match="At most 2 lots"):
            extend_many(lots)
        with pytest.raises(LotNotLive):
            extensions.extend_many(lots=[0], until=UNTIL, now=NOW, key="k", by=STAFF, reason="why")


def test_the_preview_says_what_would_move_and_why_not(cast):
    hers, _, [first, second, his] = cast
    redeem(hers, 100)
    undated = lot_of(grant(minji(moa("forever", model="never", count=0)), 9))
    later = lot_of(grant(hers, 3, expires_at=datetime(2027, 1, 1, tzinfo=SEOUL)))
    lots = [first.pk, second.pk, his.pk, undated.pk, later.pk]
    with nothing_changes():
        planned = {plan.lot.pk: plan for plan in extensions.preview(lots=lots, until=UNTIL, now=NOW)}

    assert {pk: (plan.was, type(plan.refusal)) for pk, plan in planned.items()} == {
        first.pk: (date(2026, 3, 31), LotNotLive),
        second.pk: (date(2026, 3, 31), type(None)),
        his.pk: (date(2026, 3, 31), type(None)),
        undated.pk: (None, EarlierDate),
        later.pk: (date(2026, 12, 31), EarlierDate),
    }


def test_what_the_preview_promises_the_act_does(cast):
    _, _, lots = cast
    movable = [plan.lot for plan in extensions.preview(lots=[lot.pk for lot in lots], until=UNTIL, now=NOW)]

    assert extend_many(movable).lots == 3


def test_a_lot_past_its_day_that_waits_for_a_notice_can_be_extended(db):
    lot = lot_of(grant(minji(byeol()), 5, now=NOW - days(400)))
    [plan] = extensions.preview(lots=[lot.pk], until=UNTIL, now=NOW)

    assert (plan.was, plan.refusal) == (date(2025, 2, 28), None)
    assert extend_many([lot]).lots == 1


@pytest.mark.parametrize(("until", "error"), [(date(2025, 3, 9), PastExpiry), (date(9999, 12, 31), BadInput)])
def test_the_preview_refuses_what_no_lot_could_do(cast, until: date, error: type[BadInput]):
    _, _, lots = cast
    with pytest.raises(error):
        extensions.preview(lots=[lot.pk for lot in lots], until=until, now=NOW)
