"""One click ends messages, and nothing but a click does."""

from __future__ import annotations

import pytest
from django.test import Client

from alerts.addresses import unsubscribing
from alerts.models import Consent
from tests.builders import NOW

CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def path(minji, settings) -> str:
    settings.SITE_URL = ""
    return unsubscribing.link(member_id=minji.member_id, channel="email", purpose="notice")


def test_looking_shows_a_button_and_changes_nothing(visitor: Client, path):
    assert b'value="One-Click"' in visitor.get(path).content
    assert visitor.head(path).status_code == 200
    assert not Consent.objects.exists()


def test_a_post_without_cookie_or_sign_in_ends_the_messages(path, minji):
    answer = Client(enforce_csrf_checks=True).post(path, CLICK)
    assert answer.status_code == 200
    row = Consent.objects.get()
    assert (row.member_id, row.channel, row.purpose, row.given, row.at) == (
        *(minji.member_id, "email", "notice", False, NOW),
    )


def test_a_forged_link_and_a_post_of_something_else_are_refused(visitor: Client, path):
    assert visitor.post(path, {}).status_code == 400
    assert visitor.post(path[:-2] + "/", CLICK).status_code == 400
    assert visitor.get("/unsubscribe/forged/").status_code == 400
    assert visitor.put(path).status_code == 405
    assert not Consent.objects.exists()
