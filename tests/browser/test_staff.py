"""Staff in a real browser, under the strict content security policy: the admin, and the action “extend”."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from ledger.models import Entry, Lot
from tests.builders import grant, lot_of, minji, moa
from tests.windows import PASSWORD, chief, sign_in_of, staff


@pytest.fixture
def lot(page: Page) -> Lot:
    account = minji(moa())
    sign_in_of(account)
    return lot_of(grant(account, 1234))


def sign_in(page: Page, name: str, path: str) -> None:
    page.goto(path)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password")).to_have_count(0)


def test_staff_extend_a_lot_and_the_member_sees_the_new_day(page: Page, lot: Lot, browser: Browser):
    staff("view_lot", "extend_lot")
    sign_in(page, "sora", "/admin/ledger/lot/")
    page.get_by_role("checkbox", name="Select this object for an action").check()
    page.get_by_label("Action:").select_option(label="Extend: move the last day later")
    page.get_by_role("button", name="Go").click()

    page.get_by_label("New last day").fill("2026-06-30")
    page.get_by_role("button", name="Preview").click()
    # Without a reason the browser does not even send the form.
    expect(page.get_by_role("heading", name="Extend: new last day")).to_be_visible()
    page.get_by_label("Reason").fill("our app was down")
    page.get_by_role("button", name="Preview").click()

    moving = page.get_by_role("table", name="These lots will move")
    expect(moving.get_by_role("row").nth(1)).to_contain_text("minji · Moa")
    expect(moving.get_by_role("row").nth(1)).to_contain_text("1,234 P")
    expect(moving.get_by_role("row").nth(1)).to_contain_text("March 31, 2026")
    expect(moving.get_by_role("row").nth(1)).to_contain_text("June 30, 2026")
    assert not Entry.objects.filter(kind="extend").exists()
    page.get_by_role("button", name="Extend 1 lot").click()

    expect(page.get_by_text("The last day of 1 lot in 1 account was moved.")).to_be_visible()
    assert Entry.objects.filter(kind="extend").count() == 1

    context = browser.new_context(locale="en-US", base_url=page.url.split("/admin")[0])
    member = context.new_page()
    sign_in(member, "minji", "/sign-in/")
    expect(member.get_by_role("table").get_by_role("row").nth(1)).to_contain_text("June 30, 2026")
    member.get_by_role("link", name="History", exact=True).click()
    line = member.get_by_role("listitem").filter(has_text="Last day moved later")
    expect(line).to_contain_text("Reason: our app was down")
    expect(line).to_contain_text("1,234 P: valid through June 30, 2026 instead of March 31, 2026.")
    context.close()


def test_a_lost_double_click_moves_once(page: Page, lot: Lot):
    staff("view_lot", "extend_lot")
    sign_in(page, "sora", "/admin/ledger/lot/")
    page.get_by_role("checkbox", name="Select this object for an action").check()
    page.get_by_label("Action:").select_option(label="Extend: move the last day later")
    page.get_by_role("button", name="Go").click()
    page.get_by_label("New last day").fill("2026-06-30")
    page.get_by_label("Reason").fill("our app was down")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Extend 1 lot").dblclick()

    expect(page.get_by_text("The last day of 1 lot in 1 account was moved.").first).to_be_visible()
    assert Entry.objects.filter(kind="extend").count() == 1


def test_the_admin_works_under_the_policy(page: Page, lot: Lot):
    chief()
    sign_in(page, "hana", "/admin/")
    entry = Entry.objects.get(seq=1)
    for path in (
        "/admin/",
        "/admin/ledger/account/",
        "/admin/ledger/entry/?q=minji",
        f"/admin/ledger/entry/{entry.pk}/change/",
        f"/admin/ledger/lot/{lot.pk}/change/",
        f"/admin/ledger/account/{lot.account_id}/change/",
        "/admin/ledger/hold/",
        "/admin/ledger/closure/",
        "/admin/ledger/member/add/",
        "/admin/ledger/policy/",
        "/admin/ledger/programme/add/",
    ):
        page.goto(path)
        expect(page.locator("#content")).to_be_visible()
    # The last page is the one that lives by scripts: its calendar and its further policies.
    page.get_by_text("Add another Policy").click()
    expect(page.get_by_role("heading", name="Policy: #2")).to_be_visible()
    page.locator("#policies-0").get_by_role("link", name="Today").first.click()
    expect(page.locator("#id_policies-0-effective_from_0")).not_to_have_value("")
