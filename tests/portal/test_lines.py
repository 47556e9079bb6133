"""Each kind of entry in a member's words. The entries are made by acts; the stories by `portal.history`."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils.translation import override

from ledger.errors import InsufficientPoints
from ledger.kinds import Kind, Origin
from ledger.notes import note_order
from ledger.posting import act
from portal import explaining, history, lines
from portal.lines import Line
from tests.builders import NOW, SHOP, byeol, clawback, days, extend, grant, lot_of, minji, moa, redeem, tell


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


def told(account) -> list[Line]:
    return history.page(account, before=None).lines


def said(account) -> list[str]:
    """What the newest line says below its title."""
    return told(account)[0].details


def test_every_kind_has_a_title_and_an_explanation():
    assert set(lines.TITLES) == set(explaining.EXPLAIN) == set(Kind)


def test_a_grant_says_where_from_and_until_when(minji):
    grant(minji, 1200, reference="order-1", reason="Spring", origin=Origin.PROMOTION)

    assert told(minji) == [
        Line(
            seq=1,
            kind="grant",
            title="Points received",
            points=1200,
            on=date(2025, 3, 10),
            recorded_on=None,
            balance_after=1200,
            debt_after=0,
            details=[
                "From a promotion.",
                "Reason: Spring",
                "Valid through March 31, 2026.",
                "Reference: order-1",
            ],
        )
    ]


def test_a_grant_without_a_date(db):
    account = minji(moa(model="never", count=0))
    grant(account, 5)

    assert said(account) == ["For a purchase.", "These points do not expire."]


def test_a_back_dated_grant_says_when_it_was_recorded(minji):
    grant(minji, 5, effective_at=NOW - days(3))

    [line] = told(minji)
    assert (line.on, line.recorded_on) == (date(2025, 3, 7), date(2025, 3, 10))


def test_an_extension_shows_both_days_the_points_and_the_reason(minji):
    receipt = grant(minji, 1000)
    redeem(minji, 300)
    extend(minji, [lot_of(receipt).pk], date(2026, 6, 30), reason="our app was down")
    redeem(minji, 100)

    newest_first = told(minji)
    assert newest_first[1].title == "Last day moved later"
    assert newest_first[1].points == 0
    # 700 were there when it moved, whatever was used before and after.
    assert newest_first[1].details == [
        "Reason: our app was down",
        "700 P: valid through June 30, 2026 instead of March 31, 2026.",
    ]
    assert newest_first[3].details[-1] == "Valid through March 31, 2026 at first, now through June 30, 2026."


def test_a_redemption(minji):
    grant(minji, 1000)
    redeem(minji, 300, reference="voucher-7")

    assert told(minji)[0].points == -300
    assert said(minji) == ["The points closest to their last day were used first.", "Reference: voucher-7"]


def test_a_decline_says_what_was_asked_and_what_there_was(minji):
    grant(minji, 100)
    with pytest.raises(InsufficientPoints):
        redeem(minji, 2000)

    assert told(minji)[0].title == "Not enough points"
    assert said(minji) == ["You wanted to use 2,000 P, and there were 100 P. Nothing was taken."]


def test_an_expiry_says_which_day(minji):
    grant(minji, 100, now=NOW - days(400))
    grant(minji, 1)

    expiry = told(minji)[1]
    assert (expiry.points, expiry.on, expiry.recorded_on) == (-100, date(2025, 2, 28), None)
    assert expiry.details == ["Feb. 28, 2025 was the last day to use these points."]


def test_a_clawback_into_debt_and_what_settles_it(minji):
    grant(minji, 100, key="order")
    clawback(minji, 130, reason="returned")
    grant(minji, 50)

    settled, granted, taken, _ = told(minji)
    assert taken.details == ["Reason: returned", "100 P came from your points; 30 P are now a debt."]
    assert (taken.points, taken.balance_after, taken.debt_after) == (-130, 0, 30)
    assert granted.points == 50
    assert settled.details == ["30 P of the points you received settled your debt."]
    assert (settled.points, settled.balance_after, settled.debt_after) == (0, 20, 0)


def test_a_clawback_names_what_it_undoes_and_its_cap(minji):
    grant(minji, 100, key="order")
    clawback(minji, 130, undoes="order")
    clawback(minji, 10, undoes="order")

    nothing, taken, _ = told(minji)
    assert taken.details == [
        "This undoes no. 1 of your history.",
        "130 P were to be taken back; no more than 100 P could be.",
    ]
    assert nothing.title == "Nothing changed"
    assert nothing.details == ["10 P were to be taken back, but of these points nothing was left to take back."]


def test_a_notice_says_when_how_and_about_what(db):
    account = minji(byeol())
    lot = lot_of(grant(account, 100, now=NOW - days(330)))
    tell(account, [lot.pk], told_on=date(2025, 3, 10), now=NOW)

    assert said(account) == ["On March 10, 2025 we told you by e-mail about points whose last day is April 30, 2025."]


def test_a_note_says_why_nothing_changed(minji):
    act(note_order(account_id=minji.pk, now=NOW, key="n", by=SHOP, reason="told in time after all"))
    assert said(minji) == ["You had been told in time; the last day stays."]

    act(note_order(account_id=minji.pk, now=NOW, key="m", by=SHOP, reason="something else"))
    assert said(minji) == ["Reason: something else"]


def test_korean_says_it_in_korean(minji):
    grant(minji, 1200)
    with override("ko"):
        [line] = told(minji)

    assert (line.title, line.details) == ("포인트 적립", ["구매에 따른 적립입니다.", "유효기간: 2026년 3월 31일까지"])
