from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from alerts.errors import Unknown
from alerts.models import Delivery, SandboxMessage, TellingRules
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


@pytest.mark.parametrize(("kept_days", "read_back_to"), [(None, 365), (30, 30), (900, 365)])
def test_what_no_programme_forgets_yet_is_not_read(
    sent, byeol, moa, kept_days, read_back_to, django_assert_max_num_queries
):
    if kept_days:
        TellingRules.objects.create(programme=moa, text_kept_days=kept_days)
    now = after(1)
    with django_assert_max_num_queries(3) as made:
        assert forget_texts(now=now, limit=10) == 0
    (sql,) = [query["sql"] for query in made.captured_queries if "SET text = ''" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # of a table that is nearly empty it would be cheaper
        cursor.execute(f"EXPLAIN {sql}")
        plan_of = "\n".join(line for (line,) in cursor.fetchall())
    bound = f"{now - timedelta(days=read_back_to):%Y-%m-%d %H:%M:%S}"
    assert f"Index Cond: (created_at < '{bound}" in plan_of, plan_of
    assert " delivery_text_kept " in plan_of, plan_of


@pytest.fixture
def sandboxed(minji, settings):
    """Minji's reminder, and a code, stay in the sandbox."""
    settings.TRANSPORTS = settings.TRANSPORTS | {"email": "sandbox"}
    plan(SENT_AT)
    deliveries.deliver(now=SENT_AT, limit=10)
    SandboxMessage.objects.create(key=uuid4(), channel="sms", to="+821012345678", text="123456", at=SENT_AT)
    SandboxMessage.objects.update(at=SENT_AT)
    assert in_the_sandbox() == ["+821012345678", "minji@example.com"]


def in_the_sandbox():
    return sorted(SandboxMessage.objects.values_list("to", flat=True))


def test_the_sandbox_keeps_addresses_and_texts_no_longer(sandboxed):
    forget_texts(now=after(365) - timedelta(seconds=1), limit=10)
    assert in_the_sandbox() == ["+821012345678", "minji@example.com"]
    assert forget_texts(now=after(365), limit=10) == 1
    assert in_the_sandbox() == []
    assert the_delivery().text == ""


def test_in_the_sandbox_a_programme_says_for_how_long_and_a_code_is_of_none(sandboxed, byeol):
    TellingRules.objects.create(programme=byeol, text_kept_days=30)
    forget_texts(now=after(30), limit=10)
    assert in_the_sandbox() == ["+821012345678"]


def test_in_the_sandbox_no_more_than_the_limit_go_at_once_and_what_is_under_way_stays(sandboxed):
    Delivery.objects.update(status="unknown", accepted_at=None, noticed_at=None)
    forget_texts(now=after(365), limit=0)
    assert len(in_the_sandbox()) == 2
    forget_texts(now=after(365), limit=10)
    assert in_the_sandbox() == ["minji@example.com"]
