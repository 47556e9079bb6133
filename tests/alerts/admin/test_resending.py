"""Staff send again, in the admin, what was given up, or leave it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from alerts.errors import NotSent
from alerts.models import Delivery, ProviderEvent
from alerts.sending import deliveries
from tests import builders
from tests.alert_builders import before, on_channels, plan
from tests.windows import stop_clock

SENT_AT = before(60)
LATER = SENT_AT + timedelta(hours=3)
GIVEN_UP = ("email", "dead", "exhausted")
ACTS = ("send_again", "leave")


@pytest.fixture
def dead(minji, carrier, monkeypatch) -> Delivery:
    """Minji's e-mail was given up after its one call. It is three hours later."""
    monkeypatch.setattr("alerts.sending.retries.MOST_CALLS", 1)
    plan(SENT_AT)
    carrier.answers = [NotSent()]
    deliveries.deliver(now=SENT_AT, limit=10)
    carrier.answers = []
    stop_clock(monkeypatch, LATER)
    assert on_channels() == [GIVEN_UP]
    return Delivery.objects.get()


def staff(client, *permissions: str) -> User:
    """Sora: staff with exactly these permissions, signed in."""
    user = User.objects.create_user("sora", password="x", is_staff=True)
    found = Permission.objects.filter(content_type__app_label="alerts", codename__in=permissions)
    assert found.count() == len(permissions)
    user.user_permissions.set(found)
    client.force_login(user)
    return user


def url(act: str, row: Delivery) -> str:
    return reverse(f"admin:alerts_delivery_{act}", args=[row.pk])


def offered(client, row: Delivery) -> list[str]:
    page = client.get(reverse("admin:alerts_delivery_change", args=[row.pk])).content.decode()
    return [act for act in ACTS if f'<a href="{url(act, row)}">' in page]


def nothing_happened() -> None:
    assert on_channels() == [GIVEN_UP]
    assert not ProviderEvent.objects.exists()
    assert not LogEntry.objects.exists()


def test_it_is_sent_again_with_a_reason_on_record(client, dead, carrier):
    sora = staff(client, "view_delivery", "decide_delivery")
    assert offered(client, dead) == ["send_again", "leave"]
    page = client.get(url("send_again", dead)).content.decode()
    assert "the member gets it twice" in page
    nothing_happened()
    answer = client.post(url("send_again", dead), {"why": "the server\r\nwas mended"}, follow=True)
    assert answer.redirect_chain == [(reverse("admin:alerts_delivery_change", args=[dead.pk]), 302)]
    assert "the new message is due now" in answer.content.decode()
    again = Delivery.objects.get(resend_no=1)
    assert (again.status, again.next_attempt_at) == ("pending", LATER)
    kept = {"decision": "sent_again", "by": f"staff:{sora.pk}", "why": "the server was mended"}
    assert json.loads(ProviderEvent.objects.get().raw) == kept
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (
        str(dead.pk),
        f"Sent again as {again.pk}. Reason: the server was mended",
    )
    assert offered(client, dead) == ["leave"]
    deliveries.deliver(now=LATER, limit=10)
    assert on_channels() == [GIVEN_UP, ("email", "accepted", "")]
    assert len(carrier.taken) == 1


def test_it_is_left_with_a_reason_on_record(client, dead):
    staff(client, "view_delivery", "decide_delivery")
    assert client.post(url("leave", dead), {"why": "she telephoned"}).status_code == 302
    assert on_channels() == [("email", "dead", "stopped")]
    assert json.loads(ProviderEvent.objects.get().raw)["decision"] == "left"
    assert LogEntry.objects.get().change_message == "Left as it is. Reason: she telephoned"
    assert offered(client, dead) == ["send_again"]


def test_what_the_act_refuses_stands_at_the_form_and_nothing_is_written(client, dead, minji):
    staff(client, "view_delivery", "decide_delivery")
    builders.redeem(minji, 1_200, now=LATER)
    answer = client.post(url("send_again", dead), {"why": "the server was mended"})
    assert answer.context["form"].errors == {"__all__": ["Nothing would be sent: the points are gone."]}
    for why in ("", "x" * 201):
        assert list(client.post(url("send_again", dead), {"why": why}).context["form"].errors) == ["why"]
    nothing_happened()


@pytest.mark.parametrize("permissions", [("view_delivery",), ("decide_delivery",)])
@pytest.mark.parametrize("act", ACTS)
def test_without_the_permission_it_is_neither_offered_nor_done(client, dead, permissions, act):
    staff(client, *permissions)
    assert client.get(url(act, dead)).status_code == 403
    assert client.post(url(act, dead), {"why": "because"}).status_code == 403
    assert offered(client, dead) == []
    nothing_happened()


def test_neither_is_offered_for_one_that_waits(client, minji, carrier):
    plan(SENT_AT)
    staff(client, "view_delivery", "decide_delivery")
    row = Delivery.objects.get()
    assert offered(client, row) == []
    for act, said in (("send_again", "cannot be sent again"), ("leave", "was not given up")):
        assert said in client.get(url(act, row), follow=True).content.decode()
        assert client.post(url(act, row), {"why": "because"}).context["form"].errors
    assert on_channels() == [("email", "pending", "")]
