"""Closing an account and keeping it after all, in a real browser, in both languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_member import PHONE, WEAK_TEXTS, width_to_scroll
from tests.builders import NOW, days, grant, hold, minji, moa
from tests.looking import entries
from tests.windows import PASSWORD, sign_in_of, stop_clock

WORDS = {
    "English": {
        "link": "Close my account",
        "lost": "What would be lost",
        "tick": "I have read what will be lost, and I want to close my account.",
        "pending": "This account is about to close",
        "day": "March 24, 2025",
        "keep": "Keep my account",
        "closed": "This account is closed",
        "history": "See what happened: the history stays",
        "received": "Points received",
    },
    "한국어": {
        "link": "포인트 계정 해지",
        "lost": "해지하면 소멸되는 포인트",
        "tick": "소멸되는 포인트를 확인했으며, 포인트 계정을 해지하겠습니다.",
        "pending": "해지 예정인 포인트 계정입니다",
        "day": "2025년 3월 24일",
        "keep": "해지 철회하기",
        "closed": "해지된 포인트 계정입니다",
        "history": "내역 보기(내역은 계속 남습니다)",
        "received": "포인트 적립",
    },
}


@pytest.fixture
def account(transactional_db: None):
    """Minji: 1,000 points to spend, 40 promised, 60 on hold."""
    hers = minji(moa())
    grant(hers, 1060)
    grant(hers, 40, spendable_at=NOW + days(10))
    hold(hers, 60)
    sign_in_of(hers)
    return hers


def sign_in(page: Page) -> None:
    page.locator("input[name=username]").fill("minji")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation").first).to_be_visible()


@pytest.mark.parametrize("language", list(WORDS))
def test_a_member_closes_the_account_and_keeps_it_after_all(page: Page, account, language: str):
    say = WORDS[language]
    page.goto("/programmes/moa/")
    sign_in(page)
    page.get_by_role("button", name=language).click()
    page.get_by_role("link", name=say["link"], exact=True).click()
    expect(page.get_by_role("heading", name=say["lost"])).to_be_visible()
    expect(page.locator("main")).to_contain_text(say["day"])
    expect(page.locator(".facts")).to_contain_text("1,040")

    # Without the tick the browser itself holds the form back.
    page.get_by_role("button", name=say["link"], exact=True).click()
    assert [kind for kind, _ in entries(account)] == ["grant", "grant", "hold"]
    page.get_by_label(say["tick"]).check()
    page.get_by_role("button", name=say["link"], exact=True).dblclick()

    expect(page.get_by_role("heading", name=say["pending"])).to_be_visible()
    expect(page.locator("main")).to_contain_text(say["day"])
    assert [kind for kind, _ in entries(account)].count("close") == 1

    page.get_by_role("button", name=say["keep"]).click()
    expect(page.get_by_role("link", name=say["link"], exact=True)).to_be_visible()
    expect(page.locator(".amount")).to_contain_text("1,000")
    assert [kind for kind, _ in entries(account)] == ["grant", "grant", "hold", "close", "close"]


@pytest.mark.parametrize("language", list(WORDS))
def test_after_its_day_the_account_is_closed_and_its_history_stays(
    page: Page, account, language: str, monkeypatch: pytest.MonkeyPatch
):
    say = WORDS[language]
    page.goto("/programmes/moa/")
    sign_in(page)
    page.goto("/programmes/moa/closing/")
    page.get_by_role("button", name=language).click()
    page.get_by_label(say["tick"]).check()
    page.get_by_role("button", name=say["link"], exact=True).click()
    expect(page.get_by_role("heading", name=say["pending"])).to_be_visible()

    stop_clock(monkeypatch, NOW + days(14.6))  # early on the day after; the sign-in is over by then, too
    page.goto("/programmes/moa/")
    sign_in(page)
    expect(page.get_by_role("heading", level=1, name=say["closed"])).to_be_visible()
    page.get_by_role("link", name=say["history"]).click()
    expect(page.get_by_role("listitem").filter(has_text=say["received"]).first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_and_touched_on_a_phone(page: Page, account, scheme: str):
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto("/programmes/moa/")
    sign_in(page)
    page.goto("/programmes/moa/closing/")

    assert width_to_scroll(page) == 0
    assert page.evaluate(WEAK_TEXTS) == []
    for control in page.locator("main form button, main form a, main form label").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 44, control.text_content()
