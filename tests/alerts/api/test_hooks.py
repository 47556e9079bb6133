import pytest
from django.test import Client

from alerts.models import ProviderEvent
from tests.alerts.channels.conftest import point, sender
from tests.alerts.sending.test_webhooks import TAKEN

__all__ = ["sender"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def providers(settings):
    point(settings, "http://127.0.0.1:9")


def post(posted):
    headers = {name: value for name, value in posted.headers.items() if name != "Content-Type"}
    url = posted.path + (f"?{posted.query}" if posted.query else "")
    client = Client(enforce_csrf_checks=True)
    return client.post(url, posted.body, content_type=posted.headers["Content-Type"], headers=headers)


@pytest.mark.parametrize("taken", TAKEN, ids=[taken.provider for taken in TAKEN])
def test_a_report_is_stored_and_answered_at_once(taken, sender):
    answer = post(sender.report(taken))
    assert (answer.status_code, answer.json()) == (200, {"stored": 1})
    answer = post(sender.report(taken, unsigned=True))
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert ProviderEvent.objects.count() == 1


def test_what_is_no_report_has_its_error():
    answer = Client().post("/hooks/pigeon/", b"{}", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_transport")
    headers = {"X-Solapi-Secret": "solapi-hooks"}
    answer = Client().post("/hooks/solapi/", b'[{"mess', content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (400, "body")
    assert Client().get("/hooks/solapi/").status_code == 405
