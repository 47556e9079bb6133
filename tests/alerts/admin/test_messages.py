"""The list of deliveries: in bounded pages, with those first that wait for a person."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from alerts.admin.messages import DeliveryAdmin
from alerts.errors import Unknown
from alerts.models import Delivery
from alerts.sending import deliveries
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.alert_builders import LAST_DAY, before, plan

LIST = reverse("admin:alerts_delivery_changelist")


@pytest.fixture
def held(db, carrier):
    """Text messages of which nobody knew whether they were sent. Minji's points go first, Jun's a month later; of
    Sora's it is known by now, and of Dain's, another month later, the clock still finds out."""
    byeol = alert_builders.byeol(60)
    alert_builders.by_channels(byeol, "sms", "email")
    carrier.answers = [Unknown()]
    for reference, days in (("minji", 0), ("sora", 0), ("jun", 31), ("dain", 61)):
        account = alert_builders.member(byeol, reference, 100, now=builders.NOW + timedelta(days=days))
        alert_builders.phone(account)
    for last_day in (LAST_DAY, date(2026, 4, 30), date(2026, 5, 31)):
        at = before(60, last_day)
        deliveries.reap(now=at, limit=10)
        plan(at)
        deliveries.deliver(now=at, limit=10)
    sora = Delivery.objects.get(reminder__account__member__reference="sora")
    by = Actor("staff", "3")
    deliveries.decide_by_hand(delivery=sora, decision=deliveries.Decision.SENT, by=by, why="asked", now=at)


def shown(client, **asked: str) -> list[tuple[str, str, str]]:
    """(member, status, reason) of the rows of the list."""
    answer = client.get(LIST, asked)
    assert answer.status_code == 200
    rows = answer.context["cl"].result_list
    return [(row.reminder.account.member.reference, row.status, row.why) for row in rows]


def test_those_that_wait_for_a_person_are_shown_alone_and_the_first_to_expire_first(admin_client, held):
    assert shown(admin_client, person="1") == [("minji", "unknown", "person"), ("jun", "unknown", "person")]
    assert shown(admin_client) == [
        ("dain", "unknown", ""),
        ("jun", "unknown", "person"),
        ("sora", "accepted", ""),
        ("minji", "unknown", "person"),
    ]
    assert "waits for a person, the first to expire first" in admin_client.get(LIST).content.decode()


def test_a_filter_that_is_none_shows_all(admin_client, held):
    assert len(shown(admin_client, person="2")) == 4


@pytest.mark.parametrize(("asked", "index"), [({"person": "1"}, "delivery_unknown"), ({}, "delivery_once")])
def test_a_page_follows_an_index_and_sorts_no_table(
    admin_client, held, django_assert_max_num_queries, monkeypatch, asked, index
):
    monkeypatch.setattr(DeliveryAdmin, "list_per_page", 1)
    with django_assert_max_num_queries(12) as made:
        admin_client.get(LIST, asked)
    on_deliveries = [query["sql"] for query in made.captured_queries if 'FROM "alerts_delivery"' in query["sql"]]
    assert len(on_deliveries) == 2  # the count, which ends somewhere, and the page
    for sql in on_deliveries:
        assert "LIMIT" in sql
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}")
            plan_of = "\n".join(line for (line,) in cursor.fetchall())
        assert f"using {index} " in plan_of, plan_of
        assert "Seq Scan on alerts_delivery" not in plan_of, plan_of
        # The index gives the order; only rows that are equal in it are sorted among themselves.
        assert "Presorted Key" in plan_of, plan_of
