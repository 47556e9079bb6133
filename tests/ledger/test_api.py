"""GET /api/v1/accounts/: the signed-in member's own points as JSON."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ledger.api import views
from ledger.models import Account
from tests.builders import NOW, SEOUL, byeol, clawback, close, days, grant, hold, jun, minji
from tests.looking import nothing_changes
from tests.windows import PASSWORD, sign_in_of, stop_clock

URL = "/api/v1/accounts/"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


@pytest.fixture
def member(moa) -> Client:
    """Minji's client; Jun is in the same programme."""
    account = minji(moa)
    grant(account, 1000)
    grant(account, 200, expires_at=datetime(2025, 4, 1, tzinfo=SEOUL))
    grant(jun(moa), 987654)
    sign_in_of(account)
    client = Client(headers={"accept-language": "en"})
    client.login(username="minji", password=PASSWORD)
    return client


def test_balance_dates_and_lots(member: Client):
    answer = member.get(URL)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.json() == {
        "accounts": [
            {
                "programme": {"code": "moa", "name": "Moa", "unit": "P", "zone": "Asia/Seoul"},
                "member": "minji",
                "as_of": "2025-03-10T03:00:00Z",
                "balance": {"spendable": 1200, "promised": 0, "on_hold": 0, "debt": 0},
                "promised": [],
                "more_promised": False,
                "on_hold": [],
                "more_on_hold": False,
                "closes_at": None,
                "closed": False,
                "expiring": [
                    {
                        "last_day": "2025-03-31",
                        "expires_at": "2025-03-31T15:00:00Z",
                        "points": 200,
                        "notice_due": False,
                    },
                    {
                        "last_day": "2026-03-31",
                        "expires_at": "2026-03-31T15:00:00Z",
                        "points": 1000,
                        "notice_due": False,
                    },
                ],
                "more_expiring": False,
                "undated": 0,
                "lots": [
                    {
                        "name": "2.0",
                        "origin": "purchase",
                        "granted": 200,
                        "remaining": 200,
                        "spendable_at": "2025-03-10T03:00:00Z",
                        "expires_at": "2025-03-31T15:00:00Z",
                        "last_day": "2025-03-31",
                        "notice_due": False,
                    },
                    {
                        "name": "1.0",
                        "origin": "purchase",
                        "granted": 1000,
                        "remaining": 1000,
                        "spendable_at": "2025-03-10T03:00:00Z",
                        "expires_at": "2026-03-31T15:00:00Z",
                        "last_day": "2026-03-31",
                        "notice_due": False,
                    },
                ],
                "more_lots": False,
            }
        ]
    }


def test_points_that_the_clock_has_ended_are_not_there(member: Client, monkeypatch):
    stop_clock(monkeypatch, NOW + days(22))
    member.login(username="minji", password=PASSWORD)  # the session has ended, too
    [account] = member.get(URL).json()["accounts"]

    assert account["balance"]["spendable"] == 1000
    assert [lot["name"] for lot in account["lots"]] == ["1.0"]


def test_a_hold_that_lapsed_unwritten_is_given_back_everywhere(member: Client, monkeypatch):
    hold(Account.objects.get(member__reference="minji"), 250, lapses_at=NOW + days(3))
    stop_clock(monkeypatch, NOW + days(3))
    member.login(username="minji", password=PASSWORD)
    [account] = member.get(URL).json()["accounts"]

    assert account["balance"] == {"spendable": 1200, "promised": 0, "on_hold": 0, "debt": 0}
    assert account["on_hold"] == []
    # The 200 had 19 days left, fewer than the floor of 30: they come back in a lot of their own.
    dates = [(row["last_day"], row["points"]) for row in account["expiring"]]
    assert dates == [("2025-04-12", 200), ("2026-03-31", 1000)]
    assert [(lot["name"], lot["remaining"]) for lot in account["lots"]] == [("4.0", 200), ("1.0", 1000)]


def test_a_debt_is_told(moa):
    account = minji(moa)
    grant(account, 5)
    clawback(account, 12)
    sign_in_of(account)
    client = Client()
    client.login(username="minji", password=PASSWORD)

    assert client.get(URL).json()["accounts"][0]["balance"] == {
        "spendable": 0,
        "promised": 0,
        "on_hold": 0,
        "debt": 7,
    }


def test_all_programmes_of_the_member_and_only_theirs(moa):
    hers, payback = minji(moa), minji(byeol())
    grant(payback, 77)
    grant(jun(moa), 987654)
    sign_in_of(hers, payback)
    client = Client()
    client.login(username="minji", password=PASSWORD)
    answer = client.get(URL)

    found = answer.json()["accounts"]
    assert [account["programme"]["code"] for account in found] == ["byeol", "moa"]
    assert found[0]["expiring"][0]["notice_due"] is True
    assert "987654" not in answer.content.decode()
    assert "jun" not in answer.content.decode()


def test_promised_points_holds_and_a_closure_are_told(member: Client, monkeypatch):
    account = Account.objects.get(member__reference="minji")
    grant(account, 40, spendable_at=NOW + days(3))
    hold(account, 300, lapses_at=NOW + days(1))
    close(account)
    [found] = member.get(URL).json()["accounts"]

    assert found["balance"] == {"spendable": 900, "promised": 40, "on_hold": 300, "debt": 0}
    assert found["promised"] == [{"spendable_at": "2025-03-13T03:00:00Z", "points": 40}]
    assert found["on_hold"] == [{"points": 300, "lapses_at": "2025-03-11T03:00:00Z"}]
    assert (found["closes_at"], found["closed"]) == ("2025-03-24T15:00:00Z", False)

    monkeypatch.setattr(views, "MOST_HOLDS", 0)
    monkeypatch.setattr(views, "MOST_DATES", 0)
    [found] = member.get(URL).json()["accounts"]
    assert (found["on_hold"], found["more_on_hold"]) == ([], True)
    assert (found["promised"], found["more_promised"]) == ([], True)


def test_from_its_instant_on_a_closure_is_in_effect(member: Client, monkeypatch):
    account = Account.objects.get(member__reference="minji")
    close(account)
    stop_clock(monkeypatch, NOW + days(15))
    member.login(username="minji", password=PASSWORD)
    [found] = member.get(URL).json()["accounts"]

    assert found["closed"] is True


def test_who_is_no_member_has_no_accounts(member: Client):
    User.objects.create_user("guest", password=PASSWORD)
    client = Client()
    client.login(username="guest", password=PASSWORD)

    assert client.get(URL).json() == {"accounts": []}


def test_lots_and_dates_are_bounded(member: Client, monkeypatch):
    monkeypatch.setattr(views, "MOST_LOTS", 1)
    monkeypatch.setattr(views, "MOST_DATES", 1)
    [account] = member.get(URL).json()["accounts"]

    assert (len(account["lots"]), account["more_lots"]) == (1, True)
    assert (len(account["expiring"]), account["more_expiring"]) == (1, True)


def test_without_a_sign_in_it_is_refused_as_json(member: Client):
    answer = Client(headers={"accept-language": "en"}).get(URL)

    assert answer.status_code == 403
    assert answer.json() == {
        "code": "not_authenticated",
        "field": "",
        "detail": "Authentication credentials were not provided.",
    }


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_read_only(member: Client, method: str):
    with nothing_changes():
        answer = getattr(member, method)(URL)

    assert answer.status_code == 405
    assert answer.json() == {
        "code": "method_not_allowed",
        "field": "",
        "detail": f'Method "{method.upper()}" not allowed.',
    }


def test_looking_writes_nothing(member: Client):
    with nothing_changes():
        member.get(URL)


def test_an_unknown_address_is_json_too(member: Client):
    answer = member.get("/api/v1/nothing/")

    assert answer.status_code == 404
    assert answer.json() == {"code": "not_found", "field": "", "detail": "not found"}
