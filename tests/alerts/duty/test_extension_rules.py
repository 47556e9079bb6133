from datetime import date, timedelta

import pytest

from alerts.duty import extension_rules
from ledger.errors import LotNotLive
from ledger.models import Entry, Extension
from ledger.policies import last_day
from ledger.posting import post
from ledger.receipts import Receipt
from tests import alert_builders, builders
from tests.alert_builders import LAST_DAY, active_rule, before
from tests.builders import SEOUL


def apply(now):
    return extension_rules.apply(now=now, limit=100)


def last_days(account):
    return [last_day(lot.expires_at, SEOUL) for lot in account.lots.order_by("pk")]


@pytest.fixture
def active(minji):
    """Minji spent 200 of her points 80 days before the rest goes."""
    builders.redeem(minji, 200, now=before(80))
    return minji


def test_the_points_of_an_active_member_get_more_days(active, byeol):
    rule = active_rule(byeol)
    assert apply(before(71)).orders == 0  # not near enough
    assert apply(before(70)).orders == 1
    assert last_days(active) == [date(2026, 4, 30)]
    entry = Entry.objects.get(kind="extend")
    assert (entry.actor, entry.key) == (f"rule:{rule.pk}", f"rule:{rule.pk}:{active.lots.get().pk}:0")
    assert entry.reason == "active in the last 90 days"


def test_who_was_not_active_lately_gets_none(minji, byeol):
    active_rule(byeol)
    assert apply(before(70)).orders == 0
    assert last_days(minji) == [LAST_DAY]


def test_activity_counts_for_its_days_and_not_longer(active, byeol):
    rule = active_rule(byeol, active_days=10)  # the redemption was 80 days before the last day
    assert apply(before(69)).orders == 0
    rule.active_days = 11
    rule.save()
    assert apply(before(69)).orders == 1


def test_an_extension_is_no_activity(minji, byeol):
    builders.extend(minji, [minji.lots.get().pk], LAST_DAY + timedelta(days=1), now=before(75))
    active_rule(byeol)
    assert apply(before(60)).orders == 0


def test_a_lot_is_extended_so_many_times_and_no_more(active, byeol):
    active_rule(byeol, most_times=2, extend_days=5, active_days=400)
    for _ in range(4):
        apply(before(40))
    assert last_days(active) == [LAST_DAY + timedelta(days=10)]
    assert Extension.objects.count() == 2
    rule, lot = byeol.extension_rules.get(), active.lots.get()
    keys = Entry.objects.filter(kind="extend").order_by("seq").values_list("key", flat=True)
    assert list(keys) == [f"rule:{rule.pk}:{lot.pk}:0", f"rule:{rule.pk}:{lot.pk}:1"]


def test_only_this_rules_extensions_count(active, byeol):
    builders.extend(active, [active.lots.get().pk], LAST_DAY + timedelta(days=1), now=before(75))
    active_rule(byeol)
    assert apply(before(60)).orders == 1


def test_lots_that_go_together_move_in_one_entry(active, byeol):
    builders.grant(active, 30, now=before(79), expires_at=alert_builders.EXPIRES_AT)
    active_rule(byeol)
    assert apply(before(70)).orders == 1
    assert last_days(active) == [date(2026, 4, 30)] * 2
    assert Extension.objects.count() == 2


def test_a_rule_out_of_force_does_nothing(active, byeol):
    rule = active_rule(byeol)
    rule.active = False
    rule.save()
    assert apply(before(70)).orders == 0


def test_another_programmes_points_stay(active, byeol):
    active_rule(builders.moa())
    assert apply(before(70)).orders == 0


def test_points_past_their_date_are_not_revived(active, byeol):
    active_rule(byeol, active_days=400)
    assert apply(alert_builders.EXPIRES_AT).orders == 0


def test_two_runs_that_saw_different_lots_of_one_date_extend_each_lot_once(active, byeol):
    """The second run looked when the first lot was redeemed, and so names another first lot and another key."""
    second = builders.lot_of(builders.grant(active, 30, now=before(79), expires_at=alert_builders.EXPIRES_AT))
    rule = active_rule(byeol)
    seen = extension_rules._due(rule, before(70), 100)
    (late_order,) = extension_rules._orders(rule, [row for row in seen if row[3] == second.pk], before(70))
    apply(before(70))
    (outcome,) = post([late_order])
    assert isinstance(outcome, LotNotLive)
    assert last_days(active) == [date(2026, 4, 30)] * 2


def test_the_same_run_twice_is_one_extension(active, byeol):
    rule = active_rule(byeol)
    orders = [
        order
        for _ in range(2)
        for order in extension_rules._orders(rule, extension_rules._due(rule, before(70), 100), before(70))
    ]
    first, second = (post([order])[0] for order in orders)
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert (first.replayed, second.replayed) == (False, True)
    assert Extension.objects.count() == 1


def test_one_pass_applies_the_rules_and_then_what_nobody_was_told_of(active, byeol):
    active_rule(byeol)
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    builders.grant(jun, 10)
    done = extension_rules.extend(now=before(29), limit=100)
    assert (done.orders, done.refused) == (2, 0)
    assert last_days(active) == [date(2026, 4, 30)]  # by the rule: 31 March + 30 days, and now there is time to tell
    assert last_days(jun) == [date(2026, 4, 30)]  # 2 March + 33 days, to the end of the month
    assert sorted(Entry.objects.filter(kind="extend").values_list("account", "actor")) == sorted(
        [(active.pk, f"rule:{byeol.extension_rules.get().pk}"), (jun.pk, "alerts")]
    )


def test_a_pass_is_bounded(active, byeol):
    builders.grant(active, 30, now=before(79), expires_at=alert_builders.EXPIRES_AT)
    active_rule(byeol)
    assert [extension_rules.apply(now=before(70), limit=1).lots for _ in range(3)] == [1, 1, 0]
