"""As of: every past balance again, from facts alone; and what was believed then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ledger import asof, closures, extensions, notices, statements
from ledger.errors import BadInput
from ledger.expiry import sweep_all
from ledger.kinds import Origin
from ledger.models import Account, Lot
from ledger.policies import Model, Rounding
from ledger.statements import Balance
from tests import builders
from tests.builders import NOW, STAFF, a_key, days, grant, lot_of, redeem

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


class Diary:
    """What a member saw at each instant somebody looked, to be asked again later."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.seen: dict[datetime, Balance] = {}

    def look(self, at: datetime) -> Balance:
        self.seen[at] = statements.balance(self.account, at=at)
        return self.seen[at]

    def check(self) -> None:
        """What was believed then is what was seen then."""
        for at, seen in self.seen.items():
            assert asof.balance(self.account, at=at, known_at=at) == seen, at


def test_before_the_first_entry_there_is_nothing(minji):
    assert asof.balance(minji, at=NOW) == Balance(0, 0, 0, 0)
    grant(minji, 100)
    assert asof.balance(minji, at=NOW - TICK) == Balance(0, 0, 0, 0)
    assert asof.balance(minji, at=NOW) == Balance(100, 0, 100, 0)
    assert asof.lots(minji, at=NOW - TICK) == []


def test_each_entry_counts_from_its_own_instant_on(minji):
    grant(minji, 100, key="g", expires_at=NOW + days(50))
    redeem(minji, 30, key="r", now=NOW + days(1))
    builders.refund(minji, 10, "r", now=NOW + days(2))
    builders.hold(minji, 20, now=NOW + days(3), lapses_at=NOW + days(9))
    builders.capture(minji, 15, now=NOW + days(4))
    builders.clawback(minji, 100, undoes="g", now=NOW + days(5))
    expected = [(0, 100, 0, 0), (1, 70, 0, 0), (2, 80, 0, 0), (3, 60, 0, 20), (4, 65, 0, 0), (5, 0, 35, 0)]
    for day, live, debt, on_hold in expected:
        for at in (NOW + days(day), NOW + days(day + 1) - TICK):
            assert asof.balance(minji, at=at) == Balance(live, 0, live, debt, on_hold)
    grant(minji, 50, now=NOW + days(6))
    assert asof.balance(minji, at=NOW + days(6)) == Balance(15, 0, 15, 0)


def test_what_the_clock_ended_is_gone_swept_or_not(minji):
    grant(minji, 100, expires_at=NOW + days(10))
    grant(minji, 7)
    for _ in ("never swept", "swept late"):
        assert asof.balance(minji, at=NOW + days(10) - TICK).live == 107
        assert asof.balance(minji, at=NOW + days(10)).live == 7
        assert asof.balance(minji, at=NOW + days(20), known_at=NOW + days(20)).live == 7
        sweep_all(now=NOW + days(30))


def test_a_grant_dated_back_was_not_known_before_it_was_recorded(minji):
    grant(minji, 10)
    grant(minji, 100, now=NOW + days(10), effective_at=NOW + days(2))
    assert asof.balance(minji, at=NOW + days(2) - TICK).live == 10
    assert asof.balance(minji, at=NOW + days(2)).live == 110
    assert asof.balance(minji, at=NOW + days(5), known_at=NOW + days(10) - TICK).live == 10
    assert asof.balance(minji, at=NOW + days(5), known_at=NOW + days(10)).live == 110


def test_promised_points_are_live_and_become_spendable_by_the_clock(minji):
    lot = lot_of(grant(minji, 40, spendable_at=NOW + days(5)))
    builders.postpone(minji, [lot.pk], NOW + days(9), now=NOW + days(1))
    assert asof.balance(minji, at=NOW + days(6)) == Balance(0, 40, 40, 0)
    assert asof.balance(minji, at=NOW + days(6), known_at=NOW) == Balance(40, 0, 40, 0)  # nobody knew better
    assert asof.balance(minji, at=NOW + days(9)) == Balance(40, 0, 40, 0)


def test_an_extension_counts_from_its_entry_on_and_until_it_is_undone(minji):
    lot = lot_of(grant(minji, 100, expires_at=NOW + days(10)))
    extended = builders.extend(minji, [lot.pk], date(2025, 4, 30), now=NOW + days(1))
    key = str(minji.entries.get(seq=extended.seq).key)
    extensions.undo(account=minji, extension=key, now=NOW + days(2), key=a_key(), by=STAFF, reason="the wrong one")
    (first,), (later,), (again,) = (asof.lots(minji, at=NOW + days(n)) for n in range(3))
    assert first.expires_at == again.expires_at == NOW + days(10)
    assert later.expires_at == datetime(2025, 4, 30, 15, tzinfo=UTC)
    assert asof.balance(minji, at=NOW + days(11)).live == 0
    assert asof.balance(minji, at=NOW + days(11), known_at=NOW + days(1)).live == 100


def test_a_withdrawn_notice_counts_until_it_came_back():
    minji = builders.minji(builders.byeol(count=2))
    lot = lot_of(grant(minji, 100))
    gone = datetime(2025, 5, 31, 15, tzinfo=UTC)
    builders.tell(minji, [lot.pk], told_on=date(2025, 3, 15), now=NOW + days(5))
    key = str(minji.entries.get(kind="notify").key)
    notices.withdraw(account=minji, notice=key, now=NOW + days(20), key=a_key(), by=STAFF, reason="it came back")
    gates = [asof.lots(minji, at=NOW + days(n))[0].gated for n in (4, 5, 19, 20)]
    assert gates == [True, False, False, True]
    assert asof.balance(minji, at=gone, known_at=NOW + days(19)).live == 0
    assert asof.balance(minji, at=gone).live == 100


def test_a_hold_that_lapsed_is_given_back_though_nobody_wrote_it(minji):
    grant(minji, 100, expires_at=NOW + days(5))
    grant(minji, 20)
    builders.hold(minji, 110, lapses_at=NOW + days(7))
    # The 100 held points are over at the lapse: they come back for the floor of 30 days. The other 10 go back.
    expected = {6: Balance(10, 0, 10, 0, 110), 7: Balance(120, 0, 120, 0, 0), 37: Balance(20, 0, 20, 0, 0)}
    for _ in ("never swept", "swept late"):
        for day, balance in expected.items():
            assert asof.balance(minji, at=NOW + days(day)) == balance
            assert asof.balance(minji, at=NOW + days(day), known_at=NOW + days(day)) == balance
        assert statements.balance(minji, at=NOW + days(37)) == expected[37]
        sweep_all(now=NOW + days(37))


def test_a_closure_that_took_effect_left_nothing_though_nobody_wrote_it(minji):
    grant(minji, 100)
    builders.hold(minji, 30, lapses_at=NOW + days(50))
    builders.close(minji)
    closures.withdraw(account=minji, now=NOW + days(1), key="stay", by=STAFF)
    builders.close(minji, now=NOW + days(2))
    over = datetime(2025, 3, 26, 15, tzinfo=UTC)
    for _ in ("never swept", "swept late"):
        before, after = asof.stood(minji, at=over - TICK), asof.stood(minji, at=over)
        assert (before.balance(), before.closed) == (Balance(70, 0, 70, 0, 30), False)
        assert (after.balance(), after.closed) == (Balance(0, 0, 0, 0, 0), True)
        assert statements.balance(minji, at=over) == Balance(0, 0, 0, 0, 0)
        assert asof.stood(minji, at=over, known_at=NOW + days(1)).balance().live == 70
        sweep_all(now=over + days(3))


def test_points_that_go_by_inactivity_had_the_date_of_the_activity_known_then():
    minji = builders.minji(builders.moa(model=Model.INACTIVITY, count=1, rounding=Rounding.DAY))
    grant(minji, 100)
    first, second = datetime(2025, 4, 10, 15, tzinfo=UTC), datetime(2025, 4, 20, 15, tzinfo=UTC)
    redeem(minji, 40, now=NOW + days(10))
    assert [asof.lots(minji, at=NOW + days(n))[0].expires_at for n in (9, 10)] == [first, second]
    lot = Lot.objects.get(account=minji)
    builders.extend(minji, [lot.pk], date(2025, 6, 30), now=NOW + days(11))
    grant(minji, 5, now=NOW + days(12))
    extended = datetime(2025, 6, 30, 15, tzinfo=UTC)
    assert [lot.expires_at for lot in asof.lots(minji, at=NOW + days(12))] == [extended, extended]
    assert asof.balance(minji, at=second, known_at=NOW + days(10)) == Balance(0, 0, 0, 0)
    assert asof.balance(minji, at=second) == Balance(65, 0, 65, 0)


def kept(account: Account) -> list[tuple]:
    """The live lots as the account's own numbers have them now."""
    return sorted((lot.seq, lot.remaining, lot.expires_at) for lot in Lot.objects.filter(account=account, open=True))


def told(account: Account, at: datetime) -> list[tuple]:
    return sorted((lot.seq, lot.remaining, lot.expires_at) for lot in asof.lots(account, at=at))


def test_points_that_come_back_after_an_extension_of_the_others_go_together_with_them():
    minji = builders.minji(builders.moa(model=Model.INACTIVITY, count=2, rounding=Rounding.DAY))
    grant(minji, 10)
    redeem(minji, 10, key="r")
    lot = lot_of(grant(minji, 5))
    builders.extend(minji, [lot.pk], date(2025, 12, 31), now=NOW + days(1))
    builders.refund(minji, 10, "r", now=NOW + days(2))
    extended = datetime(2025, 12, 31, 15, tzinfo=UTC)
    assert told(minji, NOW + days(2)) == kept(minji) == [(1, 10, extended), (3, 5, extended)]


def test_a_postponed_promise_by_inactivity_takes_no_others_with_it():
    minji = builders.minji(builders.moa(model=Model.INACTIVITY, count=1, rounding=Rounding.DAY))
    promised = lot_of(grant(minji, 10, spendable_at=NOW + days(5)))
    grant(minji, 20)
    builders.postpone(minji, [promised.pk], NOW + days(25), now=NOW + days(1))
    before = kept(minji)
    assert told(minji, NOW + days(1)) == before
    redeem(minji, 3, now=NOW + days(2))
    assert told(minji, NOW + days(2)) == kept(minji)
    assert told(minji, NOW + days(1)) == before


def test_a_rich_story_is_told_again_as_it_was_seen(moa):
    """Told whole: from the book of acts, look after look, with a sweep that comes late."""
    builders.policy(moa, origin=Origin.PROMOTION, effective_from=NOW, count=2, notice_days=30, reinstate_window_days=20)
    minji = builders.minji(moa)
    diary = Diary(minji)
    acts = [
        lambda now: grant(minji, 100, key="g1", expires_at=NOW + days(60), now=now),
        lambda now: grant(minji, 60, key="g2", origin=Origin.PROMOTION, now=now),
        lambda now: redeem(minji, 120, key="r1", now=now),
        lambda now: builders.tell(minji, [Lot.objects.get(granted=60).pk], told_on=now.date(), now=now),
        lambda now: builders.hold(minji, 30, lapses_at=NOW + days(70), now=now),
        lambda now: builders.refund(minji, 90, "r1", now=now),
        lambda now: builders.clawback(minji, 100, undoes="g1", now=now),
        lambda now: grant(minji, 5, effective_at=NOW + days(1), now=now),
    ]
    for step, act in enumerate(acts):
        diary.look(NOW + days(step * 9) - TICK)
        act(NOW + days(step * 9))
        diary.look(NOW + days(step * 9))
    for day in (69, 70, 75, 82, 83, 90, 120, 400, 500):
        diary.look(NOW + days(day))
        if day in (75, 400):
            sweep_all(now=NOW + days(day))
    assert [seen.live for seen in diary.seen.values()] == [
        *(0, 100, 100, 160, 160, 40, 40, 40, 40, 10, 10, 100, 100, 0, 0, 5),
        # The held 30 come back in a lot of their own, under the notice duty: nobody was told, so they stay.
        *(5, 35, 35, 35, 35, 35, 35, 30, 30),
    ]
    diary.check()


def test_a_programme_is_gone_through_account_by_account(moa, minji):
    jun, sora = builders.jun(moa), builders.minji(builders.moa("other"))
    grant(minji, 100)
    grant(jun, 50, now=NOW + days(1))
    grant(sora, 7)
    found = {standing.account_id: standing.balance().live for standing in asof.standings(moa.pk, at=NOW + days(1))}
    assert found == {minji.pk: 100, jun.pk: 50}
    assert [standing.account_id for standing in asof.standings(moa.pk, at=NOW)] == [minji.pk]


def test_a_time_without_its_zone_is_refused(minji):
    with pytest.raises(BadInput, match="at: Must be a time with a zone"):
        asof.balance(minji, at=datetime(2025, 3, 10))  # noqa: DTZ001
    with pytest.raises(BadInput, match="known_at: Must be a time with a zone"):
        asof.balance(minji, at=NOW, known_at=datetime(2025, 3, 10))  # noqa: DTZ001
