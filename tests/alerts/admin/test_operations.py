"""The page of an act: the act and its line in the admin's log are written together, or neither is."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import translation

from alerts.admin.operations import WhyForm
from alerts.admin.stops import TransportAdmin
from alerts.models import Stop, Transport

STOP = "/admin/alerts/transport/stop/"


def test_what_cannot_be_logged_is_not_done_either(admin_client, db, monkeypatch):
    def refuse(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(TransportAdmin, "log_change", refuse)
    with pytest.raises(RuntimeError):
        admin_client.post(STOP, {"name": "smtp", "why": "bounces"})
    assert not Transport.objects.exists()
    assert not Stop.objects.exists()


def test_what_is_refused_is_not_logged_either(admin_client, db):
    admin_client.post(STOP, {"name": "smtp", "why": "bounces"})
    admin_client.post(STOP, {"name": "smtp", "why": "bounces"})
    assert LogEntry.objects.count() == 1


def test_a_page_has_no_scripts_or_styles_of_its_own(admin_client, db):
    page = admin_client.get(STOP)
    body = page.content.decode().split('id="content-main"')[1].split("</form>")[0]
    for word in ("<script", "<style", " style=", " onclick=", " onsubmit="):
        assert word not in body
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("why", "kept"), [(" wrong\r\n words ", "wrong words"), ("x" * 200, "x" * 200), ("<b>&", "<b>&")]
)
def test_a_reason_is_one_line(why, kept):
    form = WhyForm({"why": why})
    assert form.is_valid()
    assert form.cleaned_data["why"] == kept


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("", "Say why, in at most 200 letters."),
        (" \r\n\t ", "Say why, in at most 200 letters."),
        ("x" * 201, "Ensure this value has at most 200 characters (it has 201)."),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_a_reason_that_is_none_is_refused(why, said):
    with translation.override("en"):
        assert WhyForm({"why": why}).errors == {"why": [said]}
