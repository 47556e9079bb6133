"""Setting up a programme, and reading its rules."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ledger.errors import BadInput, NoPolicy
from ledger.kinds import Origin
from ledger.models import Policy, Programme
from ledger.policies import Model, Rounding, Unit
from ledger.programmes import create
from ledger.rules import rules_of
from tests import builders
from tests.builders import LONG_AGO, NOW, days
from tests.looking import nothing_changes

pytestmark = pytest.mark.django_db


def test_a_programme_comes_with_its_first_policy():
    programme = create(
        code="moa",
        name="Moa",
        zone="Asia/Seoul",
        effective_from=LONG_AGO,
        count=12,
        rounding=Rounding.MONTH,
        notice_days=30,
        language="en",
        currency="EUR",
        earn_rate=Decimal("0.5"),
    )
    assert (programme.code, programme.name, programme.zone) == ("moa", "Moa", "Asia/Seoul")
    assert (programme.unit, programme.language, programme.currency) == ("P", "en", "EUR")
    assert programme.earn_rate == Decimal("0.5")
    policy = Policy.objects.get(programme=programme)
    assert (policy.effective_from, policy.origin) == (LONG_AGO, "")
    assert (policy.model, policy.count, policy.unit) == (Model.ROLLING, 12, Unit.MONTHS)
    assert (policy.rounding, policy.notice_days, policy.notice_slack) == (Rounding.MONTH, 30, 3)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("code", {"code": ""}),
        ("code", {"code": "Moa"}),
        ("code", {"code": "m oa"}),
        ("code", {"code": "-moa"}),
        ("name", {"name": ""}),
        ("name", {"name": "x" * 101}),
        ("zone", {"zone": "Asia/Soul"}),
        ("zone", {"zone": ""}),
        ("count", {"count": -1}),
        ("count", {"count": 1201}),
        ("count", {"count": 101, "unit": Unit.YEARS}),
        ("unit", {"unit": "fortnights"}),
        ("rounding", {"rounding": "decade"}),
        ("model", {"model": "sometimes"}),
        ("notice_days", {"notice_days": 1001}),
        ("notice_days", {"notice_days": -1}),
        ("notice_slack", {"notice_slack": 101}),
        ("earn_rate", {"earn_rate": Decimal(-1)}),
        ("currency", {"currency": "won"}),
        ("language", {"language": "xx"}),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name_and_nothing_is_made(field, changes):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        builders.moa(**changes)
    assert refusal.value.field == field
    assert refusal.value.detail


@pytest.mark.parametrize("changes", [{"count": 0}, {"model": Model.NEVER, "count": 3}])
def test_a_life_that_does_not_fit_the_model_is_refused_and_nothing_is_made(changes):
    with nothing_changes(), pytest.raises(BadInput, match="rolling|Rolling|“"):
        builders.moa(**changes)


def test_a_code_is_given_once():
    builders.moa()
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        builders.moa(name="Another")
    assert refusal.value.field == "code"


def test_rules_are_the_policies_newest_first_as_plain_values():
    programme = builders.moa()
    builders.policy(programme, effective_from=NOW, count=6)
    rules = rules_of(programme.pk)
    assert rules.zone == ZoneInfo("Asia/Seoul")
    assert [(since, origin, terms.count) for since, origin, terms in rules.dated] == [
        (NOW, "", 6),
        (LONG_AGO, "", 12),
    ]


def test_the_newest_policy_in_force_counts_from_its_very_instant():
    programme = builders.moa()
    builders.policy(programme, effective_from=NOW, count=6)
    rules = rules_of(programme.pk)
    assert rules.in_force(NOW - timedelta(microseconds=1), "purchase").count == 12
    assert rules.in_force(NOW, "purchase").count == 6
    assert rules.in_force(NOW + days(1), "purchase").count == 6


def test_a_policy_for_an_origin_goes_before_a_newer_one_for_all():
    programme = builders.moa()
    builders.policy(programme, effective_from=NOW, origin=Origin.PROMOTION, count=1)
    builders.policy(programme, effective_from=NOW + days(1), count=6)
    rules = rules_of(programme.pk)
    later = NOW + days(2)
    assert rules.in_force(later, "promotion").count == 1
    assert rules.in_force(later, "purchase").count == 6
    assert rules.in_force(NOW - days(1), "promotion").count == 12  # before its own is in force


def test_there_is_no_policy_before_the_first():
    programme = builders.moa(effective_from=NOW)
    with pytest.raises(NoPolicy) as refusal:
        rules_of(programme.pk).in_force(NOW - timedelta(microseconds=1), "purchase")
    assert refusal.value.field == "policy"


def test_the_terms_of_a_lots_own_policy_are_found_by_its_id():
    programme = builders.moa()
    old = Policy.objects.get()
    builders.policy(programme, effective_from=NOW, count=6)
    assert rules_of(programme.pk).terms(old.pk).count == 12


def test_another_programmes_policies_are_not_among_the_rules():
    programme = builders.moa()
    builders.moa("other", count=1)
    assert [terms.count for _, _, terms in rules_of(programme.pk).dated] == [12]
    assert Programme.objects.count() == 2
