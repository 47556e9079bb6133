from django.urls import reverse

from alerts.addresses import suppressions
from alerts.models import Suppression
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
