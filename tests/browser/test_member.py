"""A member in a real browser: by keyboard alone, in both languages, on a phone."""

from __future__ import annotations

from datetime import datetime

import pytest
from playwright.sync_api import Page, expect

from tests.builders import SEOUL, byeol, grant, minji, moa, redeem
from tests.windows import PASSWORD, sign_in_of

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def member(page: Page) -> Page:
    """Minji has points that go in three months, and is in a second programme; the browser shows the sign-in."""
    hers, payback = minji(moa()), minji(byeol())
    grant(hers, 1000)
    grant(hers, 234, expires_at=datetime(2025, 4, 1, tzinfo=SEOUL))
    grant(hers, 12345, expires_at=datetime(2025, 6, 1, tzinfo=SEOUL), reference="a-very-long-reference-" + "0" * 60)
    redeem(hers, 34)
    grant(payback, 77)
    sign_in_of(hers, payback)
    page.goto("/programmes/moa/")
    return page


def sign_in(page: Page) -> None:
    """By keyboard alone: the first field has the focus already."""
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("minji")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Points you can use")


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.textContent.trim()")  # type: ignore[no-any-return]


def width_to_scroll(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")  # type: ignore[no-any-return]


def test_a_member_signs_in_with_the_keyboard_alone_and_sees_the_points(member: Page):
    sign_in(member)

    expect(member.locator(".amount")).to_have_text("13,545 P")
    rows = member.get_by_role("table", name="All points with a last day, soonest first").get_by_role("row")
    expect(rows).to_have_count(4)
    expect(rows.nth(1)).to_contain_text("March 31, 2025")
    expect(rows.nth(1)).to_contain_text("200 P")
    expect(member.get_by_role("img", name="Points by their last day")).to_be_visible()
    assert member.locator("svg[role=img] rect").count() == 3


def test_the_skip_link_is_the_first_stop_and_shows_itself(member: Page):
    sign_in(member)
    member.keyboard.press("Tab")

    assert focused(member) == "Skip to the content"
    box = member.get_by_role("link", name="Skip to the content").bounding_box()
    assert box is not None
    assert box["y"] >= 0
    member.keyboard.press("Enter")
    expect(member.locator("#main")).to_be_focused()


def test_every_stop_of_the_keyboard_can_be_seen(member: Page):
    sign_in(member)
    stops = []
    for _ in range(12):
        member.keyboard.press("Tab")
        stops.append(focused(member))
        outline = member.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", stops[-1]
    assert stops[:9] == [
        "Skip to the content",
        "Pointkeep",
        "Balance",
        "History",
        "How we reach you",
        "한국어",
        "English",
        "Sign out",
        "Byeol",
    ]


def test_the_language_is_switched_and_kept(member: Page):
    sign_in(member)
    member.get_by_role("button", name="한국어").click()

    expect(member.locator("html")).to_have_attribute("lang", "ko")
    expect(member.get_by_role("heading", level=1)).to_have_text("사용 가능한 포인트")
    expect(member).to_have_url("/programmes/moa/")
    member.get_by_role("link", name="내역", exact=True).click()
    expect(member.get_by_role("heading", level=1)).to_have_text("내역")
    member.get_by_role("button", name="English").click()
    expect(member.get_by_role("heading", level=1)).to_have_text("History")


@pytest.mark.parametrize("language", ["English", "한국어"])
def test_a_phone_never_scrolls_sideways(member: Page, language: str):
    member.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert width_to_scroll(member) == 0
    sign_in(member)
    member.get_by_role("button", name=language).click()
    for path in ("/programmes/moa/", "/programmes/moa/history/", "/programmes/byeol/"):
        member.goto(path)
        assert width_to_scroll(member) == 0, path


def test_what_fingers_touch_is_large_enough(member: Page):
    member.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sign_in(member)
    for control in member.locator("header a, header button, .programmes a").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 44, control.text_content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(member: Page, scheme: str):
    member.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    sign_in(member)
    for path in ("/programmes/moa/", "/programmes/moa/history/"):
        member.goto(path)
        assert member.evaluate(WEAK_TEXTS) == [], path


def test_the_landmarks_are_there(member: Page):
    sign_in(member)
    for role in ("banner", "main", "contentinfo"):
        expect(member.get_by_role(role)).to_have_count(1)
    expect(member.get_by_role("navigation", name="My points")).to_have_count(1)
    expect(member.get_by_role("navigation", name="My programmes")).to_have_count(1)


def test_the_history_and_the_way_out(member: Page):
    sign_in(member)
    member.get_by_role("link", name="History", exact=True).click()
    expect(member.get_by_role("listitem").filter(has_text="Points used")).to_contain_text("−34 P")
    member.get_by_role("button", name="Sign out").click()
    expect(member.get_by_role("heading", level=1)).to_have_text("Sign in")


# The texts whose contrast is below WCAG's AA: 4.5 to 1, and 3 to 1 for large ones.
WEAK_TEXTS = """() => {
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => parts(color).slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor, alpha = parts(color)[3];
      if (alpha === undefined || alpha > 0) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const weak = [];
  for (const element of document.querySelectorAll('body *')) {
    const words = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join('');
    const style = getComputedStyle(element);
    if (!words || style.visibility === 'hidden' || !element.getClientRects().length) continue;
    const color = element instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(color), light(ground(element))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < (large ? 3 : 4.5)) weak.push(`${words}: ${contrast.toFixed(2)}`);
  }
  return weak;
}"""
