"""The ledger's policies in the admin: what breaks the pack is refused at its field, or kept with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from alerts.models import Override, ReminderRule, TellingRules
from alerts.rules.linting import lint
from ledger.models import Policy, Programme
from tests import alert_builders, builders

ADD = "/admin/ledger/policy/add/"
MOST_DUTY = "a notice duty of at least 30 days"


@pytest.fixture
def byeol(db: None) -> Programme:
    return alert_builders.byeol_by_the_pack()


def terms(**changes: object) -> dict[str, object]:
    """A policy of the same terms that begins in a year, announced today."""
    begins = timezone.now() + timedelta(days=365)
    return {
        "effective_from_0": str(begins.date()),
        "effective_from_1": "00:00",
        "announced_on": str(timezone.now().date()),
        "origin": "",
        "model": "rolling",
        "count": 12,
        "unit": "months",
        "rounding": "month",
        "fixed_month": 0,
        "fixed_day": 0,
        "spendable_after_days": 0,
        "restored_floor_days": 7,
        "reinstate_window_days": 30,
        "reinstate_life_days": 30,
        "notice_days": 30,
        "notice_slack": 3,
        "notice_max_days": 0,
        "notice_channels": 2,
        "clawback_beyond": "debt",
        "override": "",
    } | changes


def inline(programme: Programme, **changes: object) -> dict[str, object]:
    """The programme's page with that policy added."""
    own = {"name": "Byeol", "unit": "P", "language": "ko", "currency": "KRW", "earn_rate": "1"}
    own |= {"policy_notice_days": "30", "cooling_off_days": "7"}
    counted = {"policies-TOTAL_FORMS": 2, "policies-INITIAL_FORMS": 1, "policies-MIN_NUM_FORMS": 0}
    counted |= {"point_values-TOTAL_FORMS": 0, "point_values-INITIAL_FORMS": 0}
    first = {"policies-0-id": programme.policies.get().pk, "policies-0-programme": programme.pk}
    added = {f"policies-1-{name}": value for name, value in terms(**changes).items()}
    return own | counted | first | added | {"policies-1-programme": programme.pk}


def errors(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = page.context["adminform"].form.errors
    return found


def made() -> list[tuple[str, str, str, str]]:
    return list(Override.objects.order_by("pk").values_list("rule", "found", "reason", "by"))


def test_a_policy_that_keeps_the_pack_is_added(admin_client, byeol):
    assert admin_client.post(ADD, terms(programme=byeol.pk)).status_code == 302
    assert byeol.policies.count() == 2
    assert made() == []


def test_one_that_breaks_it_is_refused_at_its_field_and_nothing_is_written(admin_client, byeol):
    page = admin_client.post(ADD, terms(programme=byeol.pk, notice_days=10, notice_channels=1, override="  "))
    assert MOST_DUTY in str(errors(page)["notice_days"])
    assert "There is: the new policy: 10 days. (kr-general.duty_days;" in str(errors(page)["notice_days"])
    assert "kr-general.channels" in str(errors(page)["notice_channels"])
    assert byeol.policies.count() == 1
    assert made() == []
    assert lint(byeol, now=timezone.now()) == []


def test_what_the_reminders_do_not_keep_stands_above_the_form(admin_client, byeol):
    page = admin_client.post(ADD, terms(programme=byeol.pk, notice_days=70))
    assert errors(page).keys() == {"__all__"}
    assert "a first reminder at least 73 days before" in str(errors(page)["__all__"])
    assert byeol.policies.count() == 1


def test_with_a_reason_it_is_kept_as_an_exception_for_that_policy(admin_client, admin_user, byeol):
    sent = terms(programme=byeol.pk, notice_days=10, override=" agreed with the supervisor ")
    assert admin_client.post(ADD, sent).status_code == 302
    policy = byeol.policies.get(notice_days=10)
    by = f"staff:{admin_user.pk}"
    assert made() == [("kr-general.duty_days", f"policy {policy.pk}: 10", "agreed with the supervisor", by)]
    assert [found.overridden_by for found in lint(byeol, now=timezone.now())] == ["agreed with the supervisor"]
    page = admin_client.get(reverse("admin:ledger_policy_change", args=[policy.pk])).content.decode()
    assert f"kr-general.duty_days (policy {policy.pk}: 10): agreed with the supervisor" in page
    # The next one needs a reason of its own.
    later = str((timezone.now() + timedelta(days=500)).date())
    page = admin_client.post(ADD, sent | {"effective_from_0": later, "override": ""})
    assert MOST_DUTY in str(errors(page)["notice_days"])
    assert byeol.policies.count() == 2


def test_on_the_programmes_page_it_is_the_same(admin_client, byeol):
    url = reverse("admin:ledger_programme_change", args=[byeol.pk])
    assert 'name="policies-__prefix__-override"' in admin_client.get(url).content.decode()
    page = admin_client.post(url, inline(byeol, notice_days=10))
    assert MOST_DUTY in page.content.decode()
    assert (byeol.policies.count(), made()) == (1, [])
    assert admin_client.post(url, inline(byeol, notice_days=10, override="a pilot")).status_code == 302
    policy = byeol.policies.get(notice_days=10)
    assert [row[:3] for row in made()] == [("kr-general.duty_days", f"policy {policy.pk}: 10", "a pilot")]
    assert f"kr-general.duty_days (policy {policy.pk}: 10): a pilot" in admin_client.get(url).content.decode()


def test_a_reason_without_a_breach_is_no_exception(admin_client, byeol):
    assert admin_client.post(ADD, terms(programme=byeol.pk, override="just in case")).status_code == 302
    assert made() == []


def test_a_programme_that_reminds_nobody_yet_is_held_to_nothing(admin_client, byeol):
    moa = builders.moa()
    assert admin_client.post(ADD, terms(programme=moa.pk)).status_code == 302
    assert moa.policies.count() == 2
    assert made() == []


def test_a_pack_that_a_policy_breaks_is_refused_or_chosen_with_a_reason(admin_client, byeol):
    """The other way round: the policy is there first."""
    moa = builders.byeol("moa", notice_days=10, notice_channels=2)
    policy = Policy.objects.get(programme=moa)
    for rule in byeol.reminder_rules.all():
        ReminderRule.objects.create(
            programme=moa, offset_days=rule.offset_days, channels=rule.channels, at_once=rule.at_once
        )
    sent = {
        "programme": moa.pk,
        "pack": "kr-general",
        "open_from": "09:00",
        "open_until": "20:30",
        "country": "KR",
        "counts_when": "accepted",
        "text_kept_days": 365,
        "blast_factor": 5,
        "blast_least": 1000,
    }
    add = reverse("admin:alerts_tellingrules_add")
    page = admin_client.post(add, sent)
    assert MOST_DUTY in str(errors(page))
    assert not TellingRules.objects.filter(programme=moa).exists()
    assert admin_client.post(add, sent | {"override": "until May"}).status_code == 302
    assert [row[:3] for row in made()] == [("kr-general.duty_days", f"policy {policy.pk}: 10", "until May")]


def test_who_may_not_add_policies_adds_none_with_a_reason(client, django_user_model, byeol):
    client.force_login(django_user_model.objects.create_user("nari", is_staff=True))
    assert client.post(ADD, terms(programme=byeol.pk, notice_days=10, override="x")).status_code == 403
    assert (byeol.policies.count(), made()) == (1, [])
