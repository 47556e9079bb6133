"""The kill switch in the admin: with a reason, by those who may, and once; every time can be looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from alerts.admin import pages
from alerts.models import Stop, TellingRules, Transport
from alerts.sending.breakers import Gate
from alerts.watch import switches
from ledger.actors import Actor
from tests import builders
from tests.builders import NOW
from tests.windows import PASSWORD, chief, stop_clock

pytestmark = pytest.mark.django_db

BY = Actor("staff", "99")
MAY = ("view_transport", "view_tellingrules", "view_stop", "stop_sending")
TRANSPORTS = "/admin/alerts/transport/"
RULES = "/admin/alerts/tellingrules/"
NO_REASON = ["Say why, in at most 200 letters."]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


@pytest.fixture(autouse=True)
def carried_by(settings: Any) -> None:
    settings.TRANSPORTS = {"email": "smtp", "sms": "nhn", "alimtalk": "nhn"}


def signed_in(*permissions: str) -> Client:
    """Sora: staff with exactly these permissions of the alerting line."""
    user = User.objects.create_user("sora", password=PASSWORD, is_staff=True)
    found = Permission.objects.filter(content_type__app_label="alerts", codename__in=permissions)
    assert found.count() == len(permissions)
    user.user_permissions.set(found)
    client = Client(headers={"accept-language": "en"})
    client.login(username="sora", password=PASSWORD)
    return client


def sora() -> str:
    return f"staff:{User.objects.get(username='sora').pk}"


def do(client: Client, url: str, **sent: object) -> list[str]:
    """Send the form; what is said on the list that follows."""
    answer = client.post(url, sent, follow=True)
    assert answer.redirect_chain == [(url.rsplit("/", 2)[0] + "/", 302)]
    return [str(message) for message in answer.context["messages"]]


def refused(client: Client, url: str, **sent: object) -> dict[str, list[str]]:
    """Send the form; what stands at its fields."""
    answer = client.post(url, sent)
    assert answer.status_code == 200
    errors: dict[str, list[str]] = answer.context["form"].errors
    return {field: list(said) for field, said in errors.items()}


def offered(client: Client, url: str) -> list[tuple[str, str]]:
    """The choices of the form of an act."""
    form = client.get(url).context["form"]
    return next(list(field.choices) for name, field in form.fields.items() if name != "why")


def every_row() -> list[list[tuple[Any, ...]]]:
    tables = (Transport.objects, TellingRules.objects, Stop.objects, LogEntry.objects)
    return [list(table.order_by("pk").values_list()) for table in tables]


def stops() -> list[tuple[Any, ...]]:
    rows = Stop.objects.order_by("pk")
    return list(rows.values_list("programme", "transport", "stopped", "by", "why", "at"))


def logged() -> list[tuple[str, str, str | None, str]]:
    rows = LogEntry.objects.order_by("pk").values_list(
        "user__username", "content_type__model", "object_id", "change_message"
    )
    return list(rows)


def test_no_address_stands_in_a_reason_that_stays_for_good(moa):
    client = signed_in(*MAY)
    assert "telephone numbers in it are masked." in client.get(TRANSPORTS + "stop/").content.decode()
    do(client, TRANSPORTS + "stop/", name="nhn", why="minji@example.com and 010-1234-5678 complain")
    assert stops() == [(None, "nhn", True, sora(), "… and … complain", NOW)]
    assert Transport.objects.get().stopped_why == "… and … complain"
    assert logged() == [("sora", "transport", "nhn", "Stopped: … and … complain")]


def test_a_transport_without_a_row_is_stopped_and_let_go_on(moa):
    client = signed_in(*MAY)
    said = do(client, TRANSPORTS + "stop/", name="nhn", why=" wrong\r\nsender ")
    assert said == ["No reminder goes out through nhn (sms, alimtalk) any more."]
    assert switches.stopped(moa.pk, "nhn")
    assert not switches.stopped(moa.pk, "smtp")
    row = Transport.objects.get()
    assert (row.name, row.stopped_at, row.stopped_by, row.stopped_why) == ("nhn", NOW, sora(), "wrong sender")

    said = do(client, TRANSPORTS + "resume/", name="nhn", why="mended")
    assert said == ["Reminders go out through nhn (sms, alimtalk) again."]
    assert not switches.stopped(moa.pk, "nhn")
    assert stops() == [
        (None, "nhn", True, sora(), "wrong sender", NOW),
        (None, "nhn", False, sora(), "mended", NOW),
    ]
    assert logged() == [
        ("sora", "transport", "nhn", "Stopped: wrong sender"),
        ("sora", "transport", "nhn", "Let go on: mended"),
    ]


def test_a_programme_without_rules_is_stopped_and_let_go_on(moa):
    byeol = builders.byeol()
    client = signed_in(*MAY)
    said = do(client, RULES + "stop/", programme=moa.pk, why="wrong words")
    assert said == ["No reminder of Moa goes out any more."]
    assert switches.stopped(moa.pk, "smtp")
    assert not switches.stopped(byeol.pk, "smtp")
    row = TellingRules.objects.get()
    assert (row.programme, row.stopped_at, row.stopped_by, row.stopped_why) == (moa, NOW, sora(), "wrong words")

    assert do(client, RULES + "resume/", programme=moa.pk, why="mended") == ["Reminders of Moa go out again."]
    assert not switches.stopped(moa.pk, "smtp")
    assert stops() == [
        (moa.pk, "", True, sora(), "wrong words", NOW),
        (moa.pk, "", False, sora(), "mended", NOW),
    ]
    assert logged() == [
        ("sora", "tellingrules", str(moa.pk), "Stopped: wrong words"),
        ("sora", "tellingrules", str(moa.pk), "Let go on: mended"),
    ]
    history = client.get(reverse("admin:alerts_tellingrules_history", args=[moa.pk])).content.decode()
    assert "Stopped: wrong words" in history


@pytest.mark.parametrize("act", ["stop", "resume"])
def test_without_a_reason_nothing_is_written(moa, act):
    client = signed_in(*MAY)
    if act == "resume":
        switches.stop_transport(name="smtp", by=BY, why="bounces", now=NOW)
        switches.stop_programme(programme=moa, by=BY, why="wrong words", now=NOW)
    before = every_row()
    for why in ("", " \r\n "):
        assert refused(client, f"{TRANSPORTS}{act}/", name="smtp", why=why) == {"why": NO_REASON}
        assert refused(client, f"{RULES}{act}/", programme=moa.pk, why=why) == {"why": NO_REASON}
    for why in ("x" * 201, "a\0b"):
        assert list(refused(client, f"{TRANSPORTS}{act}/", name="smtp", why=why)) == ["why"]
    assert refused(client, f"{TRANSPORTS}{act}/") == {"name": ["This field is required."], "why": NO_REASON}
    assert every_row() == before


def test_what_is_done_already_is_refused_at_its_field(moa):
    client = signed_in(*MAY)
    transport = {"name": "smtp", "why": "bounces"}
    programme = {"programme": moa.pk, "why": "wrong words"}
    do(client, TRANSPORTS + "stop/", **transport)
    do(client, RULES + "stop/", **programme)
    before = every_row()
    assert refused(client, TRANSPORTS + "stop/", **transport) == {"name": ["The transport is stopped already."]}
    assert refused(client, RULES + "stop/", **programme) == {"programme": ["The programme is stopped already."]}
    assert every_row() == before
    do(client, TRANSPORTS + "resume/", **transport)
    do(client, RULES + "resume/", **programme)
    before = every_row()
    assert refused(client, TRANSPORTS + "resume/", **transport) == {"name": ["The transport is not stopped."]}
    assert refused(client, RULES + "resume/", **programme) == {"programme": ["The programme is not stopped."]}
    assert every_row() == before


@pytest.mark.parametrize("name", ["pigeon", "", "smtp\0", "0", "99999999999999999999"])
def test_what_is_not_known_is_refused(moa, name):
    client = signed_in(*MAY)
    before = every_row()
    assert list(refused(client, TRANSPORTS + "stop/", name=name, why="x")) == ["name"]
    assert list(refused(client, RULES + "stop/", programme=name, why="x")) == ["programme"]
    assert every_row() == before


@pytest.mark.parametrize(
    "permissions", [("view_transport", "view_tellingrules", "change_tellingrules", "change_transport"), MAY[-1:]]
)
def test_without_the_permission_it_is_neither_offered_nor_done(moa, permissions):
    switches.stop_transport(name="smtp", by=BY, why="bounces", now=NOW)
    switches.stop_programme(programme=moa, by=BY, why="wrong words", now=NOW)
    client = signed_in(*permissions)
    before = every_row()
    for url, sent in (
        (TRANSPORTS + "stop/", {"name": "nhn"}),
        (TRANSPORTS + "resume/", {"name": "smtp"}),
        (RULES + "stop/", {"programme": moa.pk}),
        (RULES + "resume/", {"programme": moa.pk}),
    ):
        assert client.get(url).status_code == 403
        assert client.post(url, sent | {"why": "because"}).status_code == 403
    if "view_transport" in permissions:
        for url in (TRANSPORTS, f"{TRANSPORTS}smtp/change/", RULES, f"{RULES}{moa.pk}/change/"):
            page = client.get(url)
            assert page.status_code == 200
            assert "/stop/" not in page.content.decode()
            assert "/resume/" not in page.content.decode()
    assert every_row() == before


def test_looking_at_the_pages_changes_nothing(moa):
    switches.stop_transport(name="smtp", by=BY, why="bounces", now=NOW)
    client = signed_in(*MAY)
    before = every_row()
    for url in (TRANSPORTS, RULES, "/admin/alerts/stop/"):
        assert client.get(url).status_code == 200
    for url in (TRANSPORTS + "stop/", TRANSPORTS + "resume/"):
        assert client.get(url, {"name": "smtp", "why": "because"}).status_code == 200
    for url in (RULES + "stop/", RULES + "resume/"):
        assert client.get(url, {"programme": moa.pk, "why": "because"}).status_code == 200
    assert every_row() == before


def test_a_form_from_another_site_is_refused(moa):
    signed_in(*MAY)
    strict = Client(enforce_csrf_checks=True)
    strict.login(username="sora", password=PASSWORD)
    assert strict.post(TRANSPORTS + "stop/", {"name": "smtp", "why": "x"}).status_code == 403
    assert not Stop.objects.exists()


def test_each_page_offers_what_fits_and_those_in_use_first(moa):
    switches.stop_transport(name="smtp", by=BY, why="bounces", now=NOW)
    switches.stop_transport(name="gone", by=BY, why="moved", now=NOW)
    client = signed_in(*MAY)
    assert offered(client, TRANSPORTS + "stop/") == [
        ("nhn", "nhn (sms, alimtalk)"),
        ("anymail", "anymail (carries nothing now)"),
        ("sandbox", "sandbox (carries nothing now)"),
        ("solapi", "solapi (carries nothing now)"),
        ("twilio", "twilio (carries nothing now)"),
    ]
    assert offered(client, TRANSPORTS + "resume/") == [
        ("smtp", "smtp (email)"),
        ("gone", "gone (carries nothing now)"),
    ]
    assert offered(client, RULES + "stop/") == [(str(moa.pk), "Moa")]
    assert offered(client, RULES + "resume/") == []


def links(page: Any) -> list[tuple[str, str]]:
    return [(url, str(title)) for url, title in page.context["acts"]]


def test_lists_and_pages_lead_to_what_can_be_done(moa):
    client = signed_in(*MAY)
    assert links(client.get(TRANSPORTS)) == [(TRANSPORTS + "stop/", "Stop a transport")]
    assert links(client.get(RULES)) == [(RULES + "stop/", "Stop a programme")]
    switches.stop_transport(name="smtp", by=BY, why="bounces", now=NOW)
    switches.stop_programme(programme=moa, by=BY, why="wrong words", now=NOW)
    go_on = TRANSPORTS + "resume/?name=smtp"
    assert links(client.get(TRANSPORTS)) == [
        (TRANSPORTS + "stop/", "Stop a transport"),
        (TRANSPORTS + "resume/", "Let a transport go on"),
    ]
    assert f'<a href="{go_on}">Let go on</a>' in client.get(TRANSPORTS).content.decode()
    assert links(client.get(f"{TRANSPORTS}smtp/change/")) == [(go_on, "Let go on")]
    assert client.get(go_on).context["form"]["name"].value() == "smtp"
    assert links(client.get(f"{RULES}{moa.pk}/change/")) == [(f"{RULES}resume/?programme={moa.pk}", "Let go on")]
    page = client.get(f"{RULES}{moa.pk}/change/").content.decode()
    assert "Stopped by staff:99: wrong words" in page


def test_the_list_says_how_each_transport_stands(moa, monkeypatch):
    gate = Gate()
    monkeypatch.setattr("random.random", lambda: 0.5)
    gate.failed("nhn", now=NOW, away=True)  # for half a minute
    gate.failed("anymail", now=NOW - timedelta(hours=1), away=True)
    switches.stop_transport(name="solapi", by=BY, why="their outage", now=NOW)
    switches.stop_transport(name="twilio", by=BY, why="their outage", now=NOW)
    switches.resume_transport(name="twilio", by=BY, why="it is back", now=NOW)
    page = signed_in(*MAY).get(TRANSPORTS)
    assert isinstance(page.context["cl"].paginator, pages.BoundedPaginator)
    admin = page.context["cl"].model_admin
    shown = [
        (row.name, admin.carries(row), admin.breaker(row), row.failures, row.stopped_at, admin.last_word(row))
        for row in page.context["cl"].result_list
    ]
    assert shown == [
        ("anymail", "–", "one message tries it next", 5, None, "–"),
        ("nhn", "sms, alimtalk", "open: not tried before 2025-03-10 03:00:30 UTC", 5, None, "–"),
        ("solapi", "–", "closed", 0, NOW, "Stopped by staff:99: their outage"),
        ("twilio", "–", "closed", 0, None, "Let go on by staff:99: it is back"),
    ]
    missing = "In use, never in trouble and never stopped, so not listed: smtp (email)."
    assert missing in page.content.decode()


def test_nothing_is_said_to_be_unlisted_when_all_are_there(moa):
    for name in ("smtp", "nhn"):
        switches.stop_transport(name=name, by=BY, why="x", now=NOW)
    assert signed_in(*MAY).get(TRANSPORTS).context["unlisted"] == ""


def test_a_stop_can_only_be_looked_at_newest_first(moa, admin_client):
    switches.stop_transport(name="smtp", by=BY, why="bounces", now=NOW)
    switches.stop_programme(programme=moa, by=BY, why="wrong words", now=NOW)
    page = admin_client.get("/admin/alerts/stop/")
    listed = page.context["cl"]
    assert isinstance(listed.paginator, pages.BoundedPaginator)
    assert [listed.model_admin.what(row) for row in listed.result_list] == ["Moa", "smtp"]
    found = admin_client.get("/admin/alerts/stop/", {"q": "moa"}).context["cl"].result_list
    assert [row.why for row in found] == ["wrong words"]
    first = Stop.objects.get(transport="smtp")
    before = every_row()
    assert "bounces" in admin_client.get(f"/admin/alerts/stop/{first.pk}/change/").content.decode()
    assert admin_client.post(f"/admin/alerts/stop/{first.pk}/change/", {"why": "x"}).status_code == 403
    assert admin_client.post(f"/admin/alerts/stop/{first.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get("/admin/alerts/stop/add/").status_code == 403
    assert admin_client.post("/admin/alerts/transport/add/", {"name": "x"}).status_code == 403
    assert admin_client.post("/admin/alerts/transport/smtp/change/", {"stopped_why": "x"}).status_code == 403
    assert admin_client.post("/admin/alerts/transport/smtp/delete/", {"post": "yes"}).status_code == 403
    assert every_row() == before


def test_saving_the_rules_leaves_the_stop_alone(moa, admin_client):
    switches.stop_programme(programme=moa, by=BY, why="wrong words", now=NOW)
    form = {"pack": "", "open_from": "10:00", "open_until": "20:30", "country": "KR", "counts_when": "accepted"}
    numbers = {"text_kept_days": 365, "blast_factor": 5, "blast_least": 1000}
    form |= {"stopped_at": "", "last_word": "x", "stopped_why": "x"}
    assert admin_client.post(f"{RULES}{moa.pk}/change/", form | numbers).status_code == 302
    row = TellingRules.objects.get()
    assert (row.open_from.hour, row.stopped_at, row.stopped_why) == (10, NOW, "wrong words")


def test_a_name_that_no_transport_can_have_is_not_there(db):
    client = Client()
    client.force_login(chief())
    assert client.get("/admin/alerts/transport/%00/change/").status_code == 302
