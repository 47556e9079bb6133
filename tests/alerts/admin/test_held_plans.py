"""Held plans in the admin: let go or said no to, once, by those who may, with a reason."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from alerts.admin import pages
from alerts.models import PlanHold, Reminder, TellingRules
from alerts.planning import blast
from tests import alert_builders, builders
from tests.alert_builders import before, plan
from tests.alerts.admin.test_stops import refused, signed_in
from tests.builders import NOW, days
from tests.windows import stop_clock

pytestmark = pytest.mark.django_db

MAY = ("view_planhold", "decide_planhold")
HOLDS = "/admin/alerts/planhold/"
DAY = date(2025, 3, 10)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


@pytest.fixture
def held(moa) -> PlanHold:
    """Of Moa 1,234 reminders are held, where none are usual."""
    assert not blast.may_plan(programme=moa, planned_today=1_234, day=DAY, now=NOW)
    return PlanHold.objects.get()


def url(hold: PlanHold, act: str) -> str:
    return f"{HOLDS}{hold.pk}/{act}/"


def every_row() -> list[list[tuple[Any, ...]]]:
    return [list(table.order_by("pk").values_list()) for table in (PlanHold.objects, LogEntry.objects)]


def decide(client: Client, hold: PlanHold, act: str, why: str) -> None:
    answer = client.post(url(hold, act), {"why": why})
    assert (answer.status_code, answer.headers["Location"]) == (302, HOLDS)


@pytest.mark.parametrize(
    ("act", "let_go", "said", "log"),
    [
        ("let_go", True, "The plan of Moa for 2025-03-10 goes ahead.", "Let go: a year's points"),
        ("refuse", False, "The plan of Moa for 2025-03-10 was refused.", "Refused: a year's points"),
    ],
)
def test_a_plan_is_decided_with_a_reason_which_the_log_keeps(held, moa, act, let_go, said, log):
    client = signed_in(*MAY)
    answer = client.post(url(held, act), {"why": "a year's\r\npoints"}, follow=True)
    assert answer.redirect_chain == [(HOLDS, 302)]
    assert [str(message) for message in answer.context["messages"]] == [said]
    row = PlanHold.objects.get()
    entry = LogEntry.objects.get()
    assert (row.let_go, row.decided_at, row.decided_by) == (let_go, NOW, f"staff:{entry.user_id}")
    assert row.why == "a year's points"
    for page in (HOLDS, f"{HOLDS}{held.pk}/change/"):
        assert "a year&#x27;s points" in client.get(page).content.decode()
    assert (entry.user.username, entry.object_id, entry.change_message) == ("sora", str(held.pk), log)
    assert entry.content_type
    assert entry.content_type.model == "planhold"
    assert blast.may_plan(programme=moa, planned_today=9_999, day=DAY, now=NOW) is let_go
    assert log.replace("'", "&#x27;") in client.get(f"{HOLDS}{held.pk}/history/").content.decode()


@pytest.mark.parametrize("act", ["let_go", "refuse"])
def test_a_plan_is_decided_once(held, act):
    client = signed_in(*MAY)
    decide(client, held, "refuse", "a mistake")
    then = every_row()
    said = "The plan was decided already, and stays so."
    assert refused(client, url(held, act), why="another look") == {"__all__": [said]}
    page = client.post(url(held, act), {"why": "another look"}).content.decode()
    assert f'<p class="errornote" role="alert">{said}</p>' in page
    assert 'name="why"' not in page
    assert "Nobody can call back" not in page
    for answer in (client.get(url(held, act)), client.post(url(held, act))):
        assert answer.headers["Location"] == f"{HOLDS}{held.pk}/change/"
    assert every_row() == then


@pytest.mark.parametrize("act", ["let_go", "refuse"])
def test_without_a_reason_nothing_is_decided(held, act):
    client = signed_in(*MAY)
    then = every_row()
    assert refused(client, url(held, act), why=" ") == {"why": ["Say why, in at most 200 letters."]}
    assert refused(client, url(held, act)) == {"why": ["Say why, in at most 200 letters."]}
    assert client.get(url(held, act), {"why": "because"}).status_code == 200
    assert every_row() == then


@pytest.mark.parametrize("permissions", [("view_planhold", "change_planhold"), ("decide_planhold",)])
def test_without_the_permission_it_is_neither_offered_nor_decided(held, permissions):
    client = signed_in(*permissions)
    then = every_row()
    for act in ("let_go", "refuse"):
        assert client.get(url(held, act)).status_code == 403
        assert client.post(url(held, act), {"why": "because"}).status_code == 403
    if "view_planhold" in permissions:
        for page in (HOLDS, f"{HOLDS}{held.pk}/change/"):
            shown = client.get(page).content.decode()
            assert "/let_go/" not in shown
            assert "/refuse/" not in shown
    assert every_row() == then


def test_the_page_says_what_was_found_before_it_asks(held, moa):
    page = signed_in(*MAY, "view_reminder").get(url(held, "let_go"))
    assert [(name, str(value)) for name, value in page.context["facts"]] == [
        ("Programme", "Moa"),
        ("Day", "2025-03-10"),
        ("Reminders found", "1,234 or more"),
        ("Usual on a day with any", "0"),
        ("Held since", str(NOW)),
    ]
    shown = page.content.decode()
    assert "Nobody can call back what has gone out." in shown
    assert f'href="/admin/alerts/reminder/would-send/?programme={moa.pk}&amp;day=2025-03-10"' in shown
    assert 'value="Let the plan go"' in shown


def test_who_may_not_foretell_gets_no_link_to_it(held):
    assert "would-send" not in signed_in(*MAY).get(url(held, "let_go")).content.decode()


def test_of_a_day_that_is_over_it_says_so(held, monkeypatch):
    client = signed_in(*MAY, "view_reminder")
    over = "This day is over: the decision sends nothing and holds nothing back."
    stop_clock(monkeypatch, NOW + timedelta(hours=11, minutes=59))  # one minute before midnight in Seoul
    assert over not in client.get(url(held, "let_go")).content.decode()
    stop_clock(monkeypatch, NOW + timedelta(hours=12))
    shown = client.get(url(held, "let_go")).content.decode()
    assert over in shown
    assert "Nobody can call back" not in shown
    assert "would-send" not in shown
    decide(client, held, "let_go", "for the books")
    assert PlanHold.objects.get().let_go is True


@pytest.mark.parametrize("pk", [0, 10**30])
def test_a_plan_that_is_not_there(held, pk):
    client = signed_in(*MAY)
    assert client.get(f"{HOLDS}{pk}/let_go/").status_code == 404
    assert client.post(f"{HOLDS}{pk}/let_go/", {"why": "because"}).status_code == 404


def test_the_list_shows_those_that_wait_and_leads_to_the_acts(held, moa, monkeypatch):
    byeol = builders.byeol()
    assert not blast.may_plan(programme=byeol, planned_today=2_000, day=DAY, now=NOW)
    client = signed_in(*MAY)
    decide(client, held, "refuse", "a mistake")
    listed = client.get(HOLDS).context["cl"]
    assert isinstance(listed.paginator, pages.BoundedPaginator)
    newest, first = listed.result_list
    assert [listed.model_admin.state(row) for row in (newest, first)] == ["waits", "refused"]
    assert listed.model_admin.acts(first) == ""
    page = client.get(HOLDS, {"waiting": "1"})
    assert [row.programme for row in page.context["cl"].result_list] == [byeol]
    for act in ("let_go", "refuse"):
        assert f'<a href="{url(newest, act)}">' in page.content.decode()
    shown = client.get(f"{HOLDS}{newest.pk}/change/")
    assert [(address, str(title)) for address, title in shown.context["acts"]] == [
        (url(newest, "let_go"), "Let go"),
        (url(newest, "refuse"), "Say no"),
    ]
    assert client.get(f"{HOLDS}{first.pk}/change/").context["acts"] == []


def test_a_held_plan_can_otherwise_only_be_looked_at(held, admin_client):
    then = every_row()
    assert admin_client.get(f"{HOLDS}{held.pk}/change/").status_code == 200
    assert admin_client.post(f"{HOLDS}{held.pk}/change/", {"let_go": "true"}).status_code == 403
    assert admin_client.post(f"{HOLDS}{held.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get(f"{HOLDS}add/").status_code == 403
    assert every_row() == then


def test_a_plan_that_was_let_go_here_goes_ahead_and_a_refused_one_is_held_anew_the_next_day(byeol, monkeypatch):
    for number in range(3):
        alert_builders.member(byeol, f"m{number}", 100)
    TellingRules.objects.create(programme=byeol, blast_least=2)
    stop_clock(monkeypatch, before(60))
    client = signed_in(*MAY)
    plan(before(60))
    decide(client, PlanHold.objects.get(), "refuse", "wrong rule")
    plan(before(60))
    assert Reminder.objects.count() == 0

    plan(before(59))
    held = PlanHold.objects.get(decided_at=None)
    assert held.day == PlanHold.objects.exclude(pk=held.pk).get().day + days(1)
    stop_clock(monkeypatch, before(59))
    decide(client, held, "let_go", "it is right")
    plan(before(59))
    assert Reminder.objects.count() == 3
