"""The action “extend” in the admin: form, preview, act; never twice, never without a reason or the permission."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.test import Client

from ledger import extensions
from ledger.models import Entry, Lot
from ledger.policies import end_of_day, last_day
from tests.builders import SEOUL, grant, jun, lot_of, minji, moa, redeem
from tests.looking import entries, nothing_changes
from tests.windows import PASSWORD, sign_in_of, staff, stop_clock

LIST, EXTEND = "/admin/ledger/lot/", "/admin/ledger/lot/extend/"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


@pytest.fixture
def sora(db) -> Client:
    """Staff who may look at lots and extend them, and nothing else."""
    staff("view_lot", "extend_lot")
    client = Client(headers={"accept-language": "en"})
    client.login(username="sora", password=PASSWORD)
    return client


@pytest.fixture
def cast(moa):
    """Minji has two lots and Jun one, all through 31 March 2026."""
    hers, his = minji(moa), jun(moa)
    return hers, his, [lot_of(grant(hers, 100)), lot_of(grant(hers, 50)), lot_of(grant(his, 7))]


def begin(client: Client, lots: list[Lot]) -> dict[str, str]:
    """Tick the lots in the list and choose the action; the hidden fields of the form that comes."""
    answer = client.post(LIST, {"action": "extend", "_selected_action": [lot.pk for lot in lots]})
    assert answer.status_code == 200
    return {str(name): str(value) for name, value in answer.context["form"].initial.items()}


def entered(begun: dict[str, str], **changes: str) -> dict[str, str]:
    return begun | {"until": "2026-06-30", "reason": "our app was down", "preview": "Preview"} | changes


def confirmed(answer) -> dict[str, str]:
    """What the button of the preview sends."""
    sent = answer.context["confirm"].initial
    return {name: str(sent[name]) for name in ("lots", "token", "until", "reason")} | {"confirm": "Extend"}


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def days_of(lots: list[Lot]) -> list[date | None]:
    found = Lot.objects.filter(pk__in=[lot.pk for lot in lots]).order_by("pk")
    return [last_day(lot.expires_at, SEOUL) if lot.expires_at else None for lot in found]


def test_form_preview_and_act(sora: Client, cast):
    hers, his, lots = cast
    with nothing_changes():
        preview = sora.post(EXTEND, entered(begin(sora, lots)))
    shown = words(preview)
    assert f"{hers.pk}/1.0 minji · Moa 100 P March 31, 2026 June 30, 2026" in shown
    assert "Lots 3 Accounts 2 Points 157 Reason our app was down" in shown

    answer = sora.post(EXTEND, confirmed(preview), follow=True)

    assert answer.redirect_chain == [(LIST, 302)]
    assert [str(m) for m in answer.context["messages"]] == ["The last day of 3 lots in 2 accounts was moved."]
    assert days_of(lots) == [date(2026, 6, 30)] * 3
    token = confirmed(preview)["token"]
    extended = Entry.objects.filter(kind="extend").order_by("account").values_list("key", "actor", "reason")
    actor = f"staff:{answer.wsgi_request.user.pk}"
    assert list(extended) == [(f"admin:{token}:{account.pk}", actor, "our app was down") for account in (hers, his)]


def test_a_double_click_is_a_replay(sora: Client, cast):
    _, _, lots = cast
    sent = confirmed(sora.post(EXTEND, entered(begin(sora, lots))))
    sora.post(EXTEND, sent)
    with nothing_changes():
        answer = sora.post(EXTEND, sent, follow=True)

    assert [str(m) for m in answer.context["messages"]][-1] == (
        "The last day of 3 lots in 2 accounts was moved. This had been done before: nothing was moved twice."
    )


def test_a_form_used_before_with_other_values_is_refused(sora: Client, cast):
    _, _, lots = cast
    begun = begin(sora, lots)
    sora.post(EXTEND, confirmed(sora.post(EXTEND, entered(begun))))
    again = confirmed(sora.post(EXTEND, entered(begun, until="2026-12-31")))
    with nothing_changes():
        answer = sora.post(EXTEND, again, follow=True)

    assert [str(m) for m in answer.context["messages"]][-1] == (
        "Nothing was moved for member jun: "
        "This form was used before with other values; please begin again from the list."
    )


def test_each_form_has_a_token_of_its_own(sora: Client, cast):
    _, _, lots = cast

    assert begin(sora, lots)["token"] != begin(sora, lots)["token"]


def test_the_preview_says_which_lots_stay_and_why(sora: Client, cast):
    hers, _, lots = cast
    redeem(hers, 100)
    later = lot_of(grant(hers, 3, expires_at=end_of_day(date(2027, 1, 31), SEOUL)))
    undated = lot_of(grant(minji(moa("forever", model="never", count=0)), 9))
    preview = sora.post(EXTEND, entered(begin(sora, [*lots, later, undated])))
    staying = words(preview).split("These lots stay as they are")[1]

    assert "0 P March 31, 2026 These points are gone: used up, taken back or expired." in staying
    assert "3 P Jan. 31, 2027 Its last day is not earlier than the new one: a date can only move later." in staying
    assert "9 P – Points without a last day cannot be extended." in staying
    assert confirmed(preview)["lots"] == f"{lots[1].pk},{lots[2].pk}"

    sora.post(EXTEND, confirmed(preview))
    assert days_of([*lots, later]) == [
        date(2026, 3, 31),
        date(2026, 6, 30),
        date(2026, 6, 30),
        date(2027, 1, 31),
    ]


def test_where_no_lot_can_move_there_is_nothing_to_confirm(sora: Client, cast):
    _, _, lots = cast
    preview = sora.post(EXTEND, entered(begin(sora, lots), until="2025-12-31"))

    assert "None of the chosen lots can be moved to this day." in words(preview)
    assert 'name="confirm"' not in preview.content.decode()


def test_what_changed_after_the_preview_is_refused_and_said(sora: Client, cast):
    hers, _his, lots = cast
    preview = sora.post(EXTEND, entered(begin(sora, lots)))
    redeem(hers, 100)
    answer = sora.post(EXTEND, confirmed(preview), follow=True)

    assert [str(m) for m in answer.context["messages"]] == [
        "The last day of 1 lot in 1 account was moved.",
        "Nothing was moved for member minji: These points are gone: used up, taken back or expired.",
    ]
    assert entries(hers)[-1][0] == "redeem"
    assert days_of(lots) == [date(2026, 3, 31), date(2026, 3, 31), date(2026, 6, 30)]


def test_entered_values_can_be_changed_with_the_same_token(sora: Client, cast):
    _, _, lots = cast
    begun = begin(sora, lots)
    answer = sora.post(EXTEND, entered(begun) | {"edit": "Change"})

    assert answer.context["form"].initial["token"] == begun["token"]
    assert 'value="2026-06-30"' in answer.content.decode()
    assert "our app was down" in answer.content.decode()
    assert "3 lots are chosen." in words(answer)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"until": "2025-03-09"}, "The new last day must lie in the future."),
        ({"until": "9999-12-31"}, "The new last day can lie at most a hundred years ahead."),
        ({"until": "soon"}, "Enter a valid date."),
        ({"until": ""}, "This field is required."),
        ({"reason": "   "}, "This field is required."),
        ({"reason": "x" * 501}, "at most 500 characters"),
        ({"lots": "1,x"}, "The list of lots is damaged"),
        ({"token": "../x"}, "Enter a valid value."),
    ],
)
@pytest.mark.parametrize("step", ["preview", "confirm"])
def test_bad_input_is_said_and_moves_nothing(sora: Client, cast, change: dict, said: str, step: str):
    _, _, lots = cast
    sent = entered(begin(sora, lots), **change) | {step: "go"}
    with nothing_changes():
        answer = sora.post(EXTEND, sent)

    assert answer.status_code == 200
    assert said in words(answer)


def test_lines_of_the_reason_become_one(sora: Client, cast):
    _, _, lots = cast
    preview = sora.post(EXTEND, entered(begin(sora, lots), reason="our app\r\n  was down "))

    assert confirmed(preview)["reason"] == "our app was down"


def test_too_many_lots_are_refused_before_anything_is_entered(sora: Client, cast, monkeypatch):
    monkeypatch.setattr(extensions, "MOST_LOTS", 2)
    _, _, lots = cast
    sent = {"action": "extend", "_selected_action": [lot.pk for lot in lots]}
    answer = sora.post(LIST, sent, follow=True)

    assert "At most 2 lots can be extended at once. Please narrow the list." in words(answer)


def test_the_address_alone_does_nothing(sora: Client, cast):
    with nothing_changes():
        assert sora.get(EXTEND).headers["Location"] == LIST


def test_without_the_permission_there_is_neither_action_nor_act(cast):
    _, _, lots = cast
    staff("view_lot", name="viewer")
    client = Client()
    client.login(username="viewer", password=PASSWORD)
    sent = {"lots": str(lots[0].pk), "token": "0" * 32, "until": "2026-06-30", "reason": "why", "confirm": "Extend"}

    with nothing_changes():
        assert "extend" not in str(client.get(LIST).context["action_form"])
        client.post(LIST, {"action": "extend", "_selected_action": [lots[0].pk]})
        assert client.post(EXTEND, sent).status_code == 403
        assert client.get(EXTEND).status_code == 403


def test_a_member_who_signs_in_has_no_business_here(cast):
    hers, _, _ = cast
    sign_in_of(hers)
    client = Client()
    client.login(username="minji", password=PASSWORD)

    assert client.get(LIST).status_code == 302
    assert client.post(EXTEND, {}).status_code == 302
