"""The findings of a programme as its tables are, with the exceptions that were made."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from alerts.models import Override, TellingRules
from alerts.models.contact import Channel
from alerts.rules import programme_rules
from alerts.rules.judging import PolicyFacts, ReminderFacts
from alerts.rules.linting import facts_of, lint
from alerts.texts import template_versions
from alerts.texts.words import Words
from ledger.kinds import Origin
from ledger.models import Programme
from tests import builders
from tests.builders import NOW, days

BOTH = (Channel.SMS, Channel.EMAIL)


@pytest.fixture
def byeol(db: None) -> Programme:
    """Byeol, which keeps the general pack of Korea in everything."""
    programme = builders.byeol(notice_channels=2)
    for offset in (60, 30, 3):
        programme_rules.remind(programme=programme, offset_days=offset, channels=BOTH, at_once=2)
    TellingRules.objects.create(programme=programme, pack="kr-general")
    return programme


def found(programme: Programme, *, now=NOW) -> list[tuple[str, str, str | None]]:
    return [(f.rule, f.found, f.overridden_by) for f in lint(programme, now=now)]


def test_a_programme_that_keeps_its_pack(byeol):
    assert found(byeol) == []


def test_the_facts_are_those_of_the_tables(byeol):
    facts = facts_of(byeol, now=NOW)
    policy = byeol.policies.get()
    assert (facts.pack, facts.open_from, facts.open_until, facts.country) == (
        "kr-general",
        time(9),
        time(20, 30),
        "KR",
    )
    assert facts.policies == [PolicyFacts(policy.pk, "rolling", 12, "months", 30, 3, 0, 2)]
    assert facts.reminders == [ReminderFacts(offset, ("sms", "email"), 2) for offset in (60, 30, 3)]
    assert facts.templates == []


def test_without_rules_of_its_own_a_programme_has_no_pack(db):
    programme = builders.byeol()
    assert facts_of(programme, now=NOW).pack == ""
    policy = programme.policies.get()
    assert found(programme) == [("house.first_reminder", f"policy {policy.pk}: 33", None)]


def test_policies_in_force_and_to_come_are_held_against_the_pack(byeol):
    replaced = builders.policy(byeol, effective_from=NOW + days(1), notice_days=20, notice_channels=2)
    promotion = builders.policy(
        byeol, effective_from=NOW + days(2), notice_days=10, notice_channels=2, origin=Origin.PROMOTION
    )
    builders.policy(byeol, effective_from=NOW + days(10), notice_days=30, notice_channels=2)
    both = {f"policy {replaced.pk}: 20", f"policy {promotion.pk}: 10"}
    assert {what for _, what, _ in found(byeol)} == both  # they are to come
    assert {what for _, what, _ in found(byeol, now=NOW + days(5))} == both  # they are in force
    later = found(byeol, now=NOW + timedelta(days=10))  # the one for all origins has been followed by a good one
    assert later == [("kr-general.duty_days", f"policy {promotion.pk}: 10", None)]


def test_only_the_newest_words_of_a_template_count(byeol):
    TellingRules.objects.update(country="CA-ON")  # where English advertising needs no mark

    def save(text: str) -> None:
        template_versions.save(
            programme=byeol,
            channel="sms",
            language="en",
            purpose="advertising",
            words=Words(text),
            by=builders.STAFF,
            now=NOW,
        )

    save("Byeol")
    TellingRules.objects.update(country="KR")
    assert found(byeol) == [("kr-general.advertising_mark", "sms/en/advertising: mark_missing", None)]
    save("(광고) Byeol")
    assert found(byeol) == []


def test_an_exception_is_for_what_was_found_then(byeol):
    TellingRules.objects.update(open_until=time(21))

    def except_for(rule: str, what: str, reason: str) -> None:
        Override.objects.create(programme=byeol, rule=rule, found=what, reason=reason, by="staff:1", at=NOW)

    except_for("kr-general.hours", "09:00–21:00", "as our members asked")
    assert found(byeol) == [("kr-general.hours", "09:00–21:00", "as our members asked")]
    except_for("kr-general.hours", "09:00–21:00", "the newest reason counts")
    assert found(byeol) == [("kr-general.hours", "09:00–21:00", "the newest reason counts")]
    TellingRules.objects.update(open_until=time(22))
    assert found(byeol) == [("kr-general.hours", "09:00–22:00", None)]


def test_an_exception_of_another_programme_says_nothing(byeol):
    TellingRules.objects.update(open_until=time(21))
    Override.objects.create(
        programme=builders.moa(), rule="kr-general.hours", found="09:00–21:00", reason="x", by="staff:1", at=NOW
    )
    assert found(byeol) == [("kr-general.hours", "09:00–21:00", None)]
