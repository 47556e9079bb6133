import pytest
from django.urls import reverse

from alerts.models import Template, TemplateVersion
from ledger.models import Programme
from tests import builders

ADD = "admin:alerts_template_add"
TEXT = "{{ points }}{{ unit }} {{ last_day }} {{ link }}"


def form(programme: Programme, **changes: object) -> dict:
    return {"programme": programme.pk, "channel": "sms", "language": "ko", "purpose": "notice", "text": TEXT} | changes


def again(text: str) -> dict:
    formset = {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 0}
    return {"text": text} | {f"versions-{name}": value for name, value in formset.items()}


@pytest.fixture
def saved(admin_client, byeol) -> Template:
    assert admin_client.post(reverse(ADD), form(byeol)).status_code == 302
    return Template.objects.get()


def test_saving_makes_a_new_version_and_the_old_one_stays_in_sight(admin_client, saved, admin_user):
    url = reverse("admin:alerts_template_change", args=[saved.pk])
    assert admin_client.post(url, again(f"Byeol {TEXT}")).status_code == 302
    rows = list(TemplateVersion.objects.order_by("number").values_list("number", "text", "made_by"))
    assert rows == [(1, TEXT, f"staff:{admin_user.pk}"), (2, f"Byeol {TEXT}", f"staff:{admin_user.pk}")]
    page = admin_client.get(url)
    assert page.context["adminform"].form["text"].value() == f"Byeol {TEXT}"
    assert page.content.decode().count('class="field-number"') == 2


def test_an_unknown_variable_is_refused_at_its_field(admin_client, byeol):
    page = admin_client.post(reverse(ADD), form(byeol, text=f"{TEXT} {{{{ pionts }}}}"))
    assert "pionts" in str(page.context["adminform"].form.errors["text"])
    assert not Template.objects.exists()


def test_a_second_template_for_the_same_words_is_refused(admin_client, saved):
    page = admin_client.post(reverse(ADD), form(saved.programme, text=f"x {TEXT}"))
    assert page.status_code == 200
    assert TemplateVersion.objects.get().text == TEXT


def test_the_counter_shows_bytes_and_price_class(admin_client, saved):
    page = admin_client.get(reverse("admin:alerts_template_change", args=[saved.pk])).content.decode()
    assert "SMS × 1, " in page
    assert "/90" in page
    assert "UCS-2 × 1, " in page


def test_a_template_is_not_deleted(admin_client, saved):
    assert admin_client.post(reverse("admin:alerts_template_delete", args=[saved.pk])).status_code == 403


def test_the_preview_is_what_a_real_member_would_get(admin_client, saved, monkeypatch):
    account = builders.minji(saved.programme)
    builders.grant(account, 1_200)
    monkeypatch.setattr("alerts.admin.templates.timezone.now", lambda: builders.NOW)
    url = reverse("admin:alerts_template_preview", args=[saved.pk])
    page = admin_client.get(url, {"member": "minji"}).content.decode()
    assert "<pre>1,200P 2026년 3월 31일 http" in page
    for member in ("nobody", "\0"):
        assert 'class="errornote"' in admin_client.get(url, {"member": member}).content.decode()
    assert admin_client.get(reverse("admin:alerts_template_preview", args=[0])).status_code == 404
