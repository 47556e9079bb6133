"""How an account stood, decided from facts alone: no database here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ledger.allocation import LotState, Slice
from ledger.drafts import Closing, HoldState
from ledger.kinds import Kind
from ledger.policies import Model, Rounding, Rules, Terms, Unit
from ledger.standing import AccountFacts, Balance, LotFacts, Unwritten, is_due, lot_at, open_book, run_on, standing
from ledger.undoing import NoticeFacts
from tests.builders import LONG_AGO, NOW, SEOUL, days

ROLLING, IDLE = 1, 2
RULES = Rules(
    SEOUL,
    [
        (LONG_AGO, "", Terms(ROLLING, SEOUL, Model.ROLLING, 12, notice_days=30)),
        (LONG_AGO, "promotion", Terms(IDLE, SEOUL, Model.INACTIVITY, 30, Unit.DAYS, Rounding.NONE)),
    ],
)
TICK = timedelta(microseconds=1)


def a_lot(points: int, ends: datetime | None, *, seq: int = 1, policy: int = ROLLING, duty: int = 0) -> LotState:
    return LotState(
        seq=seq,
        number=0,
        family_seq=seq,
        policy_id=policy,
        origin="purchase",
        granted=points,
        remaining=points,
        spendable_at=NOW,
        expires_at=ends,
        notice_days=duty,
        first_spendable_at=NOW,
        first_expires_at=ends,
        id=seq,
    )


def of(*lots: LotState, **more: object) -> AccountFacts:
    return AccountFacts(1, 1, seq=9, lots=[LotFacts(lot) for lot in lots], **more)  # type: ignore[arg-type]


def test_a_lot_has_the_date_of_its_last_extension_or_the_one_it_was_made_with():
    ends = NOW + days(5)
    assert lot_at(LotFacts(a_lot(10, ends)), NOW, RULES).expires_at == ends
    assert lot_at(LotFacts(a_lot(10, ends), until=ends + days(3)), NOW, RULES).expires_at == ends + days(3)
    assert lot_at(LotFacts(a_lot(10, None)), NOW, RULES).expires_at is None
    assert lot_at(LotFacts(a_lot(10, ends), spendable_until=NOW + days(2)), NOW, RULES).spendable_at == NOW + days(2)


def test_by_inactivity_it_is_the_latest_of_activity_not_before_and_its_own():
    def date_of(active: int, first: int, not_before: int | None = None, until: int | None = None) -> timedelta:
        facts = LotFacts(
            a_lot(10, NOW + days(first), policy=IDLE),
            until=NOW + days(until) if until else None,
            not_before=NOW + days(not_before) if not_before else None,
        )
        ends = lot_at(facts, NOW + days(active), RULES).expires_at
        assert ends is not None
        return ends - NOW

    assert date_of(active=0, first=30) == days(30)
    assert date_of(active=4, first=30) == days(34)
    assert date_of(active=0, first=40) == days(40)
    assert date_of(active=4, first=30, not_before=60) == days(60)
    assert date_of(active=4, first=30, until=50) == days(50)


def test_a_lot_under_a_duty_is_gated_until_a_good_notice_of_its_date():
    ends = datetime(2025, 5, 31, 15, tzinfo=UTC)
    told = NoticeFacts(4, ends, date(2025, 5, 31), date(2025, 4, 20), "email", "", {(1, 0)})
    lot = a_lot(10, ends, duty=30)
    assert lot_at(LotFacts(lot), NOW, RULES).gated
    assert not lot_at(LotFacts(lot, notices=[told]), NOW, RULES).gated
    assert lot_at(LotFacts(lot, until=ends + days(9), notices=[told]), NOW, RULES).gated
    assert not lot_at(LotFacts(a_lot(10, ends), notices=[]), NOW, RULES).gated


def test_what_is_past_its_date_is_neither_live_nor_forgotten():
    lots = [a_lot(10, NOW + days(5)), a_lot(7, None, seq=2)]
    before = standing(of(*lots), RULES, NOW + days(5) - TICK)
    assert (before.balance(), list(before.unwritten())) == (Balance(17, 0, 17, 0), [])
    after = standing(of(*lots, on_hold=3), RULES, NOW + days(5))
    assert after.balance() == Balance(7, 0, 7, 0, on_hold=3)
    assert [lot.seq for lot in after.live()] == [2]
    assert list(after.unwritten()) == [Unwritten(Kind.EXPIRE, NOW + days(5), -10, [(lots[0], -10)])]


def test_in_debt_there_is_nothing_to_spend():
    assert standing(of(a_lot(10, None), debt=4), RULES, NOW).balance() == Balance(0, 0, 10, 4)


def test_promised_points_are_live():
    lot = a_lot(10, None)
    lot.spendable_at = NOW + days(1)
    assert standing(of(lot), RULES, NOW).balance() == Balance(0, 10, 10, 0)
    assert standing(of(lot), RULES, NOW + days(1)).balance() == Balance(10, 0, 10, 0)


def test_more_is_due_where_a_hold_lapsed_or_a_closure_took_effect_and_nobody_wrote_it():
    assert not is_due(of(), NOW)
    assert is_due(of(has_lapsed=True), NOW)
    assert not is_due(of(closes_at=NOW), NOW - TICK)
    assert is_due(of(closes_at=NOW), NOW)
    assert not is_due(of(closes_at=NOW, ended=True), NOW)
    assert [standing(of(closes_at=NOW), RULES, NOW + n * TICK).closed for n in (-1, 0)] == [False, True]


def test_the_clock_goes_on_event_by_event():
    """20 of a spent lot come back at the lapse for thirty days; then the account closes on what is left."""
    spent, left = a_lot(20, NOW + days(5)), a_lot(7, None, seq=2)
    spent.remaining = 0
    hold = HoldState(3, "hold", NOW + days(6), [Slice(spent, 20)])
    closing = Closing(4, NOW + days(8), 7)
    book = open_book(of(spent, left, on_hold=20, closes_at=NOW + days(8)), RULES, NOW, [hold], closing)
    assert run_on(book, NOW + days(5)).balance() == Balance(7, 0, 7, 0, 20)
    lapsed = run_on(book, NOW + days(6))
    assert lapsed.balance() == Balance(27, 0, 27, 0, 0)
    assert [(what.kind, what.amount) for what in lapsed.unwritten()] == [(Kind.RELEASE, 20)]
    over = run_on(book, NOW + days(9))
    assert (over.balance(), over.closed) == (Balance(0, 0, 0, 0, 0), True)
    assert [(what.kind, what.effective_at) for what in over.unwritten()][1:] == [(Kind.FORFEIT, NOW + days(8))]
