"""The laws' model tried on cases that were worked out by hand: who checks the checker."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tests.laws.dates import LONG_AGO, SEOUL, Rule, Stage, end_of, first_date, reinstated_date, restored_date
from tests.laws.model import Model, No

NOON = datetime(2025, 3, 10, 12, tzinfo=SEOUL)  # a Monday


def seoul(month: int, day: int, hour: int = 0, year: int = 2025) -> datetime:
    return datetime(year, month, day, hour, tzinfo=SEOUL)


def days(n: float) -> datetime:
    return NOON + timedelta(days=n)


def wallet(rule: Rule | None = None, **others: Rule) -> Model:
    rules = {"": rule or Rule()} | others
    return Model(Stage(tuple((LONG_AGO, origin, rule) for origin, rule in rules.items())))


def kinds(model: Model, since: int = 0) -> list[tuple[str, int]]:
    return [(entry.kind, entry.amount) for entry in model.log[since:]]


@pytest.mark.parametrize(
    ("rule", "granted", "ends"),
    [
        (Rule("never"), NOON, None),
        (Rule(count=12, unit="months", rounding="month"), NOON, seoul(4, 1, year=2026)),
        (Rule(count=1, unit="months", rounding="day"), seoul(1, 31, 9), seoul(3, 1)),
        (Rule(count=1, unit="months"), seoul(1, 31, 9, 2024), seoul(2, 29, 9, 2024)),
        (Rule(count=1, unit="years"), seoul(2, 29, 9, 2024), seoul(2, 28, 9)),
        (Rule(count=10, duty=30, slack=3), NOON, seoul(4, 12, 12)),
        (Rule(count=2, unit="weeks", rounding="week"), NOON, seoul(3, 31)),
        (Rule(count=0, rounding="week"), seoul(3, 16, 23), seoul(3, 17)),  # a Sunday is the week's last day
        (Rule(count=0, rounding="quarter"), NOON, seoul(4, 1)),
        (Rule(count=0, rounding="half_year"), NOON, seoul(7, 1)),
        (Rule(count=0, rounding="year"), NOON, seoul(1, 1, year=2026)),
        (Rule("fixed_day", 0, fixed=(3, 31)), NOON, seoul(4, 1)),
        (Rule("fixed_day", 30, fixed=(3, 31)), NOON, seoul(4, 1, year=2026)),  # nearer than the least life
        (Rule("fixed_day", 0, fixed=(3, 10)), NOON, seoul(3, 11)),  # valid through today
        (Rule("fixed_day", 0, fixed=(3, 9)), NOON, seoul(3, 10, year=2026)),
        (Rule("fixed_day", 6, unit="months", fixed=(2, 29)), NOON, seoul(3, 1, year=2026)),
        (Rule("fixed_day", 0, fixed=(3, 15), rounding="quarter"), NOON, seoul(4, 1)),
        (Rule("fixed_day", 0, fixed=(3, 15), duty=30, slack=3), NOON, seoul(3, 16, year=2026)),
        (Rule("inactivity", 3, unit="months", rounding="month"), NOON, seoul(7, 1)),
    ],
)
def test_a_first_date_by_the_calendar(rule, granted, ends):
    assert first_date(rule, granted, granted) == ends


def test_a_promise_is_counted_from_its_day_and_the_time_to_tell_from_the_grant():
    assert first_date(Rule(count=5, duty=30, slack=3), NOON, days(7)) == days(33)
    assert first_date(Rule(count=5, duty=30, slack=3), NOON, days(40)) == days(45)


def test_restored_and_reinstated_dates():
    assert restored_date(Rule(floor=10), days(3), NOON) == days(10)
    assert restored_date(Rule(floor=10), days(12), NOON) == days(12)
    assert restored_date(Rule(floor=10, duty=30, slack=3), days(12), NOON) == days(33)
    assert reinstated_date(Rule(second_life=10, rounding="month"), NOON) == seoul(4, 1)
    assert reinstated_date(Rule(second_life=10, duty=30, slack=3), NOON) == days(33)


def test_a_refund_after_expiry_makes_points_that_live_for_the_floor_and_a_later_one_takes_the_earlier_slice():
    model = wallet(Rule(count=10, floor=5), promotion=Rule(count=20, floor=30))
    model.grant("a", 100, "purchase", NOON)
    model.grant("b", 50, "promotion", NOON)
    model.redeem("r", 120, days(1))
    refunded = model.refund(70, "r", days(11))  # 20 of b, then 50 of a: what stays is a prefix
    assert refunded.restored == [(20, days(41)), (50, days(16))]
    assert [(lot.name, lot.family, lot.left) for lot in model.lots] == [
        ((1, 0), 1, 0),
        ((2, 0), 2, 30),
        ((4, 0), 2, 20),
        ((4, 1), 1, 50),
    ]
    assert kinds(model) == [("grant", 100), ("grant", 50), ("redeem", -120), ("refund", 70)]
    with pytest.raises(No, match="MoreThanRedeemed"):
        model.refund(51, "r", days(11))
    assert model.refund(50, "r", days(12)).restored == [(50, days(17))]


def test_points_go_back_to_a_lot_that_has_exactly_the_floor_left():
    model = wallet(Rule(count=10, floor=5))
    model.grant("a", 100, "purchase", NOON)
    model.redeem("r", 100, days(1))
    assert model.refund(40, "r", days(5)).restored == [(40, days(10))]
    assert model.refund(40, "r", days(5) + timedelta(microseconds=1)).restored == [
        (40, days(10) + timedelta(microseconds=1))
    ]
    assert [lot.left for lot in model.lots] == [40, 40]


def test_a_partial_capture_keeps_the_first_points_and_its_refund_gives_back_the_last_of_those():
    model = wallet(Rule(count=40))
    model.grant("a", 30, "purchase", NOON)
    model.grant("b", 30, "purchase", days(1))
    model.hold("h", 50, days(3), days(1))
    captured = model.capture("c", "h", 35, days(2))
    assert (captured.points, captured.asked, captured.restored) == (35, 35, [(15, days(41))])
    assert kinds(model, since=3) == [("capture", 0), ("release", 15)]
    assert model.refund(10, "c", days(2)).restored == [(5, days(41)), (5, days(40))]
    with pytest.raises(No, match="HoldNotOpen"):
        model.release("h", days(2))
    with pytest.raises(No, match="NotARedemption"):
        model.refund(1, "h", days(2))


def test_a_hold_lapses_by_the_clock_while_there_is_debt_and_what_comes_back_pays_it():
    model = wallet(Rule(count=20, floor=30))
    model.grant("a", 100, "purchase", NOON)
    model.hold("h", 80, days(3), NOON)
    assert model.clawback(100, "a", days(1)).debt_added == 80
    assert model.seen(days(2)) == (0, 0, 0, 80)
    assert model.seen(days(3)) == (0, 0, 0, 0)
    model.catch_up(days(50))
    assert kinds(model, since=3) == [("release", 80), ("settle", 0)]
    assert {entry.effective for entry in model.log[3:]} == {days(3)}


def test_what_lapses_lives_for_the_floor_from_its_lapse_and_then_expires_in_the_same_catch_up():
    model = wallet(Rule(count=5, floor=4))
    model.grant("a", 100, "purchase", NOON)
    model.hold("h", 60, days(3), NOON)
    model.catch_up(days(50))
    assert [(entry.kind, entry.amount, entry.effective) for entry in model.log[2:]] == [
        ("release", 60, days(3)),
        ("expire", -40, days(5)),
        ("expire", -60, days(7)),
    ]


def test_a_clawback_takes_the_family_first_then_others_with_promised_points_last_then_makes_a_debt():
    model = wallet(Rule(count=20), promotion=Rule(count=5, spendable_after=9))
    model.grant("a", 50, "purchase", NOON)
    model.grant("b", 30, "promotion", NOON)
    model.grant("c", 20, "purchase", NOON)
    model.redeem("r", 45, NOON)
    assert model.clawback(50, "a", NOON).debt_added == 0
    assert [lot.left for lot in model.lots] == [0, 5, 0]
    assert model.clawback(60, "c", NOON).debt_added == 15
    assert model.clawback(60, "c", NOON).kind == "note"
    assert model.debt == 15


def test_what_is_written_off_counts_as_clawed_back_and_is_no_debt():
    model = wallet(Rule(beyond="write_off"))
    model.grant("a", 50, "purchase", NOON)
    model.redeem("r", 50, NOON)
    model.grant("b", 50, "purchase", NOON)
    answer = model.clawback(40, "a", NOON)
    assert (answer.points, answer.written_off, answer.debt_added, answer.available) == (0, 40, 0, 50)
    assert model.clawback(40, "a", NOON).written_off == 10
    assert model.clawback(60, None, NOON).points == 50
    assert (model.debt, model.written) == (0, 0)


def test_expired_points_come_back_once_per_family_and_pay_debt():
    model = wallet(Rule(count=5, window=10, second_life=3))
    model.grant("a", 50, "purchase", NOON)
    model.catch_up(days(6))
    with pytest.raises(No, match="TooLateToReinstate"):
        model.copy().reinstate((1, 0), days(15))
    model.clawback(20, None, days(7))
    answer = model.reinstate((1, 0), days(14))
    assert (answer.points, answer.settled, answer.restored) == (50, 20, [(50, days(17))])
    with pytest.raises(No, match="LotNotExpired"):
        model.reinstate((4, 0), days(14))
    with pytest.raises(No, match="AlreadyReinstated"):
        model.reinstate((1, 0), days(14))
    assert model.clawback(100, "a", days(14)).available == 50
    model.catch_up(days(18))
    assert model.grants["a"].cap == 0


def test_inactivity_has_one_date_that_activity_and_extensions_move():
    model = wallet(Rule("inactivity", 10, rounding="day", duty=3, slack=1))
    model.grant("a", 50, "purchase", NOON)
    model.notify("n", {(1, 0)}, seoul(3, 21), date(2025, 3, 17), days(7), channel="email")
    assert not model.gated(model.lots[0])
    model.redeem("r", 10, days(8))
    assert (model.lots[0].ends, model.gated(model.lots[0])) == (seoul(3, 29), True)
    model.grant("b", 5, "purchase", days(9), since=days(-5))  # dated back: no activity after the redemption
    assert {lot.ends for lot in model.lots} == {seoul(3, 29)}
    model.extend("x", {(4, 0)}, date(2025, 4, 20), days(9))
    assert {lot.ends for lot in model.lots} == {seoul(4, 21)} == {model.not_before}
    with pytest.raises(No, match="CannotUndo"):
        model.undo("x", days(9))
    assert model.grant("c", 5, "purchase", days(10)).seq == 6
    assert model.lots[-1].ends == seoul(4, 21)


def test_points_come_back_to_an_emptied_lot_whose_date_activity_has_moved_on_but_never_to_one_that_the_clock_ended():
    model = wallet(Rule("inactivity", 10, floor=5), promotion=Rule("never"))
    model.grant("a", 50, "purchase", NOON)
    model.redeem("r", 30, NOON)
    model.redeem("s", 20, days(9))
    assert model.refund(20, "s", days(11)).restored == [(20, days(19))]
    assert model.lots[0].ends == days(19)
    model.grant("b", 5, "promotion", days(20))
    assert model.refund(30, "r", days(20)).restored == [(30, days(30))]
    assert [lot.left for lot in model.lots] == [0, 5, 30]


def test_a_notice_is_good_on_enough_channels_in_its_days_until_it_is_withdrawn():
    rule = Rule(count=30, duty=10, slack=2, earliest=20, channels=2)
    model = wallet(rule)
    model.grant("a", 50, "purchase", NOON)
    ends = days(30)  # noon of 9 April: its last day

    def tell(key: str, on: date, channel: str) -> bool:
        model.notify(key, {(1, 0)}, ends, on, days(25), channel)
        return model.gated(model.lots[0])

    assert tell("a", date(2025, 3, 19), "email") is True  # a day too early
    assert tell("b", date(2025, 3, 20), "text") is True
    assert tell("c", date(2025, 3, 31), "email") is True  # a day too late
    assert tell("d", date(2025, 3, 30), "email") is False
    model.withdraw_notice("b", days(25))
    assert model.gated(model.lots[0])
    assert model.seen(days(40)) == (50, 50, 0, 0)
    assert tell("e", date(2025, 3, 20), "letter") is False
    assert model.seen(days(40)) == (0, 0, 0, 0)


def test_who_cannot_be_told_is_given_time_once():
    model = wallet(Rule(count=12, duty=10, slack=2, waivers=True))
    model.grant("a", 50, "purchase", NOON)
    assert model.extend_untold("x", {(1, 0)}, days(2)).kind == "note"
    assert model.extend_untold("x", {(1, 0)}, days(3)).kind == "extend"
    assert (model.lots[0].ends, model.lots[0].moved_untold) == (days(15), True)
    assert model.extend_untold("y", {(1, 0)}, days(10)).kind == "note"
    assert model.extend_untold("z", {(1, 0)}, days(10), again=True).kind == "extend"
    model.notify("w", {(1, 0)}, days(22), date(2025, 3, 22), days(12), waiver="no_contact")
    assert (model.gated(model.lots[0]), model.lots[0].moved_untold) == (False, True)


def test_an_extension_goes_back_while_nobody_was_told_of_it_and_its_notice_is_good_again():
    model = wallet(Rule(count=20, duty=5, slack=1))
    model.grant("a", 50, "purchase", NOON)
    model.notify("n", {(1, 0)}, days(20), date(2025, 3, 20), days(10), "email")
    model.extend("x", {(1, 0)}, date(2025, 4, 20), days(11))
    assert model.gated(model.lots[0])
    model.notify("m", {(1, 0)}, end_of(date(2025, 4, 20)), date(2025, 3, 20), days(11), "email")
    with pytest.raises(No, match="CannotUndo"):
        model.copy().undo("x", days(11))
    model.withdraw_notice("m", days(11))
    model.undo("x", days(11))
    assert (model.lots[0].ends, model.gated(model.lots[0])) == (days(20), False)
    with pytest.raises(No, match="CannotUndo"):
        model.undo("x", days(11))


def test_a_promise_is_spendable_by_the_clock_and_moves_with_its_date():
    model = wallet(Rule(count=10, spendable_after=5))
    model.grant("a", 50, "purchase", NOON)
    assert model.seen(days(4)) == (50, 0, 50, 0)
    assert model.seen(days(5)) == (50, 50, 0, 0)
    model.postpone({(1, 0)}, days(9), days(1))
    assert (model.lots[0].spendable, model.lots[0].ends) == (days(9), days(19))
    with pytest.raises(No, match="EarlierDate"):
        model.postpone({(1, 0)}, days(9), days(1))
    with pytest.raises(No, match="LotNotPromised"):
        model.postpone({(1, 0)}, days(12), days(9))


def test_a_closure_releases_what_is_held_and_takes_all_that_is_left():
    model = wallet(Rule(count=40, duty=30, slack=3))
    model.grant("a", 50, "purchase", NOON)
    model.close(NOON)
    assert (model.closings[0].closes, model.closings[0].points) == (seoul(3, 25), 50)
    with pytest.raises(No, match="AlreadyClosing"):
        model.close(NOON)
    model.stay(days(1))
    model.close(days(1))
    model.hold("h", 20, days(90), days(2))
    with pytest.raises(No, match="AccountClosed"):
        model.copy().redeem("r", 1, seoul(3, 26))
    model.catch_up(seoul(3, 26))
    assert kinds(model, since=5) == [("release", 20), ("forfeit", -50)]
    assert {entry.effective for entry in model.log[5:]} == {seoul(3, 26)}
    assert model.closed


def test_a_closure_with_nothing_left_is_noted_and_debt_stays():
    model = wallet()
    model.clawback(5, None, NOON)
    model.close(NOON)
    model.catch_up(days(60))
    assert (kinds(model, since=2), model.debt) == ([("note", 0)], 5)


def test_new_points_pay_debt_first_promised_ones_too():
    model = wallet(Rule(spendable_after=5))
    model.clawback(20, None, NOON)
    assert model.grant("a", 50, "purchase", NOON).settled == 20
    assert model.seen(NOON) == (30, 0, 30, 0)
