"""The admin's pages over facts: they show, and let nobody add, change or delete; lists stay bounded."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ledger.admin import facts
from ledger.models import Account, Allocation, Closure, Entry, Extension, Hold, Lot, Notice
from tests.builders import (
    NOW,
    byeol,
    capture,
    close,
    days,
    extend,
    grant,
    hold,
    jun,
    lot_of,
    minji,
    postpone,
    redeem,
    refund,
    tell,
)
from tests.looking import nothing_changes
from tests.windows import PASSWORD, staff, stop_clock

FACTS = ("account", "lot", "entry", "hold", "closure")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


@pytest.fixture
def cast(moa):
    hers, his = minji(moa), jun(moa)
    grant(hers, 1000, key="order-1")
    redeem(hers, 300, key="voucher-1")
    grant(his, 50, key="order-2")
    hold(his, 5, key="hold-1")
    close(his, key="close-1")
    return hers, his


def rows(answer) -> list[str]:
    return [str(row) for row in answer.context["cl"].result_list]


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.mark.parametrize("name", FACTS)
def test_lists_and_pages_show(hana: Client, cast, name: str):
    listed = hana.get(f"/admin/ledger/{name}/")
    first = listed.context["cl"].result_list[0]
    shown = hana.get(f"/admin/ledger/{name}/{first.pk}/change/")

    assert (listed.status_code, shown.status_code) == (200, 200)
    assert not re.search(
        r'<(input|select|textarea)[^>]+name="(?!csrf|q\b|_selected)', shown.content.decode().split("</header>")[1]
    )


@pytest.mark.parametrize("name", FACTS)
def test_nobody_adds_changes_or_deletes_facts_not_even_by_address(hana: Client, cast, name: str):
    model = {"account": Account, "lot": Lot, "entry": Entry, "hold": Hold, "closure": Closure}[name]
    pk = model._default_manager.order_by("pk")[0].pk
    with nothing_changes():
        assert hana.get(f"/admin/ledger/{name}/add/").status_code == 403
        assert hana.post(f"/admin/ledger/{name}/add/", {"balance": 5}).status_code == 403
        assert hana.post(f"/admin/ledger/{name}/{pk}/change/", {"balance": 5, "remaining": 5}).status_code == 403
        assert hana.get(f"/admin/ledger/{name}/{pk}/delete/").status_code == 403
        assert hana.post(f"/admin/ledger/{name}/{pk}/delete/", {"post": "yes"}).status_code == 403
        hana.post(f"/admin/ledger/{name}/", {"action": "delete_selected", "_selected_action": [pk], "post": "yes"})


@pytest.mark.parametrize("model", [Allocation, Extension, Notice])
def test_facts_of_an_entry_have_no_pages_of_their_own(model):
    assert model not in admin.site._registry


@pytest.mark.parametrize("name", FACTS)
def test_without_the_permission_to_look_there_is_nothing_to_see(cast, name: str):
    staff(name="newcomer")
    client = Client()
    client.login(username="newcomer", password=PASSWORD)

    assert client.get(f"/admin/ledger/{name}/").status_code == 403


def test_search_is_by_the_whole_reference_or_the_whole_key(hana: Client, cast):
    hers, his = cast

    assert rows(hana.get("/admin/ledger/entry/?q=minji")) == [f"{hers.pk}/2", f"{hers.pk}/1"]
    assert rows(hana.get("/admin/ledger/entry/?q=voucher-1")) == [f"{hers.pk}/2"]
    assert rows(hana.get("/admin/ledger/entry/?q=min")) == []
    assert rows(hana.get("/admin/ledger/lot/?q=jun")) == [f"{his.pk}/1.0"]
    assert rows(hana.get("/admin/ledger/lot/?q=order-1")) == [f"{hers.pk}/1.0"]
    assert rows(hana.get("/admin/ledger/account/?q=minji")) == [str(hers)]
    assert rows(hana.get("/admin/ledger/member/?q=jun")) == ["jun"]


def test_an_accounts_own_lots_and_entries_are_one_click_away(hana: Client, cast):
    hers, _ = cast
    page = hana.get(f"/admin/ledger/account/{hers.pk}/change/").content.decode()

    assert f'href="/admin/ledger/entry/?account__id__exact={hers.pk}"' in page
    assert rows(hana.get(f"/admin/ledger/entry/?account__id__exact={hers.pk}")) == [f"{hers.pk}/2", f"{hers.pk}/1"]
    assert rows(hana.get(f"/admin/ledger/lot/?account__id__exact={hers.pk}")) == [f"{hers.pk}/1.0"]


def test_the_filter_by_kind_is_offered_once_the_list_is_narrowed(hana: Client, cast):
    assert "By kind" not in words(hana.get("/admin/ledger/entry/"))
    assert "By kind" in words(hana.get("/admin/ledger/entry/?q=minji"))
    assert len(rows(hana.get("/admin/ledger/entry/?q=minji&kind=redeem"))) == 1


def test_lots_that_go_soon_are_found_soonest_first(hana: Client, cast):
    hers, _ = cast
    near = lot_of(grant(hers, 3, expires_at=NOW + days(20)))
    nearest = lot_of(grant(hers, 4, expires_at=NOW + days(5)))

    assert rows(hana.get("/admin/ledger/lot/?within=7")) == [str(nearest)]
    assert rows(hana.get("/admin/ledger/lot/?within=30")) == [str(nearest), str(near)]
    assert hana.get("/admin/ledger/lot/?within=x").status_code == 200


def test_an_account_shows_what_can_be_spent_by_the_clock(hana: Client, cast):
    hers, _ = cast
    grant(hers, 70, now=NOW, expires_at=NOW + days(1))
    before = words(hana.get(f"/admin/ledger/account/{hers.pk}/change/"))

    assert "Spendable now: 770" in before


def test_an_entry_shows_its_allocations_extension_and_notice(hana: Client):
    account = minji(byeol())
    lot = lot_of(grant(account, 100, now=NOW - days(330)))
    tell(account, [lot.pk], told_on=(NOW - days(40)).date(), now=NOW - days(40))
    extend(account, [lot.pk], NOW.date() + days(365), reason="our app was down")
    pages = {
        entry.kind: words(hana.get(f"/admin/ledger/entry/{entry.pk}/change/"))
        for entry in Entry.objects.filter(account=account)
    }

    assert f"{account.pk}/1.0 100" in pages["grant"]
    assert "2025-04-30 2026-03-10" in pages["extend"]
    assert "our app was down" in pages["extend"]
    assert "delivery:1" in pages["notify"]
    assert "Recorded: 2025-03-10 12:00 KST" in pages["extend"]


def test_a_hold_is_found_by_its_key_and_while_it_is_open(hana: Client, cast):
    _, his = cast
    hold(his, 3, key="hold-2", lapses_at=NOW + days(0.5))
    assert rows(hana.get("/admin/ledger/hold/?q=hold-1")) == [f"{his.pk}/2"]
    assert rows(hana.get("/admin/ledger/hold/?q=jun")) == [f"{his.pk}/4", f"{his.pk}/2"]
    assert rows(hana.get("/admin/ledger/hold/?open=1")) == [f"{his.pk}/4", f"{his.pk}/2"]  # the soonest lapse first
    capture(his, hold="hold-2")
    assert rows(hana.get("/admin/ledger/hold/?open=1")) == [f"{his.pk}/2"]

    shown = words(hana.get(f"/admin/ledger/hold/{Hold.objects.get(seq=2).pk}/change/"))
    assert "Points: 5" in shown
    assert "Lapses: 2025-03-11 12:00 KST" in shown


def test_a_closure_shows_its_last_day_and_what_was_told(hana: Client, cast):
    _, his = cast
    assert rows(hana.get("/admin/ledger/closure/?q=close-1")) == [f"{his.pk}/3"]
    assert rows(hana.get("/admin/ledger/closure/?open=1")) == [f"{his.pk}/3"]

    shown = words(hana.get(f"/admin/ledger/closure/{Closure.objects.get().pk}/change/"))
    assert "Last day: 2025-03-24" in shown
    assert "Points that were told to go: 45" in shown
    account = words(hana.get(f"/admin/ledger/account/{his.pk}/change/"))
    assert "On hold: 5" in account
    assert "Closes: 2025-03-25 00:00 KST" in account


def test_an_entry_shows_until_when_points_came_back_and_what_a_postponement_moved(hana: Client, cast):
    hers, _ = cast
    refund(hers, 300, "voucher-1")
    promised = lot_of(grant(hers, 9, spendable_at=NOW + days(1)))
    postpone(hers, [promised.pk], NOW + days(2))
    pages = {
        entry.kind: words(hana.get(f"/admin/ledger/entry/{entry.pk}/change/"))
        for entry in Entry.objects.filter(account=hers)
    }

    assert f"{hers.pk}/1.0 300 2026-03-31" in pages["refund"]
    assert "2025-03-11 12:00 KST 2025-03-12 12:00 KST" in pages["postpone"]


@pytest.mark.parametrize("model", sorted(admin.site._registry, key=str), ids=str)
def test_a_nul_in_the_address_is_never_a_crash(hana: Client, cast, model):
    """PostgreSQL knows no text with a NUL, and a filter hands over what stands in the address."""
    name = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    listed = admin.site._registry[model].list_filter
    filters = [f if isinstance(f, str) else str(getattr(f, "parameter_name", "")) for f in listed]
    for parameter in ("q", *filters, *(f"{f}__exact" for f in filters), *(f"{f}__id__exact" for f in filters)):
        for narrowed in ("", "&account__id__exact=1"):
            answer = hana.get(f"{name}?{parameter}=%00{narrowed}")
            assert answer.status_code in (200, 302, 400), (name, parameter)


def test_no_list_counts_further_than_it_shows(hana: Client, cast, monkeypatch):
    monkeypatch.setattr(facts, "MOST_ROWS", 2)
    with CaptureQueriesContext(connection) as queries:
        answer = hana.get("/admin/ledger/entry/")

    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert len(counts) == 1
    assert "LIMIT 2" in counts[0]
    assert answer.context["cl"].result_count == 2
    assert "Only the first 2 can be turned over here." in words(answer)


@pytest.mark.parametrize("name", FACTS)
def test_a_list_costs_the_same_for_one_row_and_for_many(hana: Client, cast, name: str, django_assert_max_num_queries):
    hers, _ = cast
    for points in range(1, 30):
        grant(hers, points)

    with django_assert_max_num_queries(8):
        hana.get(f"/admin/ledger/{name}/")


def test_looking_writes_nothing(hana: Client, cast):
    with nothing_changes():
        for name in (*FACTS, "member", "programme", "policy"):
            hana.get(f"/admin/ledger/{name}/")
