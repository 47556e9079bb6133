"""What a programme has against what its pack asks, from plain facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any, get_args

import pytest

from alerts.rules.judging import LINE_OF, Facts, PolicyFacts, ReminderFacts, TemplateFacts, judge
from alerts.rules.packs import KR_CARD, KR_GENERAL, KR_PREPAID, ONTARIO, QUEBEC, Pack
from alerts.texts.classifying import Code
from alerts.texts.words import Words

POLICY = PolicyFacts(7, "rolling", 12, "months", 30, 3, 0, 2)
INACTIVITY = replace(POLICY, model="inactivity", notice_max_days=60, notice_channels=1)
NEVER = replace(POLICY, model="never", count=0, notice_days=0)


def reminders(*offsets: int, channels: tuple[str, ...] = ("email", "sms"), at_once: int = 2) -> list[ReminderFacts]:
    return [ReminderFacts(offset, channels, at_once) for offset in offsets]


def words_of(channel: str, text: str, *, purpose: str = "notice", language: str = "ko") -> TemplateFacts:
    return TemplateFacts(1, channel, language, purpose, Words(text))


# Breaks nothing in Korea; and the same in Canada.
KOREAN = Facts("kr-general", time(9), time(20, 30), "KR", [POLICY], reminders(60, 30, 3))
CANADIAN = Facts("quebec", time(8), time(22), "CA-QC", [INACTIVITY], reminders(60, 33, at_once=1))


def broken(pack: Pack | None, facts: Facts, **changes: Any) -> list[tuple[str, str, str]]:
    """(rule, field, what was found) of all findings, in their order."""
    return [(f.rule, f.field, f.found) for f in judge(pack, replace(facts, **changes))]


def test_a_programme_that_keeps_its_pack_has_no_findings():
    assert broken(KR_GENERAL, KOREAN) == []
    assert broken(KR_CARD, KOREAN, reminders=reminders(180, 60, 30, 3)) == []
    assert broken(KR_PREPAID, KOREAN, reminders=reminders(365, 180, 33)) == []
    assert broken(QUEBEC, CANADIAN) == []
    assert broken(ONTARIO, CANADIAN) == []
    assert broken(None, KOREAN, open_from=time(3)) == []


@pytest.mark.parametrize("days", [0, 15, 29])
def test_a_duty_that_is_too_short_is_found(days):
    policy = replace(POLICY, notice_days=days)
    assert broken(KR_GENERAL, KOREAN, policies=[policy]) == [
        ("kr-general.duty_days", "notice_days", f"policy 7: {days}")
    ]
    assert broken(KR_PREPAID, KOREAN, policies=[policy], reminders=reminders(365, 60, 30)) == []


def test_points_that_never_expire_need_no_notice():
    assert broken(KR_GENERAL, KOREAN, policies=[NEVER]) == []
    assert broken(QUEBEC, CANADIAN, policies=[NEVER]) == []


def test_every_policy_is_looked_at():
    policies = [POLICY, replace(POLICY, number=8, notice_days=20), replace(POLICY, number=9, notice_channels=1)]
    assert broken(KR_GENERAL, KOREAN, policies=policies) == [
        ("kr-general.duty_days", "notice_days", "policy 8: 20"),
        ("kr-general.channels", "notice_channels", "policy 9: 1"),
    ]


def test_each_missing_reminder_is_a_finding_of_its_own():
    assert broken(KR_GENERAL, KOREAN, reminders=reminders(90, 33, 3)) == [
        ("kr-general.offsets", "offset_days", "none 60 days before"),
        ("kr-general.offsets", "offset_days", "none 30 days before"),
    ]
    assert broken(KR_CARD, KOREAN) == [("kr-card.offsets", "offset_days", "none 180 days before")]


def test_prepaid_value_is_told_of_three_times_the_first_a_year_before():
    assert broken(KR_PREPAID, KOREAN, reminders=reminders(364)) == [
        ("kr-prepaid.times", "offset_days", "no number 2"),
        ("kr-prepaid.times", "offset_days", "no number 3"),
        ("kr-prepaid.first_days", "offset_days", "364"),
    ]


def test_a_reminder_on_one_channel_is_found():
    mixed = [*reminders(60, 30), *reminders(3, at_once=1)]
    assert broken(KR_GENERAL, KOREAN, reminders=mixed) == [("kr-general.channels", "at_once", "reminder 3: 1")]


def test_an_alimtalk_needs_another_channel_beside_it():
    alone = [*reminders(365, 60, 30), *reminders(3, channels=("alimtalk",), at_once=1)]
    assert broken(KR_PREPAID, KOREAN, reminders=alone) == [
        ("kr-prepaid.alimtalk_origins", "channels", "reminder 3: alimtalk alone")
    ]
    beside = [*reminders(365, 60, 30), *reminders(3, channels=("alimtalk", "sms"), at_once=1)]
    assert broken(KR_PREPAID, KOREAN, reminders=beside) == []


@pytest.mark.parametrize(
    ("opens", "closes", "field"),
    [
        (time(8, 59), time(20, 30), "open_from"),
        (time(9), time(20, 31), "open_until"),
        (time(9), time(9), "open_until"),  # never shut
        (time(20), time(10), "open_until"),  # across midnight
        (time(9), time(0), "open_until"),
    ],
)
def test_hours_outside_those_of_the_pack_are_found(opens, closes, field):
    found = f"{opens:%H:%M}–{closes:%H:%M}"
    assert broken(KR_GENERAL, KOREAN, open_from=opens, open_until=closes) == [("kr-general.hours", field, found)]
    assert broken(QUEBEC, CANADIAN, open_from=opens, open_until=closes) == []


def test_hours_within_those_of_the_pack_are_fine():
    assert broken(KR_GENERAL, KOREAN, open_from=time(10), open_until=time(18)) == []


@pytest.mark.parametrize(
    ("opens", "closes", "is_night"),
    [
        (time(8), time(21), False),
        (time(7, 59), time(21), True),
        (time(8), time(21, 1), True),
        (time(22), time(23), True),
        (time(8), time(8), True),
    ],
)
def test_advertising_in_the_night_needs_a_second_consent(opens, closes, is_night):
    found = broken(
        KR_GENERAL,
        KOREAN,
        open_from=opens,
        open_until=closes,
        templates=[words_of("sms", "(광고) 별", purpose="advertising")],
    )
    assert ("kr-general.advertising_night" in {rule for rule, *_ in found}) == is_night
    quiet = broken(KR_GENERAL, KOREAN, open_from=opens, open_until=closes)
    assert "kr-general.advertising_night" not in {rule for rule, *_ in quiet}


@pytest.mark.parametrize(
    ("model", "count", "unit", "found"),
    [
        ("rolling", 24, "months", [("expiry", "model", "policy 7: rolling")]),
        ("fixed_day", 0, "months", [("expiry", "model", "policy 7: fixed_day")]),
        ("inactivity", 12, "months", []),
        ("inactivity", 11, "months", [("inactivity_years", "count", "policy 7: 11 months")]),
        ("inactivity", 1, "years", []),
        ("inactivity", 365, "days", [("inactivity_years", "count", "policy 7: 365 days")]),
        ("inactivity", 366, "days", []),
        ("inactivity", 52, "weeks", [("inactivity_years", "count", "policy 7: 52 weeks")]),
        ("inactivity", 53, "weeks", []),
    ],
)
def test_in_quebec_points_expire_by_a_year_of_inactivity_alone(model, count, unit, found):
    policy = replace(INACTIVITY, model=model, count=count, unit=unit)
    expected = [(f"quebec.{line}", field, what) for line, field, what in found]
    assert broken(QUEBEC, CANADIAN, policies=[policy]) == expected


def test_in_ontario_time_alone_ends_no_points_and_inactivity_may():
    assert broken(ONTARIO, CANADIAN, policies=[POLICY], reminders=reminders(60)) == [
        ("ontario.expiry", "model", "policy 7: rolling")
    ]
    short = replace(INACTIVITY, count=3, notice_days=0, notice_max_days=0)
    assert broken(ONTARIO, CANADIAN, policies=[short]) == []


@pytest.mark.parametrize("most", [0, 61, 90])
def test_in_quebec_a_notice_that_is_too_early_does_not_count(most):
    policy = replace(INACTIVITY, notice_max_days=most)
    assert broken(QUEBEC, CANADIAN, policies=[policy]) == [
        ("quebec.duty_most_days", "notice_max_days", f"policy 7: {most}")
    ]


def test_whatever_the_pack_there_must_be_time_to_tell():
    for pack in (None, ONTARIO):
        assert broken(pack, CANADIAN, reminders=[]) == [("house.first_reminder", "offset_days", "policy 7: 33")]
        assert broken(pack, CANADIAN, reminders=reminders(32)) == [
            ("house.first_reminder", "offset_days", "policy 7: 33")
        ]
        assert broken(pack, CANADIAN, reminders=reminders(33)) == []
    assert broken(None, CANADIAN, policies=[replace(INACTIVITY, notice_days=0)], reminders=[]) == []


def test_whatever_the_pack_there_must_be_enough_channels_in_time():
    asked = replace(INACTIVITY, notice_channels=2)
    assert broken(None, CANADIAN, policies=[asked]) == [("house.channels", "at_once", "policy 7: 2")]
    one_by_one = [*reminders(60, at_once=1), *reminders(30, channels=("sms",), at_once=1)]
    assert broken(None, CANADIAN, policies=[asked], reminders=one_by_one) == []
    too_late = [*reminders(60, at_once=1), *reminders(29, channels=("sms",), at_once=1)]
    assert broken(None, CANADIAN, policies=[asked], reminders=too_late) == [
        ("house.channels", "at_once", "policy 7: 2")
    ]


@pytest.mark.parametrize(
    ("template", "line", "code"),
    [
        (words_of("sms", "별", purpose="advertising"), "advertising_mark", "mark_missing"),
        (words_of("sms", "[광고] 별", purpose="advertising"), "advertising_mark", "mark_nearly"),
        (words_of("sms", "(광고) {{ points }}"), "notice_alone", "mark_on_a_notice"),
        (words_of("sms", "[광고] {{ points }}"), "notice_alone", "mark_nearly"),
        (words_of("sms", "{{ points }} 할인"), "notice_alone", "advertising_in_a_notice"),
        (words_of("alimtalk", "{{ points }}"), "alimtalk_sentence", "sentence_missing"),
        (words_of("alimtalk", "(광고)", purpose="advertising"), "alimtalk_origins", "advertising_by_alimtalk"),
    ],
)
def test_words_that_mix_or_lack_their_marks_are_found(template, line, code):
    where = f"{template.channel}/ko/{template.purpose}"
    assert broken(KR_GENERAL, KOREAN, templates=[template]) == [(f"kr-general.{line}", "text", f"{where}: {code}")]
    assert broken(None, KOREAN, templates=[template]) == []
    assert broken(ONTARIO, CANADIAN, templates=[template]) == []


def test_every_refusal_of_the_classifier_has_its_line():
    assert set(LINE_OF) == set(get_args(Code))
    assert all(hasattr(KR_GENERAL, line) for line in LINE_OF.values())


def test_a_finding_says_what_is_asked_what_there_is_and_the_source():
    (finding,) = judge(KR_GENERAL, replace(KOREAN, policies=[replace(POLICY, notice_days=15)]))
    assert finding.asks == "a notice duty of at least 30 days"
    assert finding.has == "policy 7: 15 days"
    assert finding.overridden_by is None
    assert finding.text.startswith(
        "Asked: a notice duty of at least 30 days. There is: policy 7: 15 days. (kr-general.duty_days; Korea "
        "Fair Trade Commission"
    )
    assert "fairly sure" in finding.text
