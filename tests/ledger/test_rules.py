"""Reading a programme's rules, and keeping them as long as its number of policies says that they hold."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from ledger.models import Programme
from ledger.policies import Beyond, Model, Rounding, Unit
from ledger.rules import rules_of, rules_with
from tests import builders
from tests.builders import LONG_AGO, NOW, days

pytestmark = pytest.mark.django_db


def test_every_field_of_a_policy_is_in_its_terms():
    programme = builders.moa(
        zone="Europe/London",
        model=Model.FIXED_DAY,
        count=2,
        unit=Unit.WEEKS,
        rounding=Rounding.QUARTER,
        fixed_month=6,
        fixed_day=30,
        spendable_after_days=7,
        notice_days=30,
        notice_slack=4,
        notice_max_days=60,
        notice_channels=2,
        accepts_waivers=True,
        restored_floor_days=15,
        reinstate_window_days=10,
        reinstate_life_days=20,
        clawback_beyond=Beyond.WRITE_OFF,
    )
    ((since, origin, terms),) = rules_of(programme.pk).dated
    assert (since, origin, terms.zone) == (LONG_AGO, "", ZoneInfo("Europe/London"))
    assert (terms.model, terms.count, terms.unit, terms.rounding) == (Model.FIXED_DAY, 2, Unit.WEEKS, Rounding.QUARTER)
    assert (terms.fixed_month, terms.fixed_day, terms.spendable_after_days) == (6, 30, 7)
    assert (terms.notice_days, terms.notice_slack, terms.notice_max_days) == (30, 4, 60)
    assert (terms.notice_channels, terms.accepts_waivers, terms.restored_floor_days) == (2, True, 15)
    assert (terms.reinstate_window_days, terms.reinstate_life_days) == (10, 20)
    assert terms.clawback_beyond == Beyond.WRITE_OFF


def test_rules_are_kept_while_there_are_as_many_policies_and_read_again_when_there_are_more(django_assert_num_queries):
    programme = builders.moa()
    first = rules_with(programme.pk, 1)
    with django_assert_num_queries(0):
        assert rules_with(programme.pk, 1) is first
    builders.policy(programme, effective_from=NOW, count=24)
    assert [terms.count for _, _, terms in rules_with(programme.pk, 2).dated] == [24, 12]
    assert rules_with(programme.pk, 1) is first


def test_rules_that_grew_since_their_policies_were_counted_are_the_newer_ones(django_assert_num_queries):
    programme = builders.moa()
    builders.policy(programme, effective_from=NOW, count=24)
    rules = rules_with(programme.pk, 1)  # somebody counted before the second was there
    assert len(rules.dated) == 2
    with django_assert_num_queries(0):
        assert rules_with(programme.pk, 2) is rules


def test_an_account_is_granted_points_by_a_policy_that_was_added_a_moment_ago():
    programme = builders.moa()
    minji = builders.minji(programme)
    builders.grant(minji, 5)
    builders.policy(programme, effective_from=NOW + days(1), count=1)
    new = builders.lot_of(builders.grant(minji, 5, now=NOW + days(1)))
    assert (new.policy.count, Programme.objects.count()) == (1, 1)
