"""What providers reported, in the admin: to look at, and as it came only for those who may see addresses."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.urls import reverse

from alerts.admin import events
from alerts.admin.events import ProviderEventAdmin
from alerts.models import Delivery, ProviderEvent
from alerts.sending import deliveries, receipts
from ledger.actors import Actor
from tests.alert_builders import before, plan, the_delivery

LIST = reverse("admin:alerts_providerevent_changelist")
SENT_AT = before(60)
ADDRESS = "minji@example.com"
KEPT_BACK = "It can hold addresses: only those who may look at contacts see it."


def report(number: int, kind: str = "delivered", *, transport: str = "solapi", delivery: Delivery | None = None):
    """A provider reports, so many minutes after the message was sent; `delivery` is the message it names."""
    at = SENT_AT + timedelta(minutes=number)
    return ProviderEvent.objects.create(
        transport=transport,
        event_key=f"{kind}:{number}",
        kind=kind,
        provider_id=f"M{number}",
        our_key=str(delivery.pk) if delivery else "",
        occurred_at=at - timedelta(seconds=5),
        received_at=at,
        raw=f'{{"to": "{ADDRESS}", "number": {number}}}',
    )


@pytest.fixture
def message(minji, sink):
    """The e-mail that Minji got."""
    plan(SENT_AT)
    deliveries.deliver(now=SENT_AT, limit=10)
    return the_delivery()


@pytest.fixture
def reported(message):
    """It arrived; somebody else's came back a day and more ago; and one report is still to be matched."""
    report(1, delivery=message)
    report(2, "bounced", transport="nhn")
    receipts.match(now=SENT_AT + timedelta(days=1, minutes=2), limit=10)
    report(3, "complained")
    return message


def staff(client, *permissions: str) -> None:
    """Sora: staff with exactly these permissions."""
    user = User.objects.create_user("sora", password="x", is_staff=True)
    found = Permission.objects.filter(content_type__app_label="alerts", codename__in=permissions)
    assert found.count() == len(permissions)
    user.user_permissions.set(found)
    client.force_login(user)


def shown(client, **asked: str) -> list[str]:
    """The provider's numbers of the rows of the list."""
    answer = client.get(LIST, asked)
    assert answer.status_code == 200
    return [row.provider_id for row in answer.context["cl"].result_list]


def page_of(client, number: int) -> str:
    event = ProviderEvent.objects.get(provider_id=f"M{number}")
    answer = client.get(reverse("admin:alerts_providerevent_change", args=[event.pk]))
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


# --- The list


def test_the_list_shows_what_was_reported_the_newest_first_and_nothing_as_it_came(admin_client, reported):
    answer = admin_client.get(LIST)
    page = answer.content.decode()
    assert [row.provider_id for row in answer.context["cl"].result_list] == ["M3", "M2", "M1"]
    delivery = reverse("admin:alerts_delivery_change", args=[reported.pk])
    change = reverse("admin:alerts_providerevent_change", args=[ProviderEvent.objects.get(provider_id="M2").pk])
    for said in (
        f'<th class="field-transport"><a href="{change}">nhn</a></th>',
        '<td class="field-kind">Bounced</td>',
        '<td class="field-provider_id">M2</td>',
        f'<td class="field-delivery_link"><a href="{delivery}">{reported.pk}</a></td>',
        '<td class="field-delivery_link">–</td>',
        "Jan. 30, 2026",
    ):
        assert said in page, said
    assert ADDRESS not in page
    assert "<style" not in page
    assert " style=" not in page


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({"transport": "solapi"}, ["M3", "M1"]),
        ({"transport": "nhn"}, ["M2"]),
        ({"transport": "by hand"}, []),
        ({"kind__exact": "bounced"}, ["M2"]),
        ({"match": "nothing"}, ["M3", "M2"]),
        ({"match": "waits"}, ["M3"]),
        ({"match": "else"}, ["M3", "M2", "M1"]),
        ({"match": "nothing", "transport": "nhn", "kind__exact": "bounced"}, ["M2"]),
        ({"q": "M2"}, ["M2"]),
        ({"q": " M2 "}, ["M2"]),
        ({"q": "M"}, []),
        ({"q": str(UUID(int=0))}, []),
        ({"q": ADDRESS}, []),
    ],
)
def test_the_list_is_narrowed(admin_client, reported, asked, numbers):
    assert shown(admin_client, **asked) == numbers


def test_the_reports_of_a_delivery_are_found_by_its_key(admin_client, reported, monkeypatch):
    monkeypatch.setattr(events, "NEWEST", 0)  # however old they are
    assert shown(admin_client) == []
    assert shown(admin_client, q="M1") == []
    assert shown(admin_client, q=str(reported.pk)) == ["M1"]


def test_those_that_wait_come_the_oldest_first(admin_client, reported, monkeypatch):
    report(4)
    monkeypatch.setattr(events, "NEWEST", 0)
    assert shown(admin_client, match="waits") == ["M3", "M4"]
    assert shown(admin_client, match="waits", q="M4") == ["M4"]


def test_what_a_person_decided_stands_among_them(admin_client, minji, sink):
    plan(SENT_AT)
    deliveries.cancel(delivery=the_delivery(), by=Actor("staff", "3"), why="a wrong text", now=SENT_AT)
    assert len(shown(admin_client, transport="by hand", kind__exact="other")) == 1


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "alerts_providerevent_pkey"),
        ({"match": "nothing"}, "alerts_providerevent_pkey"),
        ({"kind__exact": "bounced"}, "alerts_providerevent_pkey"),
        ({"match": "waits"}, "event_to_match"),
        ({"q": "3f0c8f4e-0000-4000-8000-000000000000"}, "event_of_delivery"),
    ],
)
def test_no_page_reads_the_whole_table(
    admin_client, reported, monkeypatch, django_assert_max_num_queries, asked, index
):
    monkeypatch.setattr(ProviderEventAdmin, "list_per_page", 1)
    with django_assert_max_num_queries(12) as made:
        admin_client.get(LIST, asked)
    on_events = [query["sql"] for query in made.captured_queries if 'FROM "alerts_providerevent"' in query["sql"]]
    *newest, count, page = on_events
    assert len(newest) == (1 if index == "alerts_providerevent_pkey" else 0)
    assert "LIMIT" in count
    for sql in (count, page):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}")
            plan_of = "\n".join(line for (line,) in cursor.fetchall())
        assert f" {index} " in plan_of, plan_of
        assert "Seq Scan" not in plan_of, plan_of


def test_who_may_not_look_at_events_sees_none(client, reported):
    staff(client, "view_delivery", "view_contact")
    assert client.get(LIST).status_code == 403
    event = ProviderEvent.objects.get(provider_id="M1")
    assert client.get(reverse("admin:alerts_providerevent_change", args=[event.pk])).status_code == 403
    page = client.get(reverse("admin:alerts_delivery_change", args=[reported.pk]))
    assert (page.status_code, ">M1<" in page.content.decode()) == (200, False)


@pytest.mark.parametrize("does", ["change", "delete", "add"])
def test_nobody_changes_what_was_reported(admin_client, reported, does):
    event = ProviderEvent.objects.get(provider_id="M1")
    before_it = ProviderEvent.objects.filter(pk=event.pk).values().get()
    args = [] if does == "add" else [event.pk]
    answer = admin_client.post(reverse(f"admin:alerts_providerevent_{does}", args=args), {"post": "yes", "raw": "x"})
    assert answer.status_code == 403
    assert ProviderEvent.objects.filter(pk=event.pk).values().get() == before_it
    assert ProviderEvent.objects.count() == 3


# --- As it came


def test_what_came_is_whole_for_those_who_may_look_at_contacts(client, reported):
    staff(client, "view_providerevent", "view_contact")
    page = page_of(client, 1)
    assert "{&quot;to&quot;: &quot;minji@example.com&quot;, &quot;number&quot;: 1}" in page
    assert KEPT_BACK not in page


def test_others_see_the_rest_and_a_sentence_that_says_so(client, reported):
    staff(client, "view_providerevent")
    page = page_of(client, 1)
    assert KEPT_BACK in page
    assert ADDRESS not in page
    assert "minji" not in page
    for said in ("solapi", "Delivered", "M1", str(reported.pk), "delivered:1"):
        assert said in page, said


@pytest.mark.parametrize("lookup", ["raw", "raw__contains", "raw__startswith", "raw__regex"])
def test_nobody_finds_out_by_asking_what_a_report_contains(client, reported, lookup):
    staff(client, "view_providerevent")
    for words in (ADDRESS, "nobody"):
        assert client.get(LIST, {lookup: words}).status_code == 400


@pytest.mark.parametrize("lookup", ["delivery__contact__address", "delivery__contact__address__startswith"])
def test_nobody_finds_out_by_asking_for_the_deliverys_address(client, reported, lookup):
    staff(client, "view_providerevent", "view_delivery")
    assert client.get(LIST, {lookup: ADDRESS}).status_code == 400
    of_deliveries = reverse("admin:alerts_delivery_changelist")
    assert client.get(of_deliveries, {lookup.removeprefix("delivery__"): ADDRESS}).status_code == 400


# --- On the page of its delivery


def test_a_delivery_shows_its_reports_and_no_others(client, reported):
    staff(client, "view_providerevent", "view_delivery", "view_contact")
    page = client.get(reverse("admin:alerts_delivery_change", args=[reported.pk])).content.decode()
    event = ProviderEvent.objects.get(provider_id="M1")
    assert "<p>M1</p>" in page
    assert reverse("admin:alerts_providerevent_change", args=[event.pk]) in page
    assert "<p>M2</p>" not in page
    assert "number&quot;: 1" not in page  # as it came: only on its own page


def test_a_delivery_shows_the_newest_of_its_reports_and_no_more_than_fit(admin_client, message, monkeypatch):
    monkeypatch.setattr(events, "MOST_OF_A_DELIVERY", 2)
    for number in (1, 2, 3):
        report(number, "other", delivery=message)
    receipts.match(now=SENT_AT + timedelta(minutes=5), limit=10)
    page = admin_client.get(reverse("admin:alerts_delivery_change", args=[message.pk])).content.decode()
    assert [number for number in ("M1", "M2", "M3") if f"<p>{number}</p>" in page] == ["M2", "M3"]
    assert page.index("<p>M3</p>") < page.index("<p>M2</p>")
