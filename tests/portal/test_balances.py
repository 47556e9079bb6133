from datetime import date, datetime

from portal import balances
from portal.balances import LastDay, OnHold, Promise
from tests.builders import NOW, SEOUL, byeol, clawback, close, days, grant, hold, lot_of, minji, moa, redeem, tell


def seoul(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SEOUL)  # type: ignore[arg-type,misc]


def test_points_and_their_last_days(minji):
    grant(minji, 1000)
    grant(minji, 200, expires_at=seoul(2025, 4, 1))
    redeem(minji, 50)

    summary = balances.summary(minji, now=NOW)

    assert (summary.balance.spendable, summary.balance.promised, summary.balance.debt) == (1150, 0, 0)
    assert summary.days == [
        LastDay(on=date(2025, 3, 31), points=150, left=21, notice_due=False),
        LastDay(on=date(2026, 3, 31), points=1000, left=386, notice_due=False),
    ]
    assert summary.next == summary.days[0]
    assert (summary.undated, summary.further_points) == (0, 0)


def test_points_that_go_on_one_day_are_one_row(minji):
    grant(minji, 10, expires_at=seoul(2025, 4, 1, 9))
    grant(minji, 20, expires_at=seoul(2025, 4, 1, 15))

    assert balances.summary(minji, now=NOW).days == [LastDay(date(2025, 4, 1), 30, 22, False)]


def test_a_notice_is_due_until_the_member_was_told(db):
    account = minji(byeol())
    receipt = grant(account, 500, now=NOW - days(330))
    [before] = balances.summary(account, now=NOW - days(40)).days
    lot = lot_of(receipt)
    tell(account, [lot.pk], told_on=(NOW - days(35)).date(), now=NOW - days(35))
    [after] = balances.summary(account, now=NOW - days(30)).days

    assert (before.on, before.notice_due, after.notice_due) == (date(2025, 4, 30), True, False)


def test_points_past_their_day_that_wait_for_a_notice_are_no_deadline(db):
    account = minji(byeol())
    grant(account, 500, now=NOW - days(400))

    summary = balances.summary(account, now=NOW)

    assert summary.days == [LastDay(date(2025, 2, 28), 500, -10, True)]
    assert summary.balance.spendable == 500
    assert summary.next is None
    assert summary.any_notice_due


def test_points_without_a_date(db):
    account = minji(moa(model="never", count=0))
    grant(account, 700)

    summary = balances.summary(account, now=NOW)

    assert (summary.undated, summary.days, summary.chart) == (700, [], None)


def test_a_debt_leaves_nothing_to_use(minji):
    grant(minji, 100)
    clawback(minji, 130)

    summary = balances.summary(minji, now=NOW)

    assert (summary.balance.spendable, summary.balance.debt, summary.days) == (0, 30, [])


def test_a_page_whose_clock_is_behind_the_last_entry_goes_by_the_entry(minji):
    grant(minji, 100, expires_at=NOW + days(1))
    grant(minji, 5, now=NOW + days(2))
    minji.refresh_from_db()

    assert balances.summary(minji, now=NOW).balance.spendable == 5


def test_many_days_are_cut_and_their_points_still_counted(minji, monkeypatch):
    monkeypatch.setattr(balances, "MOST_DAYS", 2)
    for n in (1, 2, 3, 4):
        grant(minji, n, expires_at=NOW + days(n))

    summary = balances.summary(minji, now=NOW)

    assert ([day.points for day in summary.days], summary.further_points) == ([1, 2], 7)
    assert summary.chart is not None
    assert sum(column.points for column in summary.chart.columns) == 10


def test_promised_points_are_told_with_the_day_from_which_they_can_be_used(minji):
    grant(minji, 30, spendable_at=seoul(2025, 4, 2))
    grant(minji, 10, spendable_at=seoul(2025, 4, 1, 9))
    grant(minji, 20, spendable_at=seoul(2025, 4, 1, 15))

    summary = balances.summary(minji, now=NOW)
    assert summary.promises == [Promise(date(2025, 4, 1), 30), Promise(date(2025, 4, 2), 30)]
    assert (summary.balance.spendable, summary.balance.promised) == (0, 60)
    assert balances.summary(minji, now=seoul(2025, 4, 1, 9)).promises[0] == Promise(date(2025, 4, 1), 20)


def test_points_on_hold_are_told_with_their_lapse(minji):
    grant(minji, 100)
    hold(minji, 30, key="later", lapses_at=seoul(2025, 3, 12, 15))
    hold(minji, 5, key="sooner", lapses_at=seoul(2025, 3, 11, 9))

    summary = balances.summary(minji, now=NOW)
    assert summary.holds == [OnHold(seoul(2025, 3, 11, 9), 5), OnHold(seoul(2025, 3, 12, 15), 30)]
    assert (summary.on_hold, summary.balance.spendable) == (35, 65)


def test_a_hold_that_lapsed_unwritten_is_on_the_page_like_the_balance_says(minji):
    grant(minji, 100)
    hold(minji, 30, lapses_at=seoul(2025, 3, 12, 15))

    summary = balances.summary(minji, now=seoul(2025, 3, 12, 15))
    assert (summary.holds, summary.on_hold, summary.balance.spendable) == ([], 0, 100)
    assert [day.points for day in summary.days] == [100]


def test_what_to_use_first_is_what_can_be_used(minji):
    grant(minji, 30, spendable_at=seoul(2025, 4, 20), expires_at=seoul(2025, 5, 1))
    grant(minji, 40, spendable_at=seoul(2025, 4, 20), expires_at=seoul(2025, 6, 1))
    assert balances.summary(minji, now=NOW).next is None  # nothing can be used yet

    grant(minji, 7, expires_at=seoul(2025, 6, 1))
    first = balances.summary(minji, now=NOW).next
    assert first
    assert (first.on, first.points, first.usable) == (date(2025, 5, 31), 47, 7)
    later = balances.summary(minji, now=seoul(2025, 4, 20)).next
    assert later
    assert (later.on, later.points, later.usable) == (date(2025, 4, 30), 30, 30)


def test_what_is_listed_is_bounded_and_the_sums_are_whole(minji, monkeypatch):
    monkeypatch.setattr(balances, "MOST_HOLDS", 1)
    monkeypatch.setattr(balances, "MOST_PROMISES", 1)
    grant(minji, 100)
    for day in (1, 2):
        grant(minji, 10, spendable_at=seoul(2025, 4, day))
        hold(minji, 7, key=f"hold-{day}")

    summary = balances.summary(minji, now=NOW)
    assert (len(summary.holds), summary.on_hold) == (1, 14)
    assert (len(summary.promises), summary.balance.promised) == (1, 20)


def test_a_closed_account_holds_nothing_whether_that_is_written_or_not(minji):
    grant(minji, 100)
    close(minji)
    minji.refresh_from_db()

    pending, after = (balances.summary(minji, now=NOW + days(n)) for n in (1, 20))
    assert (pending.closing.pending, pending.balance.spendable) == (True, 100)
    assert (after.closing.closed, after.balance.spendable, after.days, after.chart) == (True, 0, [], None)


def test_the_debt_of_a_closed_account_is_what_its_held_points_did_not_pay(minji):
    grant(minji, 100)
    hold(minji, 30, lapses_at=NOW + days(99))
    clawback(minji, 110)
    close(minji)
    minji.refresh_from_db()

    assert minji.debt == 40
    assert balances.summary(minji, now=NOW + days(20)).balance.debt == 10
