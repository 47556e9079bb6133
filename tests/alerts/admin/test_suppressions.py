from django.urls import reverse

from alerts.addresses import contacts, suppressions
from alerts.models import Suppression
from tests import alert_builders
from tests.builders import NOW


def test_staff_look_at_suppressions_and_lift_them(admin_client, db):
    row = suppressions.add(channel="email", address="minji@example.com", why="complaint", now=NOW)
    url = reverse("admin:alerts_suppression_changelist")
    assert admin_client.get(url).status_code == 200
    assert admin_client.get(reverse("admin:alerts_consent_changelist")).status_code == 200
    assert admin_client.get(reverse("admin:alerts_suppression_add")).status_code == 403
    assert admin_client.get(reverse("admin:alerts_consent_add")).status_code == 403
    for _ in range(2):  # the second finds it lifted
        assert admin_client.post(url, {"action": "lift", "_selected_action": [row.pk]}).status_code == 302
    assert Suppression.objects.get().lifted_at is not None


def test_an_address_that_was_erased_is_still_found_by_whoever_knows_it(admin_client, minji):
    contact = alert_builders.email(minji)
    suppressions.add(channel="email", address=contact.address, why="complaint", now=NOW)
    suppressions.add(channel="email", address="other@example.com", why="complaint", now=NOW)
    contacts.erase(contact=contact)
    url = reverse("admin:alerts_suppression_changelist")
    found = admin_client.get(url, {"q": " Minji@example.com "}).context["cl"].result_list
    assert [row.address[:5] for row in found] == ["hash:"]
    assert [row.address for row in admin_client.get(url, {"q": "other@example.com"}).context["cl"].result_list] == [
        "other@example.com"
    ]
    assert len(admin_client.get(url).context["cl"].result_list) == 2
