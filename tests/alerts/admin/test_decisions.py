"""Staff decide about a delivery in the admin: what became of it, or that it is not sent at all."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from alerts.errors import Unknown
from alerts.models import Attempt, ProviderEvent
from alerts.sending import deliveries
from alerts.sending.deliveries import Decision
from ledger.actors import Actor
from ledger.models import Notice
from tests import alert_builders
from tests.alert_builders import LAST_DAY, before, on_channels, plan, the_delivery
from tests.alerts.carrier import can
from tests.windows import stop_clock

SENT_AT = before(60)
LATER = SENT_AT + timedelta(hours=3)
HELD = [("sms", "unknown", "person")]
WAITS = [("email", "pending", "")]
BUTTONS = {"decide": "Decide what became of it", "cancel": "Cancel it before it is sent"}
ENTERED = {"decision": "sent", "attempts": "1", "why": "asked the provider"}
LONG = "x" * 201


@pytest.fixture
def held(minji, byeol, carrier, monkeypatch):
    """An SMS of which nobody knows whether it was sent: it waits for a person. It is three hours later."""
    alert_builders.phone(minji)
    alert_builders.by_channels(byeol, "sms", "email")
    plan(SENT_AT)
    carrier.answers = [Unknown()]
    deliveries.deliver(now=SENT_AT, limit=10)
    deliveries.reap(now=SENT_AT + timedelta(minutes=1), limit=10)
    assert on_channels() == HELD
    carrier.answers = []
    stop_clock(monkeypatch, LATER)
    return the_delivery()


@pytest.fixture
def waits(minji, carrier, monkeypatch):
    """An e-mail that waits for its time."""
    plan(SENT_AT)
    assert on_channels() == WAITS
    stop_clock(monkeypatch, LATER)
    return the_delivery()


def staff(client: Client, *permissions: str) -> User:
    """Sora: staff with exactly these permissions, signed in."""
    user = User.objects.create_user("sora", password="x", is_staff=True)
    found = Permission.objects.filter(content_type__app_label="alerts", codename__in=permissions)
    assert found.count() == len(permissions)
    user.user_permissions.set(found)
    client.force_login(user)
    return user


@pytest.fixture
def sora(client, db):
    return staff(client, "view_delivery", "decide_delivery")


def url(act: str, delivery) -> str:
    return reverse(f"admin:alerts_delivery_{act}", args=[delivery.pk])


def page_of(client, delivery) -> str:
    answer = client.get(reverse("admin:alerts_delivery_change", args=[delivery.pk]))
    assert answer.status_code == 200
    return str(answer.content.decode())


def button(act: str, delivery) -> str:
    return f'<li><a href="{url(act, delivery)}">{BUTTONS[act]}</a></li>'


def errors(answer) -> dict[str, list[str]]:
    """What stands at the form that was shown again; "" is the form itself."""
    assert answer.status_code == 200
    shown = {("" if name == "__all__" else name): list(said) for name, said in answer.context["form"].errors.items()}
    page = answer.content.decode()
    assert all(text in page for texts in shown.values() for text in texts)
    return shown


def nothing_happened(carrier, state: list[tuple[str, str, str]]) -> None:
    calls = len(carrier.calls)
    assert on_channels() == state
    assert Attempt.objects.count() == calls
    assert not ProviderEvent.objects.exists()
    assert not Notice.objects.exists()
    assert not LogEntry.objects.exists()


def kept() -> dict[str, str]:
    event = ProviderEvent.objects.get()
    assert (event.transport, event.delivery_id, event.occurred_at) == ("by hand", the_delivery().pk, LATER)
    return dict(json.loads(event.raw))


def logged() -> list[tuple[int, str, str | None, str]]:
    return list(LogEntry.objects.values_list("user", "content_type__model", "object_id", "change_message"))


# --- The way there


def test_one_that_waits_for_a_person_can_be_decided_and_not_cancelled(client, sora, held):
    page = page_of(client, held)
    assert button("decide", held) in page
    assert url("cancel", held) not in page


def test_one_that_waits_for_its_time_can_be_cancelled_and_not_decided(client, sora, waits):
    page = page_of(client, waits)
    assert button("cancel", waits) in page
    assert url("decide", waits) not in page


def test_one_that_was_sent_can_be_neither(client, sora, waits):
    deliveries.deliver(now=SENT_AT, limit=10)
    page = page_of(client, waits)
    assert [act for act in BUTTONS if url(act, waits) in page] == []


def test_the_pages_say_what_is_asked_and_change_nothing(client, sora, held, carrier):
    page = client.get(url("decide", held))
    text = page.content.decode()
    assert page.status_code == 200
    for said in (
        "Nobody knows whether this message was sent",
        f"<dd>{held.pk}</dd>",
        "<dd>minji</dd>",
        "<dd>2026-03-31</dd>",
        "<dd>Unknown: waits for a person</dd>",
        "<dd>carrier</dd>",
        '<option value="sent">It was sent</option>',
        '<option value="not_sent">It was not sent: send it again</option>',
        '<option value="give_up">Nobody knows: leave it</option>',
        'name="attempts" value="1"',
    ):
        assert said in text, said
    assert "<style" not in text
    assert " style=" not in text
    assert "onclick" not in text
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    nothing_happened(carrier, HELD)


@pytest.mark.parametrize(("act", "said"), [("decide", "does not wait for a person"), ("cancel", "cannot be cancelled")])
def test_there_is_no_form_for_one_that_was_sent(client, sora, waits, act, said):
    deliveries.deliver(now=SENT_AT, limit=10)
    answer = client.get(url(act, waits), follow=True)
    assert answer.redirect_chain == [(reverse("admin:alerts_delivery_change", args=[waits.pk]), 302)]
    assert said in answer.content.decode()


def test_the_address_stands_there_only_for_those_who_may_look_at_contacts(client, held):
    staff(client, "view_delivery", "decide_delivery")
    assert "+821012345678" not in client.get(url("decide", held)).content.decode()
    assert "+821012345678" not in page_of(client, held)
    User.objects.get().user_permissions.add(Permission.objects.get(codename="view_contact"))
    assert "<dd>+821012345678</dd>" in client.get(url("decide", held)).content.decode()
    assert "+821012345678" in page_of(client, held)


# --- Deciding


def test_what_was_sent_is_a_notice_of_the_day_of_the_call(client, sora, held, carrier):
    answer = client.post(url("decide", held), ENTERED, follow=True)
    assert answer.redirect_chain == [(reverse("admin:alerts_delivery_change", args=[held.pk]), 302)]
    assert "What you decided is written down." in answer.content.decode()
    assert on_channels() == [("sms", "accepted", "")]
    assert Notice.objects.get().told_on == LAST_DAY - timedelta(days=60)
    assert kept() == {"decision": "sent", "by": f"staff:{sora.pk}", "why": "asked the provider"}
    said = "Decided by hand: sent. Reason: asked the provider"
    assert logged() == [(sora.pk, "delivery", str(held.pk), said)]
    history = client.get(reverse("admin:alerts_delivery_history", args=[held.pk])).content.decode()
    assert said in history
    assert len(carrier.calls) == 1


def test_what_was_not_sent_is_sent_again(client, sora, held, carrier):
    assert client.post(url("decide", held), ENTERED | {"decision": "not_sent"}).status_code == 302
    assert on_channels() == [("sms", "pending", "")]
    assert not Notice.objects.exists()
    assert kept()["decision"] == "not_sent"
    assert [row[3] for row in logged()] == ["Decided by hand: not_sent. Reason: asked the provider"]
    deliveries.deliver(now=LATER, limit=10)
    assert on_channels() == [("sms", "accepted", "")]
    assert len(carrier.calls) == 2


def test_what_nobody_knows_is_left_and_no_other_channel_follows(client, sora, held, carrier):
    entered = ENTERED | {"decision": "give_up", "why": " nobody\r\nanswers "}
    assert client.post(url("decide", held), entered).status_code == 302
    deliveries.deliver(now=LATER, limit=10)
    assert on_channels() == [("sms", "dead", "stopped")]
    assert kept()["why"] == "nobody answers"
    assert [row[3] for row in logged()] == ["Decided by hand: give_up. Reason: nobody answers"]
    assert not Notice.objects.exists()
    assert len(carrier.calls) == 1


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"why": ""}, "why", "This field is required."),
        ({"why": " \n "}, "why", "This field is required."),
        ({"why": LONG}, "why", "Ensure this value has at most 200 characters (it has 201)."),
        ({"why": "x\0"}, "why", "Null characters are not allowed."),
        ({"decision": ""}, "decision", "This field is required."),
        ({"decision": "perhaps"}, "decision", "Select a valid choice. perhaps is not one of the available choices."),
        ({"attempts": ""}, "attempts", "This field is required."),
        ({"attempts": "0"}, "", "It was tried again since this page was opened: please open it anew."),
    ],
)
def test_a_decision_without_its_parts_is_refused_at_its_field_and_nothing_is_written(
    client, sora, held, carrier, changes, field, said
):
    assert errors(client.post(url("decide", held), ENTERED | changes)) == {field: [said]}
    nothing_happened(carrier, HELD)


def test_two_people_decide_once_and_the_second_is_told_at_the_form(client, sora, held, carrier):
    by, now = Actor("staff", "3"), LATER
    deliveries.decide_by_hand(delivery=held, decision=Decision.GIVE_UP, by=by, why="nobody answers", now=now)
    answer = client.post(url("decide", held), ENTERED)
    assert errors(answer) == {"": ["The delivery must be unknown; somebody else has dealt with it."]}
    assert "asked the provider</textarea>" in answer.content.decode()  # what was entered is not lost
    assert on_channels() == [("sms", "dead", "stopped")]
    assert kept()["by"] == "staff:3"
    assert not Notice.objects.exists()
    assert not LogEntry.objects.exists()


def test_an_old_page_decides_nothing_about_a_later_call(client, sora, held, carrier):
    client.post(url("decide", held), ENTERED | {"decision": "not_sent"})
    carrier.answers = [Unknown()]
    deliveries.deliver(now=LATER, limit=10)
    deliveries.reap(now=LATER + timedelta(hours=1), limit=10)
    assert on_channels() == HELD
    said = "It was tried again since this page was opened: please open it anew."
    assert errors(client.post(url("decide", held), ENTERED)) == {"": [said]}
    assert on_channels() == HELD
    assert (ProviderEvent.objects.count(), LogEntry.objects.count()) == (1, 1)
    assert 'name="attempts" value="3"' in client.get(url("decide", held)).content.decode()


def test_what_the_clock_still_finds_out_is_left_to_it(client, sora, waits, carrier, monkeypatch):
    stop_clock(monkeypatch, SENT_AT + timedelta(minutes=59))
    carrier.answers = [Unknown()]
    deliveries.deliver(now=SENT_AT, limit=10)
    unknown = [("email", "unknown", "")]
    assert on_channels() == unknown
    assert url("decide", waits) not in page_of(client, waits)
    said = "What became of it is still being found out: no person needs to decide."
    assert errors(client.post(url("decide", waits), ENTERED)) == {"": [said]}
    nothing_happened(carrier, unknown)


def test_what_nobody_has_found_out_for_an_hour_a_person_may_decide(client, sora, waits, carrier, monkeypatch):
    """The provider is still asked; what the person says stands."""
    stop_clock(monkeypatch, SENT_AT + timedelta(minutes=61))
    carrier.can = can(can_look_up=True)
    carrier.answers, carrier.looked_up = [Unknown()], Unknown()
    deliveries.deliver(now=SENT_AT, limit=10)
    deliveries.reap(now=SENT_AT + timedelta(minutes=60), limit=10)
    assert on_channels() == [("email", "unknown", "")]
    assert button("decide", waits) in page_of(client, waits)
    assert "its pages." in client.get(url("decide", waits)).content.decode()
    assert client.post(url("decide", waits), ENTERED).status_code == 302
    assert on_channels() == [("email", "accepted", "")]
    deliveries.reap(now=LATER, limit=10)
    assert on_channels() == [("email", "accepted", "")]
    assert (len(carrier.looks), len(carrier.calls)) == (1, 1)


def test_no_address_stands_in_a_reason_that_stays_for_good(client, sora, held):
    assert "telephone numbers in it are masked." in client.get(url("decide", held)).content.decode()
    client.post(url("decide", held), ENTERED | {"why": "minji@example.com, 010-1234-5678, has it"})
    assert kept()["why"] == "…, …, has it"
    assert [row[3] for row in logged()] == ["Decided by hand: sent. Reason: …, …, has it"]


# --- Cancelling


def test_one_that_waits_for_its_time_is_stopped_and_not_sent(client, sora, waits, carrier):
    answer = client.post(url("cancel", waits), {"why": "a wrong text"}, follow=True)
    assert answer.redirect_chain == [(reverse("admin:alerts_delivery_change", args=[waits.pk]), 302)]
    assert "The delivery is cancelled: it will not be sent." in answer.content.decode()
    assert on_channels() == [("email", "cancelled", "stopped")]
    assert kept() == {"decision": "cancelled", "by": f"staff:{sora.pk}", "why": "a wrong text"}
    assert logged() == [(sora.pk, "delivery", str(waits.pk), "Cancelled. Reason: a wrong text")]
    deliveries.deliver(now=LATER, limit=10)
    assert carrier.calls == []
    assert button("cancel", waits) not in page_of(client, waits)


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("", "This field is required."),
        (" ", "This field is required."),
        (LONG, "Ensure this value has at most 200 characters (it has 201)."),
    ],
)
def test_cancelling_without_a_reason_is_refused_at_its_field_and_nothing_is_written(
    client, sora, waits, carrier, why, said
):
    assert errors(client.post(url("cancel", waits), {"why": why})) == {"why": [said]}
    nothing_happened(carrier, WAITS)


def test_a_second_click_cancels_nothing_twice(client, sora, waits, carrier):
    client.post(url("cancel", waits), {"why": "a wrong text"})
    said = "The delivery must be pending; somebody else has dealt with it."
    assert errors(client.post(url("cancel", waits), {"why": "a wrong text"})) == {"": [said]}
    assert (ProviderEvent.objects.count(), LogEntry.objects.count()) == (1, 1)


def test_one_that_may_have_been_sent_already_cannot_be_stopped(client, sora, waits, carrier):
    carrier.can = carrier.can.__class__(timedelta(seconds=5), send_again_after_unknown=True)
    carrier.answers = [Unknown()]
    deliveries.deliver(now=SENT_AT, limit=10)
    deliveries.reap(now=SENT_AT + timedelta(minutes=1), limit=10)
    assert on_channels() == WAITS
    assert url("cancel", waits) not in page_of(client, waits)
    answer = client.post(url("cancel", waits), {"why": "a wrong text"})
    assert errors(answer) == {"": ["It may have been sent already: nobody can stop it."]}
    nothing_happened(carrier, WAITS)


# --- Who may


@pytest.mark.parametrize(
    "permissions", [(), ("view_delivery", "change_delivery", "view_contact"), ("decide_delivery",)]
)
def test_without_the_permissions_there_is_no_button_and_nothing_can_be_done(client, held, carrier, permissions):
    staff(client, *permissions)
    for act, entered in (("decide", ENTERED), ("cancel", {"why": "a wrong text"})):
        assert client.get(url(act, held)).status_code == 403
        assert client.post(url(act, held), entered).status_code == 403
    if "view_delivery" in permissions:
        page = page_of(client, held)
        assert [act for act in BUTTONS if url(act, held) in page] == []
    nothing_happened(carrier, HELD)


def test_without_the_permission_nothing_that_waits_is_cancelled(client, waits, carrier):
    staff(client, "view_delivery")
    assert url("cancel", waits) not in page_of(client, waits)
    assert client.post(url("cancel", waits), {"why": "a wrong text"}).status_code == 403
    nothing_happened(carrier, WAITS)


def test_who_is_not_staff_is_asked_to_sign_in(client, held, carrier):
    client.force_login(User.objects.create_user("jun"))
    for act in BUTTONS:
        answer = client.post(url(act, held), ENTERED)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("admin:login"))
    nothing_happened(carrier, HELD)


def test_a_form_of_another_site_does_nothing(sora, held, carrier):
    client = Client(enforce_csrf_checks=True)
    client.force_login(sora)
    assert client.post(url("decide", held), ENTERED).status_code == 403
    nothing_happened(carrier, HELD)


def test_what_stands_in_the_address_alone_does_nothing(client, sora, held, carrier):
    assert client.get(url("decide", held), ENTERED).status_code == 200
    assert client.put(url("decide", held), ENTERED).status_code == 200
    nothing_happened(carrier, HELD)


def test_about_a_delivery_that_is_not_there_nothing_is_decided(client, sora, held):
    for act in BUTTONS:
        nobody = reverse(f"admin:alerts_delivery_{act}", args=[UUID(int=0)])
        assert (client.get(nobody).status_code, client.post(nobody, ENTERED).status_code) == (404, 404)
