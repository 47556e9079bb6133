"""The admin's pages over seals: they show, and let nobody add, change or delete."""

from __future__ import annotations

import pytest
from django.test import Client

from ledger.models import Seal
from ledger.seals import seal
from tests.builders import NOW, grant, jun
from tests.windows import PASSWORD, chief, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def hana() -> Client:
    """The chief's client: what she may not do, nobody may."""
    chief()
    client = Client(headers={"accept-language": "en"})
    client.login(username="hana", password=PASSWORD)
    return client


@pytest.fixture
def made(minji) -> list[Seal | None]:
    grant(minji, 10)
    first = seal(now=NOW)
    grant(jun(minji.programme), 10)
    return [first, seal(now=NOW)]


def listed(client: Client, term: str) -> list[int]:
    return [row.pk for row in client.get("/admin/ledger/seal/", {"q": term}).context["cl"].result_list]


def test_the_list_and_the_page_show(hana, made):
    first = Seal.objects.get(number=1)
    page = hana.get("/admin/ledger/seal/").content.decode()
    assert "2025-03-10 03:00:00 UTC" in page
    assert f"{bytes(first.root).hex()[:16]}…" in page
    shown = hana.get("/admin/ledger/seal/1/change/")
    assert shown.status_code == 200
    for field in (first.root, first.previous_hash, first.hash, first.signature):
        assert bytes(field).hex() in shown.content.decode()


@pytest.mark.parametrize(
    ("term", "numbers"),
    [("", [2, 1]), ("2", [2]), ("minji", [1]), ("jun", [2]), ("nobody", []), ("9" * 30, []), ("-1", [])],
)
def test_a_seal_is_found_by_its_number_or_by_a_member_whom_it_covers(hana, made, term, numbers):
    assert listed(hana, term) == numbers


def test_nobody_adds_changes_or_deletes_a_seal_not_even_by_address(hana, made):
    before = list(Seal.objects.order_by("number").values())
    assert hana.get("/admin/ledger/seal/add/").status_code == 403
    assert hana.post("/admin/ledger/seal/1/change/", {"accounts": 5}).status_code == 403
    assert hana.post("/admin/ledger/seal/1/delete/", {"post": "yes"}).status_code == 403
    hana.post("/admin/ledger/seal/", {"action": "delete_selected", "_selected_action": [1], "post": "yes"})
    assert list(Seal.objects.order_by("number").values()) == before


def test_without_the_permission_to_look_there_is_nothing_to_see(made):
    staff(name="newcomer")
    client = Client()
    client.login(username="newcomer", password=PASSWORD)
    assert client.get("/admin/ledger/seal/").status_code == 403
