"""The rules of telling in the admin: what breaks the pack is refused at its field, or kept with a reason."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from django.urls import reverse

from alerts.admin import pages
from alerts.models import Holiday, Override, ReminderRule, TellingRules
from ledger.models import Programme
from tests import alert_builders, builders

SCHEDULE = "admin:alerts_reminderrule_schedule"


@pytest.fixture
def byeol(db: None) -> Programme:
    return alert_builders.byeol_by_the_pack()


def add(model: str) -> str:
    return reverse(f"admin:alerts_{model}_add")


def change(row: Any) -> str:
    return reverse(f"admin:alerts_{row._meta.model_name}_change", args=[row.pk])


def rules_form(**changes: object) -> dict[str, object]:
    return {
        "pack": "kr-general",
        "open_from": "09:00",
        "open_until": "20:30",
        "country": "KR",
        "counts_when": "accepted",
        "text_kept_days": 365,
        "blast_factor": 5,
        "blast_least": 1000,
    } | changes


def reminder_form(**changes: object) -> dict[str, object]:
    return {"offset_days": 60, "channels": "sms, email", "at_once": 2, "least_points": 1} | changes


def errors(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = page.context["adminform"].form.errors
    return found


@pytest.mark.parametrize("model", ["tellingrules", "reminderrule", "holiday", "override"])
def test_every_list_opens_in_a_bounded_page(admin_client, byeol, model):
    Holiday.objects.create(programme=byeol, day=date(2026, 2, 17))
    Override.objects.create(programme=byeol, rule="x.y", found="z", reason="r", by="staff:1", at=builders.NOW)
    page = admin_client.get(reverse(f"admin:alerts_{model}_changelist"))
    assert page.status_code == 200
    assert isinstance(page.context["cl"].paginator, pages.BoundedPaginator)
    assert "Byeol" in page.content.decode()


@pytest.mark.parametrize("model", ["tellingrules", "reminderrule", "holiday"])
def test_every_form_opens_empty(admin_client, db, model):
    assert admin_client.get(add(model)).status_code == 200


def test_hours_outside_the_pack_are_refused_with_the_findings_text_at_the_field(admin_client, byeol):
    page = admin_client.post(change(byeol.telling), rules_form(open_until="21:00"))
    (said,) = errors(page)["open_until"]
    assert said.startswith("Asked: SMS and AlimTalk only from 09:00 until 20:30. There is: 09:00–21:00.")
    assert "Network Act" in said
    assert TellingRules.objects.get().open_until == time(20, 30)
    assert not Override.objects.exists()


def test_with_a_reason_they_are_kept_as_an_exception(admin_client, byeol, admin_user):
    form = rules_form(open_until="21:00", override="as our members asked")
    assert admin_client.post(change(byeol.telling), form).status_code == 302
    assert TellingRules.objects.get().open_until == time(21)
    made = Override.objects.get()
    assert (made.programme, made.rule, made.found, made.reason, made.by) == (
        byeol,
        "kr-general.hours",
        "09:00–21:00",
        "as our members asked",
        f"staff:{admin_user.pk}",
    )
    page = admin_client.get(change(byeol.telling)).content.decode()
    assert "Exception: as our members asked" in page


def test_a_reason_without_need_writes_no_exception(admin_client, byeol):
    assert admin_client.post(change(byeol.telling), rules_form(override="to be safe")).status_code == 302
    assert not Override.objects.exists()


def test_a_broken_policy_stands_on_the_page_of_the_rules(admin_client, byeol):
    policy = builders.policy(byeol, effective_from=builders.NOW + builders.days(9_999), notice_days=10)
    page = admin_client.get(change(byeol.telling)).content.decode()
    assert f"policy {policy.pk}: 10 days" in page
    assert "kr-general.duty_days" in page
    # It is not what this save would break.
    assert admin_client.post(change(byeol.telling), rules_form(open_until="20:00")).status_code == 302


def test_a_pack_is_chosen_for_a_programme_that_has_none(admin_client, byeol):
    moa = builders.moa()
    page = admin_client.post(add("tellingrules"), rules_form(programme=moa.pk))
    said = str(errors(page))
    assert "a notice duty of at least 30 days" in said
    assert "a reminder 60 days before" in said
    assert not TellingRules.objects.filter(programme=moa).exists()
    assert admin_client.post(add("tellingrules"), rules_form(programme=moa.pk, pack="")).status_code == 302
    assert TellingRules.objects.get(programme=moa).pack == ""


@pytest.mark.parametrize(("field", "value"), [("country", "XX"), ("pack", "mars"), ("open_from", "x")])
def test_a_value_that_is_not_known_is_refused_at_its_field(admin_client, byeol, field, value):
    page = admin_client.post(change(byeol.telling), rules_form(**{field: value}))
    assert field in errors(page)
    assert TellingRules.objects.get().country == "KR"


def test_rules_stay_with_their_programme_and_are_not_deleted(admin_client, byeol):
    moa = builders.moa()
    for row, form in (
        (byeol.telling, rules_form()),
        (byeol.reminder_rules.get(offset_days=60), reminder_form()),
    ):
        assert admin_client.post(change(row), form | {"programme": moa.pk}).status_code == 302
        row.refresh_from_db()
        assert row.programme == byeol
        delete = reverse(f"admin:alerts_{row._meta.model_name}_delete", args=[row.pk])
        assert admin_client.post(delete, {"post": "yes"}).status_code == 403


def test_a_reminders_channels_keep_the_order_in_which_they_are_written(admin_client, byeol):
    rule = byeol.reminder_rules.get(offset_days=60)
    page = admin_client.get(change(rule)).content.decode()
    assert 'value="sms, email"' in page
    assert admin_client.post(change(rule), reminder_form(channels="alimtalk email,sms")).status_code == 302
    rule.refresh_from_db()
    assert rule.channels == ["alimtalk", "email", "sms"]


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ("sms, pigeon", "“pigeon” is no channel; there are email, sms, alimtalk."),
        ("sms, email, sms", "“sms” stands here twice"),
        ("SMS, email", "“SMS” is no channel"),
        (" , ", "This field is required."),
    ],
)
def test_channels_that_are_unknown_or_doubled_are_refused_by_name(admin_client, byeol, channels, said):
    rule = byeol.reminder_rules.get(offset_days=60)
    page = admin_client.post(change(rule), reminder_form(channels=channels))
    assert said in str(errors(page)["channels"])
    rule.refresh_from_db()
    assert rule.channels == ["sms", "email"]


def test_a_reminder_that_breaks_the_pack_is_refused_or_excused(admin_client, byeol):
    rule = byeol.reminder_rules.get(offset_days=3)
    page = admin_client.post(change(rule), reminder_form(offset_days=3, at_once=1))
    assert "at least 2 channels at once" in str(errors(page)["at_once"])
    page = admin_client.post(change(rule), reminder_form(offset_days=5))
    assert "a reminder 3 days before" in str(errors(page)["offset_days"])
    rule.refresh_from_db()
    assert (rule.offset_days, rule.at_once) == (3, 2)
    form = reminder_form(offset_days=5, override="weekends")
    assert admin_client.post(change(rule), form).status_code == 302
    assert Override.objects.get().found == "none 3 days before"


def schedule_form(programme: Programme, /, **changes: object) -> dict[str, object]:
    form = {"programme": programme.pk, "offsets": "60, 30, 3", "channels": "sms, email"}
    return form | {"at_once": 2, "least_points": 1} | changes


def offsets_of(programme: Programme) -> list[int]:
    return list(ReminderRule.objects.filter(programme=programme).values_list("offset_days", flat=True))


def test_a_whole_schedule_is_entered_at_once(admin_client, byeol):
    page = admin_client.get(reverse("admin:alerts_reminderrule_changelist")).content.decode()
    assert reverse(SCHEDULE) in page
    assert admin_client.get(reverse(SCHEDULE)).status_code == 200
    form = schedule_form(byeol, offsets="90 60,30, 3", channels="email, sms")
    assert admin_client.post(reverse(SCHEDULE), form).status_code == 302
    assert offsets_of(byeol) == [90, 60, 30, 3]
    assert byeol.reminder_rules.first().channels == ["email", "sms"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("offsets", "3, 30, 60", "30 cannot follow 3"),
        ("offsets", "60, 60", "60 cannot follow 60"),
        ("offsets", "60, x", "“x” is no number of days"),
        ("offsets", "60, -3", "“-3” is no number of days"),
        ("offsets", "60, ３", "“３” is no number of days"),
        ("offsets", "", "This field is required."),
        ("offsets", "99999, 60, 30, 3", "99999: "),
        ("channels", "pigeon", "“pigeon” is no channel"),
        ("channels", "sms, sms", "“sms” stands here twice"),
        ("at_once", "3", "At most 2"),
        ("programme", "0", "Select a valid choice"),
        ("least_points", "0", "greater than or equal to 1"),
    ],
)
def test_a_schedule_that_is_off_is_refused_at_its_field_and_changes_nothing(admin_client, byeol, field, value, said):
    page = admin_client.post(reverse(SCHEDULE), schedule_form(byeol, **{field: value}))
    assert said in str(page.context["form"].errors[field])
    assert offsets_of(byeol) == [60, 30, 3]


def test_a_schedule_that_breaks_the_pack_needs_a_reason(admin_client, byeol):
    page = admin_client.post(reverse(SCHEDULE), schedule_form(byeol, offsets="60, 3"))
    assert "a reminder 30 days before" in str(page.context["form"].errors["offsets"])
    assert offsets_of(byeol) == [60, 30, 3]
    form = schedule_form(byeol, offsets="60, 3", override="two are enough")
    assert admin_client.post(reverse(SCHEDULE), form).status_code == 302
    assert offsets_of(byeol) == [60, 3]
    assert Override.objects.get().reason == "two are enough"


def test_who_may_not_change_reminders_sees_no_schedule(client, django_user_model, byeol):
    client.force_login(django_user_model.objects.create_user("nari", is_staff=True))
    assert client.post(reverse(SCHEDULE), schedule_form(byeol, offsets="90")).status_code == 403
    assert offsets_of(byeol) == [60, 30, 3]


def test_a_holiday_is_entered_once(admin_client, byeol):
    form = {"programme": byeol.pk, "day": "2026-02-17", "name": "we work"}
    assert admin_client.post(add("holiday"), form).status_code == 302
    row = Holiday.objects.get()
    assert (row.day, row.is_holiday) == (date(2026, 2, 17), False)
    assert admin_client.post(add("holiday"), form).status_code == 200
    assert Holiday.objects.count() == 1


def test_an_exception_can_only_be_looked_at(admin_client, byeol):
    made = Override.objects.create(
        programme=byeol, rule="x.y", found="z", reason="because", by="staff:1", at=builders.NOW
    )
    assert "because" in admin_client.get(change(made)).content.decode()
    assert admin_client.post(change(made), {"reason": "x"}).status_code == 403
    assert admin_client.get(add("override")).status_code == 403
    assert admin_client.post(reverse("admin:alerts_override_delete", args=[made.pk])).status_code == 403
