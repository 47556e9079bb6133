import pytest
from django.urls import reverse

from alerts.models import Template, TemplateVersion
from ledger.models import Programme

ADD = "admin:alerts_template_add"
SHORT = "Korea: SMS × 1, 60/90 · elsewhere: UCS-2 × 1, 57/70"
TEXT = "{{ points }}{{ unit }} {{ last_day }}{% if last_time %} {{ last_time }}{% endif %} {{ link }}"


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


def test_words_are_counted_while_they_are_typed(admin_client, saved):
    new, there = reverse("admin:alerts_template_count"), reverse("admin:alerts_template_count", args=[saved.pk])
    page = admin_client.get(reverse("admin:alerts_template_change", args=[saved.pk])).content.decode()
    assert f'data-count-url="{there}"' in page
    assert "alerts/counter.js" in page
    assert f'data-count-url="{new}"' in admin_client.get(reverse(ADD)).content.decode()

    def said(url: str, sent: dict) -> str:
        return str(admin_client.post(url, sent).json()["said"])

    assert said(there, {"text": TEXT}) == said(new, form(saved.programme)) == SHORT
    assert said(there, {"text": TEXT, "channel": "email"}) == SHORT  # what the row is cannot be typed over
    long = said(there, {"text": f"{TEXT} {'가' * 40}"})
    assert long.startswith("Korea: LMS × 1, ")
    assert "/2000 · elsewhere: UCS-2 × 2, " in long
    assert said(there, {"text": f"{TEXT} {{{{ pionts }}}}"}) == "“pionts” is no variable that templates know."
    assert said(there, {"text": f"{TEXT} 😀"}).startswith(
        "Korea: U+1F600 cannot be written in an SMS to a Korean number."
    )
    assert said(there, {"text": ""}) == said(new, {"text": TEXT}) == said(new, form(saved.programme, channel="x")) == ""
    assert said(new, form(saved.programme, channel="email")) == ""
    assert TemplateVersion.objects.get().text == TEXT


def test_only_staff_who_may_write_words_have_them_counted(client, admin_client, saved, django_user_model):
    url = reverse("admin:alerts_template_count", args=[saved.pk])
    assert client.post(url, {"text": TEXT}).status_code == 302
    client.force_login(django_user_model.objects.create_user("sora", is_staff=True))
    assert client.post(url, {"text": TEXT}).status_code == 404
    assert admin_client.get(url).status_code == 405
    assert admin_client.post(reverse("admin:alerts_template_count", args=[0]), {"text": TEXT}).status_code == 404


def test_how_long_an_sms_may_be_depends_on_where_its_transport_carries(admin_client, byeol, settings):
    long = form(byeol, text=f"{TEXT} {'가' * 700}")  # an LMS, and eleven segments elsewhere
    for transport in ("sandbox", "twilio"):
        settings.TRANSPORTS = settings.TRANSPORTS | {"sms": transport}
        page = admin_client.post(reverse(ADD), long)
        said = page.context["adminform"].form.errors
        assert said == {"text": ["To numbers outside Korea: It needs 12 segments; at most 10 are sent."]}
        assert not Template.objects.exists()
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "nhn"}
    assert admin_client.post(reverse(ADD), long).status_code == 302
    page = admin_client.post(reverse(ADD), form(byeol, language="en", text=f"{TEXT} {'가' * 1_000}"))
    assert "an LMS has room for 2000." in str(page.context["adminform"].form.errors["text"])
    assert TemplateVersion.objects.count() == 1
