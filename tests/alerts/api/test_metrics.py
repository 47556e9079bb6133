"""The gauges as Prometheus reads them, for whoever holds the token and nobody else."""

from __future__ import annotations

import math

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from alerts.duty import unreached
from alerts.models import Tick
from tests.alert_builders import before, plan, the_delivery
from tests.config.test_settings import started_with

pytestmark = pytest.mark.django_db

TOKEN = "t" * 32


@pytest.fixture(autouse=True)
def token(settings):
    settings.METRICS_TOKEN = TOKEN


def asked(header: str | None = f"Bearer {TOKEN}", **more):
    return Client().get("/metrics", headers={"Authorization": header} if header else {}, **more)


def families() -> dict:
    return {family.name: family for family in text_string_to_metric_families(asked().content.decode())}


def test_all_gauges_are_there_as_prometheus_reads_them(minji):
    plan(before(60))
    read = families()
    assert read.keys() == {f"pointkeep_{gauge.name}" for gauge in unreached.all_gauges(now=timezone.now())}
    assert {family.type for family in read.values()} == {"gauge"}
    assert all(family.documentation for family in read.values())
    late = {one.labels["transport"]: one.value for one in read["pointkeep_oldest_due_seconds"].samples}
    assert late.keys() == {"smtp", "sandbox"}
    assert late["sandbox"] == 0
    assert late["smtp"] == pytest.approx((timezone.now() - the_delivery().next_attempt_at).total_seconds(), abs=60)
    there = [one.labels for one in read["pointkeep_deliveries_open"].samples if one.value]
    assert there == [{"transport": "smtp", "state": "pending"}]


def test_a_tick_that_never_ended_is_infinitely_long_ago():
    Tick.objects.create(name="plan", began_at=timezone.now())
    ended = {one.labels["tick"]: one.value for one in families()["pointkeep_tick_ended_seconds"].samples}
    assert ended["plan"] == math.inf
    began = {one.labels["tick"]: one.value for one in families()["pointkeep_tick_began_seconds"].samples}
    assert began["plan"] < 60


def test_the_answer_is_plain_text_that_nobody_keeps():
    answer = asked()
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer ü"])
def test_a_wrong_token_and_none_are_refused_and_nothing_is_read(header, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = asked(header)
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["WWW-Authenticate"] == 'Bearer realm="metrics"'


def test_without_a_token_in_the_settings_there_is_no_such_page(settings):
    settings.METRICS_TOKEN = ""
    for header in (None, "Bearer ", f"Bearer {TOKEN}"):
        assert asked(header).status_code == 404


def test_it_is_only_read():
    assert Client().post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_a_token_that_no_header_can_hold_stops_the_start():
    assert started_with("assert settings.METRICS_TOKEN == ''", METRICS_TOKEN="").returncode == 0
    assert started_with(METRICS_TOKEN=TOKEN).returncode == 0
    refused = started_with(METRICS_TOKEN="a b")
    assert refused.returncode != 0
    assert "METRICS_TOKEN" in refused.stderr
    assert "a b" not in refused.stderr.replace("holds what a header cannot", "")
