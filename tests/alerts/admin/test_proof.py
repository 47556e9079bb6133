import csv
from io import StringIO

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from alerts.models import Reminder
from tests import alert_builders
from tests.alert_builders import before
from tests.alerts.proof import scene
from tests.windows import stop_clock

SHEET = "admin:alerts_reminder_evidence"


@pytest.fixture
def told(minji, sink, monkeypatch):
    """Minji was told, it came back, and her date was moved; it is noon, ten days before the end."""
    scene.says_no(minji)
    scene.came_back(minji)
    stop_clock(monkeypatch, before(10))
    return minji


def sora(client, *permissions: str) -> None:
    """Sora: staff with exactly these permissions."""
    user = User.objects.create_user("sora", password="x", is_staff=True)
    found = Permission.objects.filter(codename__in=permissions)
    assert found.count() == len(permissions)
    user.user_permissions.set(found)
    client.force_login(user)


def at(account) -> str:
    return reverse(SHEET, args=[account.member_id])


def test_one_click_leads_there_from_the_member_the_account_and_the_contact(admin_client, told):
    link = f'<a href="{at(told)}">Evidence sheet</a>'
    for page in (
        reverse("admin:ledger_member_change", args=[told.member_id]),
        reverse("admin:ledger_account_change", args=[told.pk]),
        reverse("admin:alerts_contact_change", args=[told.member.contacts.get().pk]),
    ):
        assert link in admin_client.get(page).content.decode()


def test_it_says_all_that_happened_by_the_programmes_clock(admin_client, told):
    page = admin_client.get(at(told))
    text = page.content.decode()
    assert page.status_code == 200
    for said in (
        "minji@example.com",
        "Points with the last day 2026-03-31",
        "Planned 2026-01-30 12:00:00 +0900, then of 1,200 points.",
        "Withdrawn 2026-02-09 12:00:00 +0900 (entry 3): the message came back",
        "Nobody was told in time.",
        "refused for good",
        "a call",
        "staff:3",
        "1,200P",
        "points: 1,200P · last day: 2026-03-31 · 60 days before",
    ):
        assert said in text, said
    assert "last_time" not in text


def test_it_has_no_inline_script_or_style_and_a_sheet_for_printing(admin_client, told):
    page = admin_client.get(at(told))
    text = page.content.decode()
    assert "alerts/proof.css" in text
    assert "<style" not in text
    assert " style=" not in text
    assert "default-src 'self'" in page["Content-Security-Policy"].split("; ")


def test_who_may_not_look_at_contacts_sees_masked_addresses(client, told):
    sora(client, "view_reminder", "view_delivery")
    text = client.get(at(told)).content.decode()
    assert "m***@example.com" in text
    assert "minji@example.com" not in text.replace(f"<pre>{alert_builders.the_delivery().text}</pre>", "")
    assert "minji@example.com" not in client.get(at(told), {"as": "csv"}).content.decode()


@pytest.mark.parametrize("permissions", [(), ("view_reminder",), ("view_delivery", "view_contact")])
def test_without_the_permissions_there_is_no_sheet_and_no_link(client, told, permissions):
    sora(client, "view_account", *permissions)
    assert client.get(at(told)).status_code == 403
    page = client.get(reverse("admin:ledger_account_change", args=[told.pk]))
    assert page.status_code == 200
    assert "Evidence sheet" not in page.content.decode()


def test_a_copy_for_the_member_names_nobody_of_the_staff(admin_client, told):
    assert "staff:3" not in admin_client.get(at(told), {"for_member": "on"}).content.decode()


def test_the_same_is_there_as_csv(admin_client, told):
    answer = admin_client.get(at(told), {"as": "csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="evidence-{told.member_id}.csv"'
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["fact"] for row in rows][:2] == ["said no", "reminder planned"]


def test_earlier_dates_are_on_the_next_page(admin_client, told, monkeypatch):
    monkeypatch.setattr("alerts.proof.sheet.DATES", 1)
    scene.told_again(told)
    asked = {"since": "2026-01-01", "for_member": "on"}
    text = admin_client.get(at(told), asked).content.decode()
    assert "Points with the last day 2026-03-31" not in text
    assert 'name="since" value="2026-01-01"' in text
    assert '<input type="hidden" name="for_member" value="on">' in text
    older = text.split('name="before" value="')[1].split('"')[0]
    assert "Points with the last day 2026-03-31" in admin_client.get(at(told), {"before": older}).content.decode()
    rows = csv.DictReader(StringIO(admin_client.get(at(told), {"as": "csv"}).content.decode("utf-8-sig"), newline=""))
    assert {"2026-03-31"} < {row["last_day"] for row in rows}


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "yesterday"},
        {"until": "0001-01-01"},
        {"since": "2026-02-01", "until": "2026-01-01"},
        {"before": "x\0"},
        {"until": "9999-12-31", "as": "csv"},
    ],
)
def test_a_bad_period_is_refused_and_no_sheet_is_shown(admin_client, told, asked):
    page = admin_client.get(at(told), asked)
    assert page.status_code == 400
    assert 'class="errorlist' in page.content.decode()
    assert "Points with the last day" not in page.content.decode()


def test_of_a_member_who_is_not_there_is_no_sheet(admin_client, told):
    assert admin_client.get(reverse(SHEET, args=[0])).status_code == 404
    assert admin_client.get(reverse(SHEET, args=[10**30])).status_code == 404


# --- The dry run

WOULD_SEND = "admin:alerts_reminder_would_send"


def test_one_click_leads_to_the_dry_run_from_the_reminders_and_their_rules(admin_client, minji):
    link = f'<a href="{reverse(WOULD_SEND)}">What would be sent</a>'
    for model in ("reminder", "reminderrule"):
        assert link in admin_client.get(reverse(f"admin:alerts_{model}_changelist")).content.decode()


def test_the_dry_run_asks_first_and_then_says_what_would_be_sent(admin_client, minji, byeol, monkeypatch):
    stop_clock(monkeypatch, before(70))
    page = admin_client.get(reverse(WOULD_SEND))
    assert page.status_code == 200
    assert "new reminder" not in page.content.decode()
    text = admin_client.get(reverse(WOULD_SEND), {"programme": byeol.pk, "day": "2026-01-30"}).content.decode()
    for said in ("1 new reminder<", "to be planned", "<td>minji</td>", '<td class="number">1,200</td>', "Nothing was"):
        assert said in text, said
    assert "<style" not in text
    assert " style=" not in text
    text = admin_client.get(reverse(WOULD_SEND), {"programme": byeol.pk}).content.decode()
    assert "0 new reminders" in text


def test_its_list_is_bounded(admin_client, minji, byeol, monkeypatch):
    alert_builders.member(byeol, "jun", 10)
    stop_clock(monkeypatch, before(60))
    monkeypatch.setattr("alerts.admin.proof.MOST_MESSAGES", 1)
    text = admin_client.get(reverse(WOULD_SEND), {"programme": byeol.pk}).content.decode()
    assert "2 new reminders" in text
    assert "the first 1;" in text
    assert "<td>jun</td>" not in text


def test_it_writes_nothing(admin_client, minji, byeol, monkeypatch):
    stop_clock(monkeypatch, before(60))
    admin_client.get(reverse(WOULD_SEND), {"programme": byeol.pk})
    assert not Reminder.objects.exists()


@pytest.mark.parametrize("asked", [{"programme": "0"}, {"programme": "x\0"}, {"day": "2026-01-30"}, {"day": "soon"}])
def test_a_dry_run_of_nothing_is_refused_at_its_field(admin_client, minji, asked):
    page = admin_client.get(reverse(WOULD_SEND), asked)
    assert page.status_code == 400
    assert 'class="errorlist' in page.content.decode()


@pytest.mark.parametrize("day", ["2026-01-29", "9999-12-31"])
def test_a_day_that_has_gone_or_never_comes_is_refused_at_its_field(admin_client, byeol, monkeypatch, day):
    stop_clock(monkeypatch, before(60))
    page = admin_client.get(reverse(WOULD_SEND), {"programme": byeol.pk, "day": day})
    assert (page.status_code, list(page.context["form"].errors)) == (400, ["day"])


def test_without_the_permission_there_is_no_dry_run(client, minji):
    sora(client, "view_reminderrule")
    assert client.get(reverse(WOULD_SEND)).status_code == 403
    assert "What would" not in client.get(reverse("admin:alerts_reminderrule_changelist")).content.decode()
