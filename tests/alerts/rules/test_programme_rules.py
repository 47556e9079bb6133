import pytest

from alerts.checked import save_checked
from alerts.errors import BadInput
from alerts.models import ExtensionRule, Override, ReminderRule, TellingRules
from alerts.models.contact import Channel
from alerts.planning.due import Offset
from alerts.rules import programme_rules
from tests import alert_builders, builders


def test_the_first_reminder_must_leave_room_for_the_duty_and_its_slack(db):
    programme = builders.byeol()  # a duty of 30 days, and 3 of slack
    with pytest.raises(BadInput) as refusal:
        programme_rules.remind(programme=programme, offset_days=32)
    assert refusal.value.field == "offset_days"
    assert "33" in refusal.value.detail
    assert not ReminderRule.objects.exists()
    programme_rules.remind(programme=programme, offset_days=33)
    programme_rules.remind(programme=programme, offset_days=3)  # a later one may be as near as it likes
    assert ReminderRule.objects.count() == 2


def test_without_a_duty_any_offset_will_do(moa):
    programme_rules.remind(programme=moa, offset_days=0)


def test_an_offset_is_unique_in_a_programme(byeol):
    with pytest.raises(BadInput) as refusal:
        programme_rules.remind(programme=byeol, offset_days=33)
    assert "already" in refusal.value.detail or refusal.value.detail
    assert ReminderRule.objects.filter(programme=byeol).count() == 3
    programme_rules.remind(programme=builders.moa(), offset_days=33)


@pytest.mark.parametrize(("field", "value"), [("offset_days", -1), ("offset_days", 3_651), ("least_points", 0)])
def test_values_outside_the_limits_are_refused_naming_the_field(byeol, field, value):
    with pytest.raises(BadInput) as refusal:
        programme_rules.remind(programme=byeol, **({"offset_days": 90} | {field: value}))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("active_days", 0),
        ("extend_days", 0),
        ("most_times", 0),
        ("most_times", 101),
        ("days_before", 3_651),
        ("extend_days", 3_651),
    ],
)
def test_an_extension_rule_has_limits(byeol, field, value):
    with pytest.raises(BadInput) as refusal:
        alert_builders.active_rule(byeol, **{field: value})
    assert refusal.value.field == field
    assert not ExtensionRule.objects.exists()


def test_offsets_are_plain_values_the_nearest_first(byeol):
    assert programme_rules.offsets(byeol.pk) == [Offset(3, 1), Offset(33, 1), Offset(60, 1)]


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("channels", {"channels": [Channel.SMS, Channel.SMS]}),
        ("channels", {"channels": []}),
        ("at_once", {"channels": [Channel.SMS, Channel.EMAIL], "at_once": 3}),
        ("at_once", {"at_once": 0}),
    ],
)
def test_channels_that_cannot_be_used_so_are_refused_naming_the_field(moa, field, terms):
    with pytest.raises(BadInput) as refusal:
        programme_rules.remind(programme=moa, offset_days=30, **terms)
    assert refusal.value.field == field
    assert not ReminderRule.objects.exists()


def test_an_unknown_channel_is_refused_at_its_field(moa):
    rule = ReminderRule(programme=moa, offset_days=30, channels=["email", "pigeon"])
    with pytest.raises(BadInput) as refusal:
        save_checked(rule)
    assert refusal.value.field == "channels"
    assert "pigeon" in refusal.value.detail
    assert not ReminderRule.objects.exists()


def test_the_order_of_channels_is_kept(moa):
    programme_rules.remind(programme=moa, offset_days=30, channels=[Channel.SMS, Channel.EMAIL], at_once=2)
    assert ReminderRule.objects.get().channels == ["sms", "email"]


def schedule(programme, *offsets, **more):
    return programme_rules.remind_schedule(
        programme=programme, offsets=offsets, by=builders.STAFF, now=builders.NOW, **more
    )


def rules_of(programme):
    """(days, channels, at once, least points) of the programme's reminders."""
    rows = ReminderRule.objects.filter(programme=programme).order_by("-offset_days")
    return [(row.offset_days, row.channels, row.at_once, row.least_points) for row in rows]


def test_a_whole_schedule_is_set_at_once(byeol):
    kept = ReminderRule.objects.get(programme=byeol, offset_days=60).pk
    rules = schedule(byeol, 90, 60, 30, channels=[Channel.SMS, Channel.EMAIL], at_once=2, least_points=10)
    assert [rule.offset_days for rule in rules] == [90, 60, 30]
    assert rules_of(byeol) == [(days, ["sms", "email"], 2, 10) for days in (90, 60, 30)]
    assert ReminderRule.objects.get(programme=byeol, offset_days=60).pk == kept


@pytest.mark.parametrize(
    ("offsets", "said"),
    [
        ((60, 90, 3), "90 cannot follow 60"),
        ((3, 30, 60), "30 cannot follow 3"),
        ((60, 60, 3), "60 cannot follow 60"),
        ((60, 3, 30), "30 cannot follow 3"),
        ((), "at least one"),
        ((60, 30, -1), "-1: "),
        ((3_651, 60), "3651: "),
        ((99_999_999_999, 60), "99999999999: "),
        ((32, 3), "33"),  # the duty and its slack
    ],
)
def test_a_schedule_in_the_wrong_order_is_refused_whole(byeol, offsets, said):
    before = rules_of(byeol)
    with pytest.raises(BadInput) as refusal:
        schedule(byeol, *offsets)
    assert refusal.value.field == "offsets"
    assert said in refusal.value.detail
    assert rules_of(byeol) == before


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("channels", {"channels": ["pigeon"]}),
        ("channels", {"channels": [Channel.SMS, Channel.SMS]}),
        ("at_once", {"at_once": 2}),
        ("least_points", {"least_points": 0}),
    ],
)
def test_a_schedule_with_a_rule_that_is_off_is_refused_naming_the_field(byeol, field, more):
    before = rules_of(byeol)
    with pytest.raises(BadInput) as refusal:
        schedule(byeol, 90, 60, **more)
    assert refusal.value.field == field
    assert rules_of(byeol) == before


def test_a_schedule_is_held_against_the_pack(byeol):
    TellingRules.objects.create(programme=byeol, pack="kr-prepaid")
    before = rules_of(byeol)
    with pytest.raises(BadInput) as refusal:
        schedule(byeol, 60, 30)
    assert refusal.value.field == "offsets"
    assert "at least 3 reminders" in refusal.value.detail
    assert rules_of(byeol) == before
    assert not Override.objects.exists()
    schedule(byeol, 60, 30, reason="twice is enough for us")
    made = Override.objects.get()
    assert (made.rule, made.found, made.reason) == ("kr-prepaid.times", "no number 3", "twice is enough for us")
    schedule(byeol, 365, 60, 30)
    assert Override.objects.count() == 1


def test_a_schedule_leaves_other_programmes_alone(byeol):
    moa = builders.moa()
    programme_rules.remind(programme=moa, offset_days=5)
    schedule(byeol, 90)
    assert rules_of(moa) == [(5, ["email"], 1, 1)]
