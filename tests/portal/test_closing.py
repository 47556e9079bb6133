"""Leaving is no maze, and nothing is lost by a click too many: the pages that close and keep an account."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from ledger.errors import AccountBusy
from ledger.expiry import sweep_all
from ledger.models import Closure, Entry
from portal import closing
from tests.builders import NOW, clawback, close, days, grant, hold, jun, minji
from tests.looking import entries, nothing_changes
from tests.windows import PASSWORD, sign_in_of, stop_clock

CLOSE, KEEP, BALANCE = "/programmes/moa/closing/", "/programmes/moa/keeping/", "/programmes/moa/"


@pytest.fixture
def account(moa):
    """Minji's account: 1,000 points, 40 promised, 60 on hold."""
    hers = minji(moa)
    grant(hers, 1060)
    grant(hers, 40, spendable_at=NOW + days(10))
    hold(hers, 60)
    sign_in_of(hers)
    return hers


@pytest.fixture
def member(visitor: Client, account) -> Client:
    visitor.login(username="minji", password=PASSWORD)
    return visitor


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def key_in(answer) -> str:
    """The key that was rendered into the form."""
    found = re.search(r'name="key" value="([0-9a-f]{32})"', answer.content.decode())
    assert found
    return found[1]


def asked(client: Client) -> dict[str, str]:
    """What the form sends when it is ticked."""
    return {"key": key_in(client.get(CLOSE)), "sure": "on"}


def test_the_balance_page_has_one_link_to_the_page_that_tells_what_would_be_lost(member: Client):
    assert member.get(BALANCE).content.decode().count(f'href="{CLOSE}"') == 1

    with nothing_changes():
        told = words(member.get(CLOSE))
    assert "Points 1,040 P of these 40 P that are promised for later" in told
    assert "On hold 60 P" in told
    assert "Use first 1,000 P through March 31, 2026" in words(member.get(BALANCE))  # the 40 go on that day, too
    assert "The account closes at the end of March 24, 2025." in told


def test_a_debt_does_not_end_with_the_account(member: Client, account):
    clawback(account, 2000)
    told = words(member.get(CLOSE))

    assert "You are 960 P in debt. That does not end with the account." in told
    assert "Points" not in told.split("What would be lost")[1].split("On hold")[0]


def test_one_form_one_tick_one_act(member: Client, account):
    answer = member.post(CLOSE, asked(member))

    assert (answer.status_code, answer.headers["Location"]) == (302, BALANCE)
    closure = Closure.objects.get()
    assert (closure.points, closure.open) == (1040, True)
    entry = Entry.objects.get(kind="close")
    assert (entry.actor, str(entry.key)[:7]) == (
        f"member:{account.member.user_id or answer.wsgi_request.user.pk}",
        "portal:",
    )
    told = words(member.get(BALANCE))
    assert "This account is about to close It closes at the end of March 24, 2025." in told
    assert "Close my account" not in told
    assert "1,000 P" in told  # until then everything works as before


def test_every_page_begins_with_its_one_title_also_while_the_account_is_about_to_close(member: Client, monkeypatch):
    def titles(url: str) -> list[str]:
        page = member.get(url).content.decode()
        return ["h1" if level == "1" else text.strip() for level, text in re.findall(r"<h([1-6])[^>]*>([^<]*)", page)]

    assert titles(BALANCE) == ["h1", "What expires when"]
    assert titles(CLOSE) == ["h1", "What would be lost", "What happens then"]
    member.post(CLOSE, asked(member))
    assert titles(BALANCE) == ["h1", "This account is about to close", "What expires when"]
    stop_clock(monkeypatch, NOW + days(20))
    member.login(username="minji", password=PASSWORD)
    assert titles(BALANCE) == ["h1"]


def test_without_the_tick_nothing_happens_and_the_page_says_why(member: Client):
    sent = asked(member)
    with nothing_changes():
        answer = member.post(CLOSE, {"key": sent["key"]})

    assert "Please tick this box if you want to close your account." in words(answer)
    assert key_in(answer) == sent["key"]


def test_a_double_click_is_one_closure(member: Client, account):
    sent = asked(member)
    first, second = member.post(CLOSE, sent), member.post(CLOSE, sent)

    assert (first.headers["Location"], second.headers["Location"]) == (BALANCE, BALANCE)
    assert [kind for kind, _ in entries(account)].count("close") == 1


def test_a_second_window_finds_it_done(member: Client, account):
    first, second = asked(member), asked(member)
    member.post(CLOSE, first)

    assert member.post(CLOSE, second).headers["Location"] == BALANCE
    assert member.get(CLOSE).headers["Location"] == BALANCE
    assert Closure.objects.count() == 1


def test_one_button_keeps_the_account_and_a_second_click_changes_nothing(member: Client, account):
    member.post(CLOSE, asked(member))
    sent = {"key": key_in(member.get(BALANCE))}

    assert member.post(KEEP, sent).headers["Location"] == BALANCE
    with nothing_changes():
        member.post(KEEP, sent)
        member.post(KEEP, {"key": closing.new_key()})
    assert not Closure.objects.get().open
    told = words(member.get(BALANCE))
    assert "about to close" not in told
    assert "Points you can use 1,000 P" in told


def test_a_form_sent_again_after_a_change_of_mind_closes_nothing(member: Client, account):
    sent = asked(member)
    member.post(CLOSE, sent)
    member.post(KEEP, {"key": key_in(member.get(BALANCE))})
    with nothing_changes():
        member.post(CLOSE, sent)

    assert "about to close" not in words(member.get(BALANCE))


@pytest.mark.parametrize("swept", [True, False])
def test_after_its_day_the_page_says_it_is_closed_and_the_history_stays(
    member: Client, account, monkeypatch, swept: bool
):
    member.post(CLOSE, asked(member))
    later = NOW + days(20)
    if swept:
        sweep_all(now=later)
    stop_clock(monkeypatch, later)
    member.login(username="minji", password=PASSWORD)
    told = words(member.get(BALANCE))

    assert "This account is closed March 24, 2025 was its last day." in told
    assert "1,0" not in told
    assert member.get(CLOSE).headers["Location"] == BALANCE
    assert "Points received +1,060 P" in words(member.get("/programmes/moa/history/"))
    for url in (CLOSE, KEEP):
        assert member.post(url, {"key": closing.new_key(), "sure": "on"}).headers["Location"] == BALANCE


def test_a_busy_account_is_said_and_can_be_tried_again(member: Client, account, monkeypatch):
    def busy(**_: object) -> None:
        raise AccountBusy

    sent = asked(member)
    with monkeypatch.context() as patch, nothing_changes():
        patch.setattr("ledger.closures.close", busy)
        answer = member.post(CLOSE, sent)
    assert answer.status_code == 503
    assert "Somebody else is writing to this account at the moment." in words(answer)
    member.post(CLOSE, sent)
    with monkeypatch.context() as patch, nothing_changes():
        patch.setattr("ledger.closures.withdraw", busy)
        answer = member.post(KEEP, {"key": key_in(member.get(BALANCE))})
    assert answer.status_code == 503
    assert "Somebody else is writing to this account at the moment." in words(answer)


@pytest.mark.parametrize("key", ["", "x", "A" * 32, "0" * 33, "0" * 31 + "\0"])
def test_a_damaged_key_is_never_used(member: Client, key: str):
    with nothing_changes():
        assert member.post(KEEP, {"key": key}).status_code == 400
        answer = member.post(CLOSE, {"key": key, "sure": "on"})

    assert len(key_in(answer)) == 32


def test_it_needs_a_sign_in_the_own_programme_a_post_and_the_token_of_the_form(visitor: Client, account, moa):
    jun(moa)
    with nothing_changes():
        assert visitor.post(CLOSE, {"sure": "on"}).headers["Location"].startswith("/sign-in/")
        visitor.login(username="minji", password=PASSWORD)
        assert visitor.post("/programmes/other/closing/", {"sure": "on"}).status_code == 404
        assert visitor.post("/programmes/other/keeping/").status_code == 404
        assert visitor.get(KEEP).status_code == 405
        strict = Client(enforce_csrf_checks=True)
        strict.login(username="minji", password=PASSWORD)
        assert strict.post(CLOSE, {"key": closing.new_key(), "sure": "on"}).status_code == 403
        assert strict.post(KEEP, {"key": closing.new_key()}).status_code == 403


def test_korean(korean_visitor: Client, account):
    korean_visitor.login(username="minji", password=PASSWORD)
    told = words(korean_visitor.get(CLOSE))

    assert "계정 해지" in told
    assert "2025년 3월 24일" in told


def test_the_state_goes_by_the_clock(account):
    assert closing.state(account, at=NOW) == closing.State(None, closed=False)
    close(account)
    account.refresh_from_db()
    instant = account.closes_at
    assert instant is not None
    assert closing.state(account, at=instant - days(0.001)).pending
    assert closing.state(account, at=instant).closed
