from datetime import timedelta

import pytest

from alerts.errors import Unknown
from alerts.models import TellingRules
from alerts.sending import deliveries
from alerts.sending.keeping import forget_texts
from tests.alert_builders import before, plan, the_delivery

SENT_AT = before(60)


@pytest.fixture
def sent(minji, carrier):
    plan(SENT_AT)
    deliveries.deliver(now=SENT_AT, limit=10)
    return the_delivery()


def after(days):
    return SENT_AT + timedelta(days=days, seconds=1)


def test_a_text_is_kept_for_a_year_and_its_proof_for_ever(sent):
    assert "1,200P" in sent.text
    assert forget_texts(now=after(365) - timedelta(minutes=1), limit=10) == 0
    assert forget_texts(now=after(365), limit=10) == 1
    kept = the_delivery()
    assert kept.text == ""
    assert (kept.text_hash, kept.variables, kept.points_told) == (sent.text_hash, sent.variables, 1_200)
    assert kept.variables["points"] == 1_200
    assert kept.variables["last_day"] == "2026-03-31"
    assert forget_texts(now=after(365), limit=10) == 0


def test_a_programme_says_for_how_long(sent, byeol):
    TellingRules.objects.create(programme=byeol, text_kept_days=30)
    assert forget_texts(now=after(29), limit=10) == 0
    assert forget_texts(now=after(30), limit=10) == 1


def test_a_text_under_way_stays(minji, carrier):
    plan(SENT_AT)
    carrier.answers = [Unknown()]
    deliveries.deliver(now=SENT_AT, limit=10)
    assert the_delivery().status == "unknown"
    assert forget_texts(now=after(3_650), limit=10) == 0
    assert the_delivery().text != ""


def test_a_pass_is_bounded(sent):
    assert forget_texts(now=after(365), limit=0) == 0
    assert forget_texts(now=after(365), limit=1) == 1
