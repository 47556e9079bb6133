"""What staff do by hand on a list's rows: undo an extension, reinstate, adjust; once, with a reason and the right."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client

from ledger.expiry import sweep_all
from ledger.models import Account, Entry, Lot
from ledger.policies import last_day
from tests.builders import NOW, SEOUL, close, days, extend, grant, jun, lot_of, minji, moa
from tests.looking import entries, nothing_changes
from tests.windows import PASSWORD, staff, stop_clock

WHY = {"reason": "a mistake\r\nof ours"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


def signed_in(*permissions: str) -> Client:
    staff(*permissions)
    client = Client(headers={"accept-language": "en"})
    client.login(username="sora", password=PASSWORD)
    return client


def begin(client: Client, kind: str, deed: str, *pks: int) -> dict[str, str]:
    """Tick the rows and choose the act; the hidden fields of the form that comes."""
    answer = client.post(f"/admin/ledger/{kind}/", {"action": deed, "_selected_action": pks})
    assert answer.status_code == 200
    return {str(name): str(value) for name, value in answer.context["form"].initial.items()}


def do(client: Client, kind: str, deed: str, sent: dict[str, str]) -> list[str]:
    """Send the form; what is said on the list that follows."""
    answer = client.post(f"/admin/ledger/{kind}/{deed}/", sent, follow=True)
    assert answer.redirect_chain == [(f"/admin/ledger/{kind}/", 302)]
    return [str(message) for message in answer.context["messages"]]


def test_an_extension_is_undone_from_its_entry(minji):
    lot = lot_of(grant(minji, 40))
    extend(minji, [lot.pk], date(2026, 6, 30))
    client = signed_in("view_entry", "extend_lot")
    entry = Entry.objects.get(kind="extend")
    said = do(client, "entry", "undo_extension", begin(client, "entry", "undo_extension", entry.pk) | WHY)

    assert said == ["minji · Moa: done, entry no. 3."]
    lot.refresh_from_db()
    assert lot.expires_at is not None
    assert last_day(lot.expires_at, SEOUL) == date(2026, 3, 31)
    undone = Entry.objects.get(undoes_seq=2)
    assert (undone.reason, undone.actor[:6]) == ("a mistake of ours", "staff:")

    sent = begin(client, "entry", "undo_extension", entry.pk) | WHY
    with nothing_changes():
        [refused] = do(client, "entry", "undo_extension", sent)
    assert refused.startswith("minji · Moa: nothing was done. This extension can no longer be undone")


def test_only_an_extension_can_be_undone_here_and_one_at_a_time(minji):
    grant(minji, 40)
    grant(minji, 41)
    client = signed_in("view_entry", "extend_lot")
    first, second = Entry.objects.order_by("pk")
    for rows, said in (
        ([first.pk], "Only an extension can be undone here."),
        ([first.pk, second.pk], "Please choose at most 1 at a time."),
    ):
        with nothing_changes():
            answer = client.post(
                "/admin/ledger/entry/", {"action": "undo_extension", "_selected_action": rows}, follow=True
            )
        assert [str(m) for m in answer.context["messages"]] == [said]


@pytest.fixture
def ended(db) -> list[Lot]:
    """Of Minji and Jun a lot each has expired; points can be given back for thirty days."""
    programme = moa(reinstate_window_days=30)
    lots = [
        lot_of(grant(member(programme), 70, now=NOW - days(9), expires_at=NOW - days(2))) for member in (minji, jun)
    ]
    sweep_all(now=NOW)
    return lots


def test_expired_lots_are_given_back_once_however_often_it_is_clicked(ended):
    client = signed_in("view_lot", "reinstate_lot")
    sent = begin(client, "lot", "reinstate", *(lot.pk for lot in ended)) | WHY

    said = do(client, "lot", "reinstate", sent)
    assert said == [f"{name} · Moa: done, 70 points, entry no. 3." for name in ("minji", "jun")]
    with nothing_changes():
        again = do(client, "lot", "reinstate", sent)
        other = do(client, "lot", "reinstate", begin(client, "lot", "reinstate", ended[0].pk) | WHY)
    assert again == [f"{line} This had been done before: nothing was done twice." for line in said]
    assert other == ["minji · Moa: nothing was done. Points of this grant were given back before; that is done once."]


def test_points_that_have_not_expired_are_not_given_back(minji):
    lot = lot_of(grant(minji, 70))
    client = signed_in("view_lot", "reinstate_lot")
    with nothing_changes():
        said = do(client, "lot", "reinstate", begin(client, "lot", "reinstate", lot.pk) | WHY)

    assert said == ["minji · Moa: nothing was done. These points have not expired."]


def test_an_account_is_adjusted_up_and_down(minji):
    client = signed_in("view_account", "adjust_account")
    up = begin(client, "account", "adjust_up", minji.pk) | WHY | {"points": "1500"}
    assert do(client, "account", "adjust_up", up) == ["minji · Moa: done, 1,500 points, entry no. 1."]
    down = begin(client, "account", "adjust_down", minji.pk) | WHY | {"points": "600"}
    assert do(client, "account", "adjust_down", down) == ["minji · Moa: done, 600 points, entry no. 2."]

    assert entries(minji) == [("grant", 1500), ("clawback", -600)]
    assert Account.objects.get(pk=minji.pk).balance == 900


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"points": "0"}, "points"),
        ({"points": "x"}, "points"),
        ({"points": "9" * 20}, "points"),
        ({"reason": " "}, "reason"),
        ({"reason": "a\0b"}, "reason"),
        ({"chosen": "1;2"}, "chosen"),
        ({"token": "x"}, "token"),
    ],
)
def test_a_form_that_is_wrong_is_shown_again_and_does_nothing(minji, change: dict[str, str], field: str):
    client = signed_in("view_account", "adjust_account")
    sent = begin(client, "account", "adjust_up", minji.pk) | WHY | {"points": "5"}
    with nothing_changes():
        answer = client.post("/admin/ledger/account/adjust_up/", sent | change)

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]


def test_a_closed_account_says_so(minji):
    close(minji, now=NOW - days(30))
    client = signed_in("view_account", "adjust_account")
    sent = begin(client, "account", "adjust_up", minji.pk) | WHY | {"points": "5"}
    said = do(client, "account", "adjust_up", sent)

    assert said == ["minji · Moa: nothing was done. This account is closed: nothing more can happen to it."]


@pytest.mark.parametrize(
    ("kind", "deed"),
    [("entry", "undo_extension"), ("lot", "reinstate"), ("account", "adjust_up"), ("account", "adjust_down")],
)
def test_without_the_permission_it_is_neither_offered_nor_done(minji, kind: str, deed: str):
    lot = lot_of(grant(minji, 40))
    others = {"view_lot", "change_lot", "view_account", "change_account", "view_entry", "change_entry"}
    theirs = {"undo_extension": "extend_lot", "reinstate": "reinstate_lot"}.get(deed, "adjust_account")
    client = signed_in(*others, *({"extend_lot", "reinstate_lot", "adjust_account"} - {theirs}))
    with nothing_changes():
        listed = client.get(f"/admin/ledger/{kind}/").content.decode()
        sent = {"chosen": str(lot.pk), "token": "0" * 32, "points": "5", "reason": "because"}
        assert client.post(f"/admin/ledger/{kind}/{deed}/", sent).status_code == 403

    assert deed not in listed


def test_opening_the_address_by_itself_leads_to_the_list(minji):
    client = signed_in("view_account", "adjust_account")

    assert client.get("/admin/ledger/account/adjust_up/").headers["Location"] == "/admin/ledger/account/"
