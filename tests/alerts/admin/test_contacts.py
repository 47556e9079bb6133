"""The help desk enters an address: it is kept as those that members enter; what is wrong is said at its field."""

from __future__ import annotations

import pytest
from django.urls import reverse

from alerts.addresses import contacts, suppressions, traces
from alerts.models import Contact, Suppression
from tests import alert_builders
from tests.builders import NOW, jun

ADD = "admin:alerts_contact_add"


@pytest.fixture
def member(byeol):
    """Jun, who has no address yet."""
    return jun(byeol).member


def form(member, **changes: str) -> dict:
    return {"member": member.pk, "channel": "email", "language": "ko", "verified": "on", "active": "on"} | changes


@pytest.mark.parametrize(
    ("channel", "written", "kept"),
    [
        ("email", " Jun@Example.COM ", "Jun@example.com"),
        ("sms", "010-1234-5678", "+821012345678"),
        ("alimtalk", "+82 10 1234 5678", "+821012345678"),
        ("sms", "+1 415 555 2671", "+14155552671"),
    ],
)
def test_an_address_is_kept_as_all_are(admin_client, member, channel, written, kept):
    assert admin_client.post(reverse(ADD), form(member, channel=channel, address=written)).status_code == 302
    contact = Contact.objects.get()
    assert (contact.address, contact.verified) == (kept, True)
    assert contact.verified_at is not None


@pytest.mark.parametrize(
    ("field", "changes", "words"),
    [
        ("address", {"address": "jun"}, "Enter a valid email address."),
        ("address", {"address": ""}, "This field is required."),
        ("address", {"channel": "sms", "address": "jun@example.com"}, "This is no telephone number."),
        ("address", {"channel": "sms", "address": "02-312-3456"}, "This number cannot receive SMS."),
        ("channel", {"channel": "pigeon", "address": "jun"}, "Select a valid choice. pigeon is not one"),
        ("zone", {"address": "jun@example.com", "zone": "KST"}, "“KST” is not a time zone"),
        ("zone", {"address": "jun@example.com", "zone": "posix/Asia/Seoul"}, "is not a time zone"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(admin_client, member, field, changes, words):
    page = admin_client.post(reverse(ADD), form(member, **changes))
    assert page.status_code == 200
    assert words in page.context["adminform"].form.errors[field][0]
    assert not Contact.objects.exists()


def test_a_number_that_the_transport_does_not_carry_to_is_refused_at_its_field(admin_client, member, settings):
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "nhn"}
    page = admin_client.post(reverse(ADD), form(member, channel="sms", address="+1 415 555 2671"))
    assert page.status_code == 200
    said = page.context["adminform"].form.errors
    assert said == {"address": ["SMS reaches only numbers that begin with +82."]}
    assert not Contact.objects.exists()
    assert admin_client.post(reverse(ADD), form(member, channel="sms", address="010-1234-5678")).status_code == 302


def test_one_that_was_there_before_can_be_found_and_taken_out_of_use(admin_client, minji, settings):
    korean, american = alert_builders.phone(minji), alert_builders.phone(minji, "+14155552671")
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "nhn"}
    listed = reverse("admin:alerts_contact_changelist")
    assert list(admin_client.get(listed, {"carried": "0"}).context["cl"].result_list) == [american]
    assert korean in admin_client.get(listed).context["cl"].result_list
    change = reverse("admin:alerts_contact_change", args=[american.pk])
    kept = form(minji.member, channel="sms", address="+1 415 555 2671", active="")
    assert admin_client.post(change, kept).status_code == 302
    american.refresh_from_db()
    assert (american.address, american.active) == ("+14155552671", False)
    assert list(admin_client.get(listed, {"carried": "0"}).context["cl"].result_list) == []
    other = form(minji.member, channel="sms", address="+1 415 555 2672")
    assert "address" in admin_client.post(change, other).context["adminform"].form.errors


def test_the_same_address_written_in_another_way_is_not_entered_twice(admin_client, member):
    for written in ("+821012345678", "010-1234-5678"):
        page = admin_client.post(reverse(ADD), form(member, channel="sms", address=written))
    assert page.status_code == 200
    assert Contact.objects.count() == 1


def test_a_zone_is_kept(admin_client, member):
    admin_client.post(reverse(ADD), form(member, address="jun@example.com", zone="Europe/London"))
    assert Contact.objects.get().zone == "Europe/London"


def test_a_suppressed_address_that_is_entered_again_is_not_written_to(admin_client, minji, member):
    contact = minji.member.contacts.get()
    suppressions.add(channel="email", address=contact.address, why="complaint", now=NOW)
    url = reverse("admin:alerts_contact_delete", args=[contact.pk])
    assert admin_client.post(url, {"post": "yes"}).status_code == 302
    assert Suppression.objects.get().address == traces.marked("minji@example.com")
    admin_client.post(reverse(ADD), form(member, address="minji@example.com"))
    assert Suppression.objects.get().address == "minji@example.com"
    assert contacts.usable(member.pk, "email") is None


def test_addresses_are_erased_together(admin_client, minji):
    suppressions.add(channel="email", address="minji@example.com", why="complaint", now=NOW)
    rows = [minji.member.contacts.get().pk, alert_builders.phone(minji).pk]
    sent = {"action": "delete_selected", "_selected_action": rows, "post": "yes"}
    assert admin_client.post(reverse("admin:alerts_contact_changelist"), sent).status_code == 302
    assert not Contact.objects.exists()
    assert Suppression.objects.get().address == traces.marked("minji@example.com")
