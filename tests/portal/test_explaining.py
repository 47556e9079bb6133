"""The kinds beyond earning and spending in a member's words. The entries are made by acts."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.utils.translation import override

from ledger import closures, extensions, notices
from ledger.actors import Actor
from ledger.expiry import sweep_all
from ledger.kinds import Waiver
from portal import history
from portal.lines import Line
from tests.builders import (
    NOW,
    SEOUL,
    STAFF,
    a_key,
    byeol,
    capture,
    clawback,
    close,
    days,
    extend,
    grant,
    hold,
    lot_of,
    minji,
    moa,
    postpone,
    redeem,
    refund,
    reinstate,
    release,
    tell,
)


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


def told(account) -> list[Line]:
    """The lines, the newest first."""
    return history.page(account, before=None).lines


def newest(account) -> tuple[str, int, list[str]]:
    line = told(account)[0]
    return line.title, line.points, line.details


def seoul(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SEOUL)  # type: ignore[arg-type,misc]


def test_a_refund_says_what_it_undoes_and_until_when_the_points_are_back(minji):
    grant(minji, 100, expires_at=seoul(2025, 3, 21))
    grant(minji, 1000)
    redeem(minji, 300, key="hotel")
    refund(minji, 250, "hotel")

    # 200 go back to the lot they came from; it is too late for the 50 of the other, which get thirty days from now on.
    assert newest(minji) == (
        "Points given back",
        250,
        [
            "They had been used in no. 3 of your history.",
            "200 P: valid through March 31, 2026.",
            "50 P: valid through April 9, 2025.",
        ],
    )


def test_points_that_never_expire_come_back_so(db):
    account = minji(moa(model="never", count=0))
    grant(account, 10)
    redeem(account, 10, key="hotel")
    refund(account, 10, "hotel")

    assert newest(account)[2][-1] == "10 P: these do not expire."


def test_a_hold_says_until_when_and_its_use_in_part_what_comes_back(minji):
    grant(minji, 500)
    hold(minji, 400, lapses_at=seoul(2025, 3, 12, 15, 30))
    assert newest(minji) == (
        "Points put on hold",
        -400,
        ["They are set aside until March 12, 2025, 15:30. If they are not used by then, you get them back."],
    )

    capture(minji, 320)
    rest, used = told(minji)[:2]
    assert (used.title, used.points, used.details) == (
        "Points on hold used",
        0,
        ["320 P of those put on hold in no. 2 are used now."],
    )
    assert (rest.title, rest.points, rest.details) == (
        "Points on hold returned",
        80,
        [
            "Fewer points were used than had been on hold; this is the rest.",
            "They had been put on hold in no. 2 of your history.",
            "80 P: valid through March 31, 2026.",
        ],
    )


def test_a_hold_that_lapses_says_so_and_one_that_is_released_does_not(minji):
    grant(minji, 500)
    hold(minji, 100)
    release(minji)
    assert newest(minji)[2][0] == "They had been put on hold in no. 2 of your history."

    hold(minji, 100, key="other", lapses_at=NOW + days(1))
    sweep_all(now=NOW + days(2))
    line = told(minji)[0]
    assert line.details[0] == "They were on hold and not used in time, so you have them back."
    assert (line.on, line.recorded_on) == (date(2025, 3, 11), date(2025, 3, 12))


def test_a_reinstatement_says_which_expiry_it_undoes_and_until_when(db):
    account = minji(moa(reinstate_window_days=30, reinstate_life_days=60))
    lot = lot_of(grant(account, 70, expires_at=NOW + days(1)))
    sweep_all(now=NOW + days(2))
    reinstate(account, lot.pk, now=NOW + days(3))

    assert newest(account) == (
        "Expired points given back",
        70,
        [
            "Reason: a mistake of ours",
            "They had expired in no. 2 of your history.",
            "70 P: valid through May 31, 2025.",
        ],
    )


def test_a_promise_says_its_first_day_and_its_postponement_both_days(minji):
    lot = lot_of(grant(minji, 40, spendable_at=seoul(2025, 4, 1)))
    assert newest(minji)[2] == ["For a purchase.", "To be used from April 1, 2025 on.", "Valid through April 30, 2026."]

    postpone(minji, [lot.pk], seoul(2025, 5, 2))
    assert newest(minji) == (
        "First day of use moved later",
        0,
        [
            "Reason: delivery",
            "40 P: to be used from May 2, 2025 on, instead of April 1, 2025.",
            "40 P: valid through May 31, 2026 instead of April 30, 2026.",
        ],
    )


def test_an_extension_undone(minji):
    lot = lot_of(grant(minji, 40))
    extend(minji, [lot.pk], date(2026, 6, 30))
    key = lot.account.entries.get(seq=2).key
    assert key is not None
    extensions.undo(account=minji, extension=key, now=NOW, key="undo", by=STAFF, reason="the wrong member")

    assert newest(minji) == (
        "Last day moved back",
        0,
        [
            "Reason: the wrong member",
            "This undoes no. 2 of your history.",
            "40 P: valid through March 31, 2026 instead of June 30, 2026.",
        ],
    )


def test_a_notice_withdrawn(db):
    account = minji(byeol())
    lot = lot_of(grant(account, 100, now=NOW - days(330)))
    tell(account, [lot.pk], told_on=date(2025, 3, 10), now=NOW)
    key = account.entries.get(seq=2).key
    assert key is not None
    notices.withdraw(
        account=account, notice=key, now=NOW, key="back", by=Actor("alerts"), reason="the message came back"
    )

    assert newest(account) == (
        "Notice of expiry withdrawn",
        0,
        [
            "Reason: the message came back",
            "This undoes no. 2 of your history.",
            "The points of that notice expire only after we have told you anew, in good time.",
        ],
    )


@pytest.mark.parametrize(
    ("waiver", "words"),
    [
        (Waiver.NO_CONTACT, "We know no address at which to tell you of points whose last day is April 30, 2025."),
        (Waiver.OPTED_OUT, "As you asked, we did not write to you about points whose last day is April 30, 2025."),
        (Waiver.BELOW_LEAST, "For so few points we send no message. Their last day is April 30, 2025."),
    ],
)
def test_a_notice_waived(db, waiver: Waiver, words: str):
    account = minji(byeol(accepts_waivers=True))
    lot = lot_of(grant(account, 100, now=NOW - days(330)))
    assert lot.expires_at is not None
    notices.waive(
        account=account,
        lots=[lot.pk],
        expires_at=lot.expires_at,
        told_on=date(2025, 3, 10),
        waiver=waiver,
        evidence="contacts of 10 March",
        now=NOW,
        key=a_key(),
        by=Actor("alerts"),
    )

    assert newest(account) == ("No notice of expiry sent", 0, [words])


def test_a_clawback_that_writes_off(db):
    account = minji(moa(clawback_beyond="write_off"))
    grant(account, 100, key="order")
    redeem(account, 60)
    clawback(account, 100, undoes="order")
    assert newest(account) == (
        "Points taken back",
        -40,
        ["This undoes no. 1 of your history.", "60 P more were not there any more. You do not owe them."],
    )

    grant(account, 5, key="other")
    redeem(account, 5)
    clawback(account, 5, undoes="other")
    assert newest(account)[:2] == ("Points not taken back", 0)


def test_a_closure_asked_for_and_withdrawn(minji):
    grant(minji, 100)
    close(minji)
    assert newest(minji) == (
        "Closing of the account asked for",
        0,
        [
            "The account closes at the end of March 24, 2025. Until then this can be withdrawn.",
            "You had 100 P then. What is left of your points on that day is lost.",
        ],
    )

    closures.withdraw(account=minji, now=NOW, key="stay", by=Actor("member", "1"))
    assert newest(minji) == (
        "Closing of the account withdrawn",
        0,
        ["This undoes no. 2 of your history.", "Your account stays open, and no points were lost."],
    )


def test_a_closure_that_takes_effect(minji):
    grant(minji, 100)
    close(minji)
    sweep_all(now=NOW + days(30))

    line = told(minji)[0]
    assert (line.title, line.kind, line.points, line.on, line.recorded_on) == (
        "Account closed",
        "forfeit",
        -100,
        date(2025, 3, 24),
        None,
    )
    assert line.details == [
        "The account was closed. The points that were left in it are lost, as had been told before."
    ]


def test_a_closure_with_nothing_left(minji):
    close(minji)
    sweep_all(now=NOW + days(30))

    line = told(minji)[0]
    assert (line.title, line.kind, line.on) == ("Account closed", "forfeit", date(2025, 3, 24))
    assert line.details == ["When the account was closed, no points were left."]


def test_the_queries_of_a_page_with_everything_are_few(minji, django_assert_max_num_queries):
    lot = lot_of(grant(minji, 1000))
    redeem(minji, 100, key="hotel")
    refund(minji, 50, "hotel")
    hold(minji, 10)
    capture(minji, 5)
    extend(minji, [lot.pk], date(2026, 6, 30))
    close(minji)

    with django_assert_max_num_queries(12):
        history.page(minji, before=None)
