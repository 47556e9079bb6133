import pytest
from django.urls import reverse

from alerts.addresses import contacts
from alerts.admin import pages
from alerts.models import Contact, Delivery, ReminderRule
from alerts.sending import deliveries
from tests.alert_builders import before, plan, the_delivery


@pytest.fixture
def message(minji, sink):
    plan(before(60))
    deliveries.deliver(now=before(60), limit=10)
    return the_delivery()


@pytest.mark.parametrize("model", ["contact", "reminderrule", "extensionrule", "reminder", "delivery", "attempt"])
def test_every_list_opens_and_can_be_searched(admin_client, message, model):
    url = reverse(f"admin:alerts_{model}_changelist")
    assert admin_client.get(url).status_code == 200
    assert admin_client.get(url, {"q": "minji"}).status_code == 200


@pytest.mark.parametrize("model", ["reminder", "delivery", "attempt"])
def test_what_happened_can_be_looked_at_and_not_changed(admin_client, message, model):
    row = {"reminder": message.reminder, "delivery": message, "attempt": message.tries.get()}[model]
    change = reverse(f"admin:alerts_{model}_change", args=[row.pk])
    assert admin_client.get(change).status_code == 200
    assert admin_client.post(change, {}).status_code == 403
    assert admin_client.post(reverse(f"admin:alerts_{model}_delete", args=[row.pk])).status_code == 403
    assert admin_client.get(reverse(f"admin:alerts_{model}_add")).status_code == 403


def test_a_delivery_shows_its_attempts(admin_client, message):
    page = admin_client.get(reverse("admin:alerts_delivery_change", args=[message.pk])).content.decode()
    assert "EmailChannel" not in page
    assert 'class="field-code"' in page


def test_a_rule_too_near_for_the_duty_is_refused_at_its_field(admin_client, byeol):
    ReminderRule.objects.all().delete()
    form = {"programme": byeol.pk, "offset_days": 32, "channels": ["email"], "at_once": 1, "least_points": 1}
    page = admin_client.post(reverse("admin:alerts_reminderrule_add"), form)
    assert "33" in str(page.context["adminform"].form.errors["offset_days"])
    assert not ReminderRule.objects.exists()
    form["offset_days"] = 33
    assert admin_client.post(reverse("admin:alerts_reminderrule_add"), form).status_code == 302
    page = admin_client.post(reverse("admin:alerts_reminderrule_add"), form)
    assert page.status_code == 200  # the same offset again
    assert ReminderRule.objects.count() == 1


@pytest.mark.parametrize("offset", ["", "-1", "x", "99999999999"])
def test_a_broken_offset_is_refused_without_a_crash(admin_client, byeol, offset):
    form = {"programme": byeol.pk, "offset_days": offset, "channels": ["email"], "at_once": 1, "least_points": 1}
    page = admin_client.post(reverse("admin:alerts_reminderrule_add"), form)
    assert page.status_code == 200
    assert "offset_days" in page.context["adminform"].form.errors


def test_an_extension_rule_is_set_in_the_admin_within_its_limits(admin_client, byeol):
    url = reverse("admin:alerts_extensionrule_add")
    form = {
        "programme": byeol.pk,
        "active": "on",
        "active_days": 90,
        "extend_days": 0,
        "most_times": 1,
        "days_before": 30,
    }
    assert "extend_days" in admin_client.post(url, form).context["adminform"].form.errors
    assert admin_client.post(url, form | {"extend_days": 30}).status_code == 302
    rule = byeol.extension_rules.get()
    assert admin_client.post(reverse("admin:alerts_extensionrule_delete", args=[rule.pk])).status_code == 403


def test_a_new_address_starts_afresh(admin_client, minji):
    contact = minji.member.contacts.get()
    contacts.refuse(contact=contact, now=before(60))
    url = reverse("admin:alerts_contact_change", args=[contact.pk])
    form = {"member": minji.member_id, "channel": "email", "language": "ko", "verified": "on", "active": "on"}
    admin_client.post(url, form | {"address": "minji@example.com"})
    assert Contact.objects.get().refused_at is not None
    assert "address" in admin_client.post(url, form | {"address": "nobody"}).context["adminform"].form.errors
    admin_client.post(url, form | {"address": "new@example.com"})
    assert Contact.objects.get().refused_at is None


def test_a_page_counts_no_further_than_it_must(db, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(pages, "MOST_ROWS", 3)
    with django_assert_num_queries(1) as queries:
        assert pages.BoundedPaginator(Delivery.objects.order_by("pk"), 50).count == 0
    assert "LIMIT 3" in queries.captured_queries[0]["sql"]
