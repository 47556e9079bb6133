"""The admin's pages over verdicts: when the books were last found clean; nobody adds, changes or deletes one."""

from __future__ import annotations

import pytest
from django.test import Client

from ledger.models import Mode, Verdict
from ledger.verdicts import Run
from tests.builders import NOW, grant
from tests.ledger.insiders import tamper
from tests.windows import PASSWORD, chief

pytestmark = pytest.mark.django_db


@pytest.fixture
def hana() -> Client:
    """The chief's client: what she may not do, nobody may."""
    chief()
    client = Client(headers={"accept-language": "en"})
    client.login(username="hana", password=PASSWORD)
    return client


@pytest.fixture
def made(minji) -> list[Verdict]:
    """One that was clean, and one with findings."""
    grant(minji, 10)
    verdicts = []
    for sql in ("SELECT 1", "UPDATE ledger_account SET balance = 11"):
        tamper(sql)
        run = Run(Mode.FULL, NOW)
        list(run.findings())
        verdicts.append(run.keep(ended_at=NOW))
    return verdicts


@pytest.mark.parametrize(("choice", "findings"), [({}, [2, 0]), ({"clean": "yes"}, [0]), ({"clean": "no"}, [2])])
def test_staff_see_when_the_books_were_last_clean(hana, made, choice, findings):
    page = hana.get("/admin/ledger/verdict/", choice)
    assert [row.findings for row in page.context["cl"].result_list] == findings
    assert "2025-03-10 03:00:00 UTC" in page.content.decode()


def test_a_verdict_shows_its_first_findings(hana, made):
    page = hana.get(f"/admin/ledger/verdict/{made[1].pk}/change/").content.decode()
    assert "balance is 11, the entries say 10" in page


def test_nobody_adds_changes_or_deletes_a_verdict_not_even_by_address(hana, made):
    address = f"/admin/ledger/verdict/{made[1].pk}"
    assert hana.get("/admin/ledger/verdict/add/").status_code == 403
    assert hana.post(f"{address}/change/", {"findings": 0}).status_code == 403
    assert hana.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert Verdict.objects.filter(findings=2).count() == 1
