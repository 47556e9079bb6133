"""A rule that would break the pack anew is refused, or saved with its exception in one transaction."""

from __future__ import annotations

from datetime import time

import pytest
from django.db import DatabaseError, transaction

from alerts.errors import BadInput
from alerts.models import Override, ReminderRule, TellingRules
from alerts.rules import holding, programme_rules
from alerts.rules.linting import lint
from alerts.watch import switches
from ledger.models import Policy, Programme
from tests import alert_builders, builders
from tests.builders import NOW, STAFF, days


@pytest.fixture
def byeol(db: None) -> Programme:
    return alert_builders.byeol_by_the_pack()


def keep(row: TellingRules | ReminderRule, reason: str = "") -> None:
    holding.keep(row, reason=reason, by=STAFF, now=NOW)


def overrides() -> list[tuple[str, str, str, str]]:
    return list(Override.objects.order_by("pk").values_list("rule", "found", "reason", "by"))


def with_hours(programme: Programme, until: time) -> TellingRules:
    rules = TellingRules.objects.get(programme=programme)
    rules.open_until = until
    return rules


def test_what_keeps_the_pack_is_saved(byeol):
    keep(with_hours(byeol, time(20)))
    assert TellingRules.objects.get().open_until == time(20)
    assert overrides() == []


def test_what_breaks_it_is_refused_with_the_findings_text_and_nothing_is_written(byeol):
    with pytest.raises(BadInput) as refusal:
        keep(with_hours(byeol, time(21)), reason="  ")
    assert refusal.value.field == "open_until"
    assert "SMS and AlimTalk only from 09:00 until 20:30" in refusal.value.detail
    assert "kr-general.hours" in refusal.value.detail
    assert TellingRules.objects.get().open_until == time(20, 30)
    assert overrides() == []


def test_with_a_reason_it_is_saved_and_the_exception_stands_for_good(byeol):
    keep(with_hours(byeol, time(21)), reason=" as our members asked ")
    assert overrides() == [("kr-general.hours", "09:00–21:00", "as our members asked", "staff:1")]
    assert Override.objects.get().at == NOW
    assert [finding.overridden_by for finding in lint(byeol, now=NOW)] == ["as our members asked"]
    for act in (Override.objects.all().delete, lambda: Override.objects.update(reason="x")):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    keep(with_hours(byeol, time(20)))
    keep(with_hours(byeol, time(21)))  # the exception is for this very thing: no reason is asked again
    assert len(overrides()) == 1
    with pytest.raises(BadInput):
        keep(with_hours(byeol, time(22)))  # and for nothing worse
    assert TellingRules.objects.get().open_until == time(21)


def test_a_row_that_breaks_its_own_rules_leaves_no_exception(byeol):
    rules = with_hours(byeol, time(21))
    rules.country = "XX"
    with pytest.raises(BadInput) as refusal:
        keep(rules, reason="as our members asked")
    assert refusal.value.field == "country"
    assert overrides() == []


def test_a_reason_that_is_too_long_is_refused(byeol):
    with pytest.raises(BadInput) as refusal:
        keep(with_hours(byeol, time(21)), reason="x" * 501)
    assert refusal.value.field == "override"
    assert TellingRules.objects.get().open_until == time(20, 30)


def test_choosing_a_pack_is_held_against_all_that_there_is(db):
    programme = builders.byeol()  # on one channel, and without reminders
    policy = programme.policies.get()
    rules = TellingRules(programme=programme, pack="kr-general")
    expected = [
        ("kr-general.channels", f"policy {policy.pk}: 1"),
        ("kr-general.offsets", "none 60 days before"),
        ("kr-general.offsets", "none 30 days before"),
        ("kr-general.offsets", "none 3 days before"),
    ]
    # That nobody is told in time holds without a pack, too: it is not this row that breaks it.
    assert [(f.rule, f.found) for f in holding.broken_by(rules, now=NOW)] == expected
    with pytest.raises(BadInput):
        keep(rules)
    assert not TellingRules.objects.exists()
    keep(rules, reason="we have a month to get there")
    assert [(rule, found) for rule, found, *_ in overrides()] == expected


def test_what_is_broken_already_can_be_put_right_one_step_at_a_time(byeol):
    ReminderRule.objects.all().delete()
    for offset in (60, 30, 3):
        keep(ReminderRule(programme=byeol, offset_days=offset, channels=["sms", "email"], at_once=2))
    assert lint(byeol, now=NOW) == []
    assert overrides() == []


def test_a_reminder_that_breaks_the_pack_is_refused_or_excused(byeol):
    rule = ReminderRule.objects.get(offset_days=3)
    rule.at_once = 1
    with pytest.raises(BadInput) as refusal:
        keep(rule)
    assert refusal.value.field == "at_once"
    assert ReminderRule.objects.get(offset_days=3).at_once == 2
    rule = ReminderRule.objects.get(offset_days=30)
    rule.offset_days = 33
    with pytest.raises(BadInput) as refusal:
        keep(rule)
    assert refusal.value.field == "offset_days"
    keep(rule, reason="with the slack")
    assert overrides() == [("kr-general.offsets", "none 30 days before", "with the slack", "staff:1")]
    assert list(ReminderRule.objects.values_list("offset_days", flat=True)) == [60, 33, 3]


def test_without_a_pack_nothing_is_asked(db):
    programme = builders.moa()
    keep(TellingRules(programme=programme, open_until=time(23)))
    keep(ReminderRule(programme=programme, offset_days=5))
    assert overrides() == []


def test_a_programme_that_was_stopped_in_the_meantime_stays_stopped(byeol):
    rules = with_hours(byeol, time(20))
    switches.stop_programme(programme=byeol, by=STAFF, why="wrong words", now=NOW)
    keep(rules)
    kept = TellingRules.objects.get()
    assert (kept.open_until, kept.stopped_at, kept.stopped_why) == (time(20), NOW, "wrong words")


def test_a_new_policy_is_held_to_the_pack_before_it_is_saved_and_excused_after(byeol):
    lax = Policy(programme=byeol, effective_from=NOW + days(400), notice_days=10, notice_channels=2, count=12)
    broken = holding.broken_by_policy(lax, now=NOW)
    assert [(found.rule, found.field) for found in broken] == [("kr-general.duty_days", "notice_days")]
    assert "There is: the new policy: 10 days." in broken[0].text
    lax.save()
    with pytest.raises(BadInput) as refusal:
        holding.excuse_policy(lax, reason=" ", by=STAFF, now=NOW)
    assert refusal.value.field == "notice_days"
    assert overrides() == []
    holding.excuse_policy(lax, reason="a pilot", by=STAFF, now=NOW)
    assert overrides() == [("kr-general.duty_days", f"policy {lax.pk}: 10", "a pilot", "staff:1")]
    assert holding.broken_by_policy(lax, now=NOW) == []


def test_a_policy_is_not_charged_with_what_was_broken_before(byeol):
    ReminderRule.objects.filter(offset_days=3).delete()
    same = Policy(programme=byeol, effective_from=NOW + days(400), notice_days=30, notice_channels=2, count=12)
    assert holding.broken_by_policy(same, now=NOW) == []


def test_a_policy_of_a_programme_with_reminders_alone_is_held_to_what_is_asked_whatever_the_pack(db):
    programme = builders.moa()
    strict = Policy(programme=programme, effective_from=NOW + days(400), notice_days=30, count=12)
    assert holding.broken_by_policy(strict, now=NOW) == []  # it reminds nobody yet
    programme_rules.remind(programme=programme, offset_days=30)
    (found,) = holding.broken_by_policy(strict, now=NOW)
    assert (found.rule, found.found) == ("house.first_reminder", "policy None: 33")
