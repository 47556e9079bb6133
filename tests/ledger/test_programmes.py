"""Setting up a programme, and reading its rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from ledger.errors import BadInput, NoPolicy, WorseTooSoon
from ledger.kinds import Origin
from ledger.models import BEGINNING, PointValue, Policy, Programme
from ledger.policies import Beyond, Model, Rounding, Unit
from ledger.programmes import add_policy, create
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
        point_value=Decimal("0.25"),
        earn_rate=Decimal("0.5"),
    )
    assert (programme.code, programme.name, programme.zone) == ("moa", "Moa", "Asia/Seoul")
    assert (programme.unit, programme.language) == ("P", "en")
    worth = PointValue.objects.get(programme=programme)
    assert (worth.value, worth.currency, worth.since) == (Decimal("0.25"), "EUR", BEGINNING)
    assert (worth.recorded_at, worth.actor) == (programme.created_at, "system:setup")
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
        ("notice_max_days", {"notice_max_days": 1001}),
        ("notice_channels", {"notice_channels": 0}),
        ("notice_channels", {"notice_channels": 6}),
        ("restored_floor_days", {"restored_floor_days": 0}),
        ("restored_floor_days", {"restored_floor_days": 3651}),
        ("reinstate_window_days", {"reinstate_window_days": 3651}),
        ("reinstate_life_days", {"reinstate_life_days": 0}),
        ("spendable_after_days", {"spendable_after_days": 1001}),
        ("clawback_beyond", {"clawback_beyond": "forgive"}),
        ("fixed_month", {"model": Model.FIXED_DAY, "fixed_month": 13, "fixed_day": 1}),
        ("fixed_day", {"model": Model.FIXED_DAY, "fixed_month": 1, "fixed_day": 32}),
        ("fixed_day", {"model": Model.FIXED_DAY, "fixed_month": 2, "fixed_day": 30}),
        ("fixed_day", {"model": Model.FIXED_DAY, "fixed_month": 4, "fixed_day": 31}),
        ("earn_rate", {"earn_rate": Decimal(-1)}),
        ("currency", {"currency": "won"}),
        ("point_value", {"point_value": Decimal(-1)}),
        ("point_value", {"point_value": Decimal("0.0000001")}),
        ("language", {"language": "xx"}),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name_and_nothing_is_made(field, changes):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        builders.moa(**changes)
    assert refusal.value.field == field
    assert refusal.value.detail


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"count": 0}, "needs a number of at least 1"),
        ({"model": Model.INACTIVITY, "count": 0}, "needs a number of at least 1"),
        ({"model": Model.NEVER, "count": 3}, "needs a number of at least 1"),
        ({"model": Model.FIXED_DAY}, "A fixed day needs its month and day"),
        ({"model": Model.FIXED_DAY, "fixed_month": 6}, "A fixed day needs its month and day"),
        ({"model": Model.FIXED_DAY, "fixed_day": 6}, "A fixed day needs its month and day"),
        ({"fixed_month": 6, "fixed_day": 30}, "A fixed day needs its month and day"),
        ({"notice_days": 30, "notice_max_days": 29}, "The earliest notice cannot come after the latest"),
    ],
)
def test_terms_that_do_not_fit_each_other_are_refused_and_nothing_is_made(changes, says):
    with nothing_changes(), pytest.raises(BadInput, match=says):
        builders.moa(**changes)


def test_29_february_is_a_fixed_day():
    builders.moa(model=Model.FIXED_DAY, count=0, fixed_month=2, fixed_day=29, rounding=Rounding.NONE)
    assert str(Policy.objects.get()) == "On a fixed day of the year: 02-29"


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


@pytest.fixture
def programme(db):
    """Moa: twelve months to the end of the month."""
    return builders.moa()


def add(programme, since=NOW, *, now=NOW, **terms):
    first = {"model": Model.ROLLING, "count": 12, "rounding": Rounding.MONTH}
    return add_policy(programme=programme, effective_from=since, now=now, **(first | terms))


def test_a_policy_that_is_not_worse_can_take_effect_at_once(programme):
    policy = add(programme, count=24)
    assert (policy.effective_from, policy.announced_on, policy.count) == (NOW, None, 24)
    assert rules_of(programme.pk).in_force(NOW, "purchase").policy_id == policy.pk


def test_a_policy_never_reaches_back(programme):
    with nothing_changes(), pytest.raises(BadInput, match="from now on, never back") as refusal:
        add(programme, NOW - timedelta(microseconds=1), count=24)
    assert refusal.value.field == "effective_from"


def test_a_worse_policy_is_announced_the_programmes_notice_before_to_the_day(programme):
    """In Seoul the policy begins on 31 March at noon; thirty days before is 1 March."""
    since = NOW + days(21)
    for announced_on in (None, (NOW - days(8)).date(), since.date()):
        with nothing_changes(), pytest.raises(WorseTooSoon, match=r"\(model\): this must .* by 2025-03-01") as refusal:
            add(programme, since, count=6, announced_on=announced_on)
        assert refusal.value.field == "announced_on"
    assert add(programme, since, count=6, announced_on=(NOW - days(9)).date()).count == 6


def test_the_day_of_a_policy_is_a_day_in_the_programmes_zone(programme):
    since = datetime(2025, 4, 1, 15, tzinfo=UTC)  # already 2 April in Seoul
    assert add(programme, since, count=6, announced_on=date(2025, 3, 3)).count == 6


def test_a_programme_without_a_notice_of_its_own_announces_a_worse_policy_on_its_first_day(programme):
    programme.policy_notice_days = 0
    programme.save()
    with nothing_changes(), pytest.raises(WorseTooSoon):
        add(programme, count=6)
    assert add(programme, count=6, announced_on=NOW.date()).count == 6


def test_what_is_worse_is_worse_than_the_policy_it_follows_for_its_own_origin(programme):
    add(programme, origin=Origin.PROMOTION, count=24)
    with nothing_changes(), pytest.raises(WorseTooSoon):
        add(programme, NOW + days(1), origin=Origin.PROMOTION, count=12)
    assert add(programme, NOW + days(1), origin=Origin.PURCHASE, count=12).count == 12  # as for all


@pytest.mark.parametrize(
    ("terms", "worse"),
    [
        ({"restored_floor_days": 10}, "restored_floor_days"),
        ({"accepts_waivers": True}, "accepts_waivers"),
        ({"spendable_after_days": 1}, "spendable_after_days"),
        ({"reinstate_life_days": 29}, "reinstate_life_days"),
        ({"rounding": Rounding.NONE, "notice_channels": 2}, "model"),
    ],
)
def test_whatever_is_worse_is_named(programme, terms, worse):
    with nothing_changes(), pytest.raises(WorseTooSoon, match=worse):
        add(programme, **terms)


def test_a_better_policy_before_one_on_record_is_no_way_round_the_notice(programme):
    """Twelve months from day 20 on are no loss to those of today, and one to twenty-four months from now on."""
    add(programme, NOW + days(20), count=12)
    with nothing_changes(), pytest.raises(WorseTooSoon, match=r"2025-03-30: New .* \(model\): .* by 2025-02-28") as no:
        add(programme, count=24)
    assert no.value.field == "effective_from"
    assert add(programme, NOW + days(21), count=24).count == 24  # behind that one
    assert add(programme, origin=Origin.PROMOTION, count=24).count == 24  # followed by none of its own


def test_where_what_comes_later_was_announced_a_better_policy_can_go_before_it(programme):
    add(programme, NOW + days(40), count=6, announced_on=NOW.date())
    assert add(programme, count=24).count == 24


def test_a_milder_clawback_needs_no_notice(programme):
    assert add(programme, clawback_beyond=Beyond.WRITE_OFF).clawback_beyond == "write_off"


@pytest.mark.parametrize(
    ("field", "terms"),
    [("count", {"count": 1201}), ("rounding", {"rounding": "decade"}), ("origin", {"origin": "lottery"})],
)
def test_a_term_that_cannot_be_is_refused_by_its_name(programme, field, terms):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        add(programme, **terms)
    assert refusal.value.field == field


def test_an_instant_without_a_zone_is_refused(programme):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        add(programme, datetime(2025, 6, 1))  # noqa: DTZ001  # without a zone
    assert refusal.value.field == "effective_from"


def test_of_one_instant_and_origin_there_is_one_policy(programme):
    add(programme, count=24)
    with nothing_changes(), pytest.raises(BadInput):
        add(programme, count=36)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # there it is never the same day
def test_books_are_closed_until_today_in_the_programmes_zone_at_most(zone):
    programme = builders.moa(zone=zone)
    today = datetime.now(ZoneInfo(zone)).date()
    for late in (date(2125, 1, 1), today + timedelta(days=2)):
        programme.books_closed_until = late
        with pytest.raises(ValidationError, match="Books close until today") as refusal:
            programme.full_clean()
        assert list(refusal.value.message_dict) == ["books_closed_until"]
    programme.books_closed_until = today
    programme.full_clean()


@pytest.mark.parametrize("earlier", [date(2025, 2, 27), None])
def test_books_that_are_closed_stay_closed(earlier):
    programme = builders.moa()
    builders.byeol().full_clean()  # another's day is none of its own
    programme.books_closed_until = date(2025, 2, 28)
    programme.full_clean()
    programme.save()
    programme.books_closed_until = earlier
    with pytest.raises(ValidationError, match="stay closed: not before 2025-02-28") as refusal:
        programme.full_clean()
    assert list(refusal.value.message_dict) == ["books_closed_until"]
    programme.books_closed_until = date(2025, 3, 1)
    programme.full_clean()
