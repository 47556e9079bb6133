"""A member says how they are reached, in a real browser, with a real mail server; staff see their words counted."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from alerts.addresses import consents, suppressions
from alerts.models import Consent, Contact
from ledger.actors import Actor
from tests import alert_builders
from tests.browser.test_closing import sign_in
from tests.browser.test_member import PHONE, WEAK_TEXTS, width_to_scroll
from tests.builders import NOW, days, grant, minji, moa
from tests.smtp_sink import Sink
from tests.windows import PASSWORD, chief, sign_in_of

REACHING = "/programmes/moa/reaching/"


@pytest.fixture
def account(transactional_db: None):
    """Minji, whom nobody can reach yet."""
    hers = minji(moa())
    grant(hers, 1_000)
    sign_in_of(hers)
    return hers


def test_a_member_adds_an_address_proves_it_and_opts_out_of_sms(page: Page, account, sink: Sink):
    page.goto("/programmes/moa/")
    sign_in(page)
    page.get_by_role("link", name="How we reach you").click()
    expect(page.locator("main")).to_contain_text("We have no address of yours")

    page.get_by_label("E-mail address").fill("minji")
    page.get_by_role("button", name="Add this e-mail address").click()
    expect(page.locator("#id_email_error")).to_have_text("Enter a valid email address.")
    page.get_by_label("E-mail address").fill("minji@example.com")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Enter the code")
    expect(page.get_by_role("status")).to_have_text("A code was sent.")
    (mail,) = sink.mails
    assert mail["To"] == "minji@example.com"
    found = re.search(r"\b[0-9]{6}\b", mail["Subject"])
    assert found
    page.get_by_label("The six digits of the code").fill(f"{(int(found[0]) + 1) % 1_000_000:06}")
    page.get_by_role("button", name="This address is mine").click()
    expect(page.locator("#id_code_error")).to_have_text("This is not the code that was sent. You have 4 more tries.")
    page.get_by_label("The six digits of the code").fill(found[0])
    page.get_by_role("button", name="This address is mine").click()

    expect(page.get_by_role("status")).to_have_text("minji@example.com is verified.")
    expect(page.locator(".addresses")).to_contain_text("Verified since March 10, 2025.")
    assert Contact.objects.get().verified

    sms = page.get_by_role("group", name="SMS")
    sms.get_by_role("checkbox", name="Notices, such as of points that expire").uncheck()
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_role("status")).to_have_text("Your choices are saved.")
    expect(sms).to_contain_text("You said no on March 10, 2025, 12:00, on this page.")
    expect(sms.get_by_role("checkbox", name="Notices")).not_to_be_checked()
    assert list(Consent.objects.values_list("channel", "purpose", "given")) == [("sms", "notice", False)]

    # Everything: first the warning, then the tick, then it is done.
    page.get_by_role("group", name="E-mail").get_by_role("checkbox", name="Notices").uncheck()
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_role("alert").first).to_contain_text("After this, no notice would reach you.")
    assert Consent.objects.count() == 1
    page.get_by_role("checkbox", name="I want no notices at all").check()
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_role("status")).to_have_text("Your choices are saved.")
    assert Consent.objects.filter(channel="email", given=False).count() == 1


def test_a_zone_is_chosen_on_a_phone_by_keyboard_alone_and_without_a_script(page: Page, account):
    alert_builders.email(account)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(REACHING)
    sign_in(page)
    signed_in = page.context.storage_state()
    bare = page.context.browser.new_context(  # type: ignore[union-attr]
        locale="en-US",
        viewport=PHONE,  # type: ignore[arg-type]
        base_url=page.url,
        storage_state=signed_in,
        java_script_enabled=False,
    )
    plain = bare.new_page()
    plain.goto(REACHING)
    zone = plain.get_by_role("combobox", name="Time zone")
    expect(zone).to_have_value("")
    plain.get_by_role("button", name="Add this mobile number").focus()
    plain.keyboard.press("Tab")
    expect(zone).to_be_focused()
    plain.keyboard.type("London")
    plain.keyboard.press("Tab")
    expect(plain.get_by_role("button", name="Save my time zone")).to_be_focused()
    plain.keyboard.press("Enter")
    expect(plain.get_by_role("status")).to_have_text("Your time zone is saved.")
    expect(zone).to_have_value("Europe/London")
    assert Contact.objects.get().zone == "Europe/London"
    assert width_to_scroll(plain) == 0
    bare.close()

    page.goto(REACHING)
    page.evaluate("document.querySelector('#id_zone option').value = 'Mars/Phobos'")
    page.get_by_label("Time zone").select_option("Mars/Phobos")
    page.get_by_role("button", name="Save my time zone").click()
    error = page.locator("#id_zone_error")
    expect(error).to_have_text("There is no such time zone. Please choose one from the list.")
    expect(page.get_by_label("Time zone")).to_have_accessible_description(re.compile("There is no such time zone"))
    assert Contact.objects.get().zone == "Europe/London"
    assert width_to_scroll(page) == 0


@pytest.mark.parametrize(
    ("field", "written", "button", "said"),
    [
        ("email", "m" * 300, "Add this e-mail address", "Ensure this value has at most 254 characters (it has 300)."),
        ("email", f"{'m' * 200}@example", "Add this e-mail address", "Enter a valid email address."),
        ("phone", "1588-0000", "Add this mobile number", "This number cannot receive SMS."),
    ],
)
def test_what_is_refused_on_a_phone_is_said_at_its_field_and_fits(page: Page, account, field, written, button, said):
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(REACHING)
    sign_in(page)
    page.goto(REACHING)
    page.evaluate("document.querySelectorAll('input').forEach((input) => input.removeAttribute('maxlength'))")
    page.locator(f"#id_{field}").fill(written)
    page.get_by_role("button", name=button).click()
    expect(page.locator(f"#id_{field}_error")).to_have_text(said)
    expect(page.locator(f"#id_{field}")).to_have_accessible_description(re.compile(re.escape(said)))
    assert width_to_scroll(page) == 0
    assert not Contact.objects.exists()


@pytest.mark.parametrize("language", ["English", "한국어"])
def test_a_page_with_warnings_and_errors_fits_a_phone(page: Page, account, language: str):
    alert_builders.email(account)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(REACHING)
    sign_in(page)
    page.get_by_role("button", name=language).click()
    page.goto(REACHING)
    page.locator("#id_email_notice").uncheck()
    page.locator("button[value=preferences]").click()
    expect(page.locator("#id_sure_error")).to_be_visible()
    assert (width_to_scroll(page), page.evaluate(WEAK_TEXTS)) == (0, [])
    page.evaluate("document.querySelector('#id_zone option').value = 'Mars/Phobos'")
    page.locator("button[value=zone]").click()
    expect(page.locator("#id_zone_error")).to_be_visible()
    assert (width_to_scroll(page), page.evaluate(WEAK_TEXTS)) == (0, [])


@pytest.mark.parametrize("language", ["English", "한국어"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_can_be_read_and_touched_on_a_phone(page: Page, account, language: str, scheme: str):
    alert_builders.email(account, "a-very-long-name-of-somebody-who-has-much-to-say" + "o" * 10 + "@example.com")
    alert_builders.phone(account)
    suppressions.add(channel="sms", address="+821012345678", why="hard_bounce", now=NOW)
    waiting = alert_builders.email(account, "second@example.com")
    Contact.objects.filter(pk=waiting.pk).update(verified=False)
    for purpose in ("advertising", "night_advertising"):
        consents.say(
            member=account.member,
            channel="alimtalk",
            purpose=purpose,
            given=True,
            source="portal",
            by=Actor("member", "7"),
            now=NOW - days(720),
        )
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(REACHING)
    sign_in(page)
    page.get_by_role("button", name=language).click()
    for path in (REACHING, f"{REACHING}{waiting.pk}/", f"{REACHING}{waiting.pk}/removing/"):
        page.goto(path)
        assert width_to_scroll(page) == 0, path
        assert page.evaluate(WEAK_TEXTS) == [], path
        touched = "main button, main a.button, main label.tick, main select, main input:not([type=hidden])"
        for control in page.locator(touched).all():
            box = control.bounding_box()
            assert box is not None
            assert box["height"] >= (24 if control.get_attribute("type") == "checkbox" else 44), control.text_content()


def test_words_are_counted_while_staff_type(page: Page, account):
    chief()
    page.goto("/admin/alerts/template/add/")
    page.get_by_label("Username").fill("hana")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Programme").select_option(label="Moa")
    page.get_by_label("Channel").select_option(label="SMS")
    page.get_by_label("Language").select_option(label="English")
    page.locator("#id_text").press_sequentially("{{ points }}")
    count = page.locator("#words-count")
    expect(count).to_have_text("Korea: SMS × 1, 13/90 · elsewhere: GSM-7 × 1, 13/160")
    page.locator("#id_text").fill("가" * 71)
    expect(count).to_have_text("Korea: LMS × 1, 142/2000 · elsewhere: UCS-2 × 2, 71/134")
    page.locator("#id_text").fill("{{ pionts }}")
    expect(count).to_have_text("“pionts” is no variable that templates know.")
