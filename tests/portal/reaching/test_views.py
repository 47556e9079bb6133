"""A member adds, proves and removes addresses and says what may be sent: on the pages, without a script."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from alerts.addresses import contacts, suppressions
from alerts.models import Consent, Contact, SandboxMessage, Verification
from tests import alert_builders
from tests.builders import NOW, days
from tests.looking import nothing_changes
from tests.portal.reaching.conftest import REACHING, say, words
from tests.windows import PASSWORD, stop_clock


@pytest.fixture(autouse=True)
def kept(settings) -> None:
    """Every code stays in the sandbox."""
    settings.TRANSPORTS = dict.fromkeys(("email", "sms", "alimtalk"), "sandbox")


def code_of(answer=None) -> str:
    """The code that was sent last."""
    found = re.search(r"\b[0-9]{6}\b", SandboxMessage.objects.latest("pk").text)
    assert found
    return found[0]


def add(client: Client, **sent: str):
    """Send one of the two forms that add an address."""
    (kind,) = sent
    return client.post(REACHING, {"do": kind, **sent})


def addresses() -> list[tuple[str, str, bool]]:
    return list(Contact.objects.order_by("pk").values_list("channel", "address", "verified"))


HERS = [("email", "minji@example.com", True)]


def error_of(answer, field: str) -> str:
    """What is said at a field, and that the field is tied to it."""
    page = answer.content.decode()
    found = re.search(rf'id="id_{field}_error" role="alert">([^<]*)<', page)
    assert found, words(answer)
    assert re.search(rf'<input[^>]*aria-describedby="[^"]*id_{field}_error"[^>]*>', page)
    return found[1].replace("&#x27;", "'")


def test_an_address_is_added_and_proven_by_its_code(member: Client, account):
    answer = add(member, email=" New@Example.COM ")
    contact = Contact.objects.get(address="New@example.com")
    assert answer.headers["Location"] == f"{REACHING}{contact.pk}/"
    assert not contact.verified
    assert "Waits for the code that was sent there." in words(member.get(REACHING))

    told = words(member.get(answer.headers["Location"]))
    assert "A code was sent." not in told  # it was said on the page before
    assert "goes to New@example.com. It is good for ten minutes and five tries" in told
    code = code_of()
    answer = member.post(answer.headers["Location"], {"code": f"{code[:3]} {code[3:]}"})
    assert answer.headers["Location"] == REACHING
    told = words(member.get(REACHING))
    assert "New@example.com is verified." in told
    assert "New@example.com Verified since March 10, 2025." in told
    assert addresses()[1:] == [("email", "New@example.com", True)]
    assert member.get(f"{REACHING}{contact.pk}/").headers["Location"] == REACHING


def test_a_number_may_be_written_as_at_home_and_serves_both_channels(member: Client, account):
    answer = add(member, phone="010-1234-5678")
    assert (SandboxMessage.objects.get().channel, SandboxMessage.objects.get().to) == ("sms", "+821012345678")
    assert "010-1234-5678" in words(member.get(REACHING))
    member.post(answer.headers["Location"], {"code": code_of()})
    assert addresses()[1:] == [("sms", "+821012345678", True), ("alimtalk", "+821012345678", True)]
    assert words(member.get(REACHING)).count("010-1234-5678 Verified since March 10, 2025.") == 1


def test_the_code_is_written_in_the_language_of_the_page(korean_visitor: Client, account):
    korean_visitor.login(username="minji", password=PASSWORD)
    add(korean_visitor, email="new@example.com")
    assert Contact.objects.get(address="new@example.com").language == "ko"
    assert "Your code" not in SandboxMessage.objects.get().subject


@pytest.mark.parametrize(
    ("kind", "written", "said"),
    [
        ("email", "", "This field is required."),
        ("email", "minji", "Enter a valid email address."),
        ("email", "a b@example.com", "Enter a valid email address."),
        ("email", "minji@example.com\nBcc: x@example.com", "Enter a valid email address."),
        ("email", "\0@example.com", "Null characters are not allowed."),
        ("email", "minji@EXAMPLE.com", "This address is there already."),
        ("email", f"{'m' * 243}@example.com", "Ensure this value has at most 254 characters (it has 255)."),
        ("phone", "", "This field is required."),
        ("phone", "0" * 41, "Ensure this value has at most 40 characters (it has 41)."),
        ("phone", "minji", "This is no telephone number."),
        ("phone", "02-312-3456", "This number cannot receive SMS."),
        ("phone", "1588-0000", "This number cannot receive SMS."),
    ],
)
def test_what_is_no_address_is_refused_at_its_field(member: Client, account, kind: str, written: str, said: str):
    answer = add(member, **{kind: written})
    assert answer.status_code == 200
    assert error_of(answer, kind) == said
    assert addresses() == HERS
    assert not SandboxMessage.objects.exists()


def test_a_number_of_a_country_that_sms_does_not_reach_is_refused_at_its_field(member: Client, account, settings):
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "nhn", "alimtalk": "sandbox"}
    answer = add(member, phone="+1 415 555 2671")
    assert answer.status_code == 200
    assert error_of(answer, "phone") == "SMS reaches only numbers that begin with +82."
    assert addresses() == HERS
    assert not SandboxMessage.objects.exists()


def test_the_form_speaks_of_other_countries_only_where_sms_reaches_them(member: Client, account, settings):
    abroad = "a number of another country with its code"
    assert abroad in words(member.get(REACHING))
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "nhn"}
    said = words(member.get(REACHING))
    assert "For example 010-1234-5678." in said
    assert abroad not in said


def test_an_address_too_many_is_refused(member: Client, account, monkeypatch):
    monkeypatch.setattr(contacts, "MOST_ADDRESSES", 1)
    said = error_of(add(member, email="new@example.com"), "email")
    assert said == "You have 1 addresses, as many as there can be. Please remove one first."
    assert addresses() == HERS


def test_a_wrong_code_says_the_rule_and_how_many_tries_are_left(member: Client, account, monkeypatch):
    page = add(member, email="new@example.com").headers["Location"]
    wrong = f"{(int(code_of()) + 1) % 1_000_000:06}"
    assert error_of(member.post(page, {"code": "12345"}), "code") == "A code has six digits."
    assert error_of(member.post(page, {"code": "١٢٣٤٥٦"}), "code") == "A code has six digits."
    assert Verification.objects.get().tries == 0
    for left in (
        "You have 4 more tries.",
        "You have 3",
        "You have 2",
        "You have 1 more try.",
        "the last of five tries",
    ):
        assert left in error_of(member.post(page, {"code": wrong}), "code")
    rule = "This code counts no more: it is good for ten minutes and five tries. Please ask for a new one."
    assert error_of(member.post(page, {"code": code_of()}), "code") == rule
    assert addresses()[1:] == [("email", "new@example.com", False)]


def test_after_ten_minutes_the_code_counts_no_more(member: Client, account, monkeypatch):
    page = add(member, email="new@example.com").headers["Location"]
    stop_clock(monkeypatch, NOW + timedelta(minutes=10))
    assert "it is good for ten minutes" in error_of(member.post(page, {"code": code_of()}), "code")
    assert addresses()[1:] == [("email", "new@example.com", False)]


def test_another_code_can_be_asked_for_up_to_the_days_limit(member: Client, account):
    page = add(member, email="new@example.com").headers["Location"]
    for _ in range(4):
        assert member.post(page, {"do": "resend"}).headers["Location"] == page
    answer = member.post(page, {"do": "resend"})
    assert "At most 5 codes a day are sent to one address. Please try again tomorrow." in words(answer)
    assert SandboxMessage.objects.count() == 5
    # Erasing the address and entering it again does not help.
    member.post(f"{page}removing/")
    said = error_of(add(member, email="NEW@example.com"), "email")
    assert said == "At most 5 codes a day are sent to one address. Please try again tomorrow."
    assert addresses() == HERS


def test_a_code_that_cannot_be_sent_now_is_said_and_can_be_asked_for_again(member: Client, account, settings, sink):
    settings.TRANSPORTS = {"email": "smtp"}
    sink.stop()
    page = add(member, email="new@example.com").headers["Location"]
    told = words(member.get(page))
    assert "The code could not be sent at the moment. Please ask for another one in a few minutes." in told
    sink.start()
    member.post(page, {"do": "resend"})
    assert sink.addresses() == ["new@example.com"]


def test_removing_says_what_it_means_and_erases(member: Client, account):
    contact = Contact.objects.get()
    page = f"{REACHING}{contact.pk}/removing/"
    told = words(member.get(page))
    assert "minji@example.com" in told
    assert "After this, no notice would reach you. Your points may then expire without a word to you" in told
    assert addresses() == HERS
    second = alert_builders.email(account, "second@example.com")
    assert "no notice would reach you" not in words(member.get(page))
    assert member.post(page).headers["Location"] == REACHING
    assert list(Contact.objects.all()) == [second]
    assert "The address was removed." in words(member.get(REACHING))
    assert member.post(page).status_code == 404


def preferences(client: Client, **changes: bool) -> dict[str, str]:
    """The form as the page shows it, with some boxes ticked or not."""
    page = client.get(REACHING).content.decode()
    shown = dict(re.findall(r'<input type="hidden" name="(initial-[a-z_]+)" value="(True|False)"', page))
    assert len(shown) == 9
    boxes = {name.removeprefix("initial-"): value == "True" for name, value in shown.items()} | changes
    return {"do": "preferences", **shown, **{name: "on" for name, ticked in boxes.items() if ticked}}


def said() -> list[tuple[str, str, bool]]:
    return list(Consent.objects.order_by("pk").values_list("channel", "purpose", "given"))


def test_only_what_was_changed_is_recorded_with_time_source_and_person(member: Client, account):
    answer = member.post(REACHING, preferences(member, sms_notice=False, email_advertising=True))
    assert answer.headers["Location"] == REACHING
    assert said() == [("email", "advertising", True), ("sms", "notice", False)]
    row = Consent.objects.first()
    assert row is not None
    user = answer.wsgi_request.user.pk
    assert (row.member_id, row.at, row.source, row.actor) == (account.member_id, NOW, "portal", f"member:{user}")
    told = words(member.get(REACHING))
    assert "Your choices are saved." in told
    assert "Advertising You said yes on March 10, 2025, 12:00, on this page." in told
    assert "You said no on March 10, 2025, 12:00, on this page." in told
    member.post(REACHING, preferences(member))
    assert len(said()) == 2


def test_a_page_that_is_out_of_date_takes_nothing_back(member: Client, account):
    sent = preferences(member, sms_advertising=True)
    say(account, "notice", False, source="one-click")  # meanwhile, by the link in a message
    member.post(REACHING, sent)
    assert said() == [("email", "notice", False), ("sms", "advertising", True)]
    assert "You said no on March 10, 2025, 12:00, by the link in a message." in words(member.get(REACHING))


def test_the_night_without_the_day_is_refused_at_its_box(member: Client, account):
    answer = member.post(REACHING, preferences(member, email_night_advertising=True))
    rule = "Advertising at night needs your consent to advertising on this channel, too."
    assert error_of(answer, "email_night_advertising") == rule
    assert said() == []


NOTHING = {"email_notice": False, "sms_notice": False, "alimtalk_notice": False}


@pytest.mark.parametrize("opted", [NOTHING, {"email_notice": False}])
def test_opting_out_of_everything_is_warned_of_and_confirmed_before_it_is_done(member: Client, account, opted):
    sent = preferences(member, **opted)  # the e-mail address is the only one that Minji has
    with nothing_changes():
        answer = member.post(REACHING, sent)
    told = words(answer)
    assert "After this, no notice would reach you." in told
    assert "Your points may then expire without a word to you. The ledger records as a waiver" in told
    assert error_of(answer, "sure") == "Nothing was changed yet. Please tick this box if you are sure."
    assert said() == []
    assert member.post(REACHING, sent | {"sure": "on"}).headers["Location"] == REACHING
    assert {(channel, given) for channel, _purpose, given in said()} == {
        (name.removesuffix("_notice"), False) for name in opted
    }
    assert contacts.usable(account.member_id, "email") is None


def test_leaving_one_channel_that_works_needs_no_second_word(member: Client, account):
    alert_builders.phone(account)
    assert "no notice would reach you" not in words(member.get(REACHING))
    assert member.post(REACHING, preferences(member, email_notice=False)).status_code == 302
    assert said() == [("email", "notice", False)]


def test_consents_of_two_years_ago_are_shown_and_confirmed_by_one_button(member: Client, account, other, monkeypatch):
    say(account, "advertising", True, now=NOW - days(730))
    say(account, "night_advertising", True, now=NOW - days(710))
    say(account, "advertising", True, channel="sms", now=NOW - days(300))
    say(other, "advertising", True, now=NOW - days(730))
    told = words(member.get(REACHING))
    assert "Advertising · E-mail: you agreed on March 11, 2023; that ends on March 11, 2025." in told
    assert "at night, too: from 21:00 to 08:00 · E-mail: you agreed on March 31, 2023; that ends on" in told
    assert "SMS: you agreed" not in told
    before = len(said())
    assert member.post(REACHING, {"do": "confirm"}).headers["Location"] == REACHING
    assert said()[before:] == [("email", "advertising", True), ("email", "night_advertising", True)]
    assert "that is on record for two more years" in words(member.get(REACHING))
    assert "Do you still want these messages?" not in words(member.get(REACHING))
    assert Consent.objects.filter(member=other.member).count() == 1


def test_a_consent_that_ended_says_so_and_its_box_is_empty(member: Client, account):
    say(account, "advertising", True, now=NOW - days(800))
    page = member.get(REACHING)
    assert "you agreed on Dec. 31, 2022; that ended on Dec. 31, 2024." in words(page)
    assert "on this page; that ended on Dec. 31, 2024." in words(page)
    assert 'name="initial-email_advertising" value="False"' in page.content.decode()


def test_an_address_that_bounced_says_so_in_words(member: Client, account):
    suppressions.add(channel="email", address="minji@example.com", why="hard_bounce", now=NOW - days(3))
    told = words(member.get(REACHING))
    assert "Does not arrive any more: since March 7, 2025 its provider sends our messages back." in told


def test_nobody_finds_or_changes_anothers_address(member: Client, account, other):
    his = Contact.objects.get(member=other.member)
    before = addresses()
    for path in (f"{REACHING}{his.pk}/", f"{REACHING}{his.pk}/removing/", f"{REACHING}{10**30}/"):
        assert member.get(path).status_code == 404
        for sent in ({}, {"code": "123456"}, {"do": "resend"}):
            assert member.post(path, sent).status_code == 404
    assert "jun@example.com" not in member.get(REACHING).content.decode()
    assert addresses() == before
    assert not SandboxMessage.objects.exists()


def test_an_address_is_found_in_its_own_programme_only(member: Client, account):
    hers = Contact.objects.get()
    assert member.get(f"/programmes/byeol/reaching/{hers.pk}/removing/").status_code == 404
    assert member.post(f"/programmes/byeol/reaching/{hers.pk}/removing/").status_code == 404
    assert "minji@example.com" not in member.get("/programmes/byeol/reaching/").content.decode()
    assert addresses() == HERS


def test_another_member_may_claim_an_address_and_gets_no_hold_of_it_without_the_code(member: Client, account, other):
    page = add(member, email="jun@example.com").headers["Location"]
    assert SandboxMessage.objects.get().to == "jun@example.com"
    member.post(page, {"code": f"{(int(code_of()) + 1) % 1_000_000:06}"})
    assert Contact.objects.filter(address="jun@example.com", verified=True).get().member == other.member


def test_it_needs_a_sign_in_the_own_programme_and_the_token_of_the_form(visitor: Client, account):
    pk = Contact.objects.get().pk
    strict = Client(enforce_csrf_checks=True)
    for path in (REACHING, f"{REACHING}{pk}/", f"{REACHING}{pk}/removing/"):
        assert visitor.get(path).headers["Location"].startswith("/sign-in/")
        assert visitor.post(path).headers["Location"].startswith("/sign-in/")
    visitor.login(username="minji", password=PASSWORD)
    strict.login(username="minji", password=PASSWORD)
    for path in (REACHING, f"{REACHING}{pk}/", f"{REACHING}{pk}/removing/"):
        assert visitor.get(path.replace("moa", "other")).status_code == 404
        assert visitor.put(path).status_code == 405
        assert strict.post(path, {"do": "confirm"}).status_code == 403
    assert visitor.post(REACHING, {"do": "something"}).status_code == 400
    assert addresses() == HERS


def test_looking_changes_nothing_and_the_strict_policy_finds_nothing(member: Client, account):
    add(member, email="new@example.com")
    waiting = Contact.objects.get(verified=False)
    before = addresses()
    for path in (REACHING, f"{REACHING}{waiting.pk}/", f"{REACHING}{waiting.pk}/removing/"):
        answer = member.get(path)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", answer.content.decode())
        assert len(re.findall("<h1", answer.content.decode())) == 1
    assert addresses() == before
    assert not Consent.objects.exists()


def test_every_field_has_a_label(member: Client, account):
    page = member.get(REACHING).content.decode()
    fields = re.findall(r'<(?:input type="(?:email|tel|checkbox)"|select)[^>]* id="([^"]+)"', page)
    assert len(fields) == 2 + 1 + 9
    assert [field for field in fields if f'for="{field}"' not in page] == []
    assert len(re.findall(r'\sid="([^"]+)"', page)) == len(set(re.findall(r'\sid="([^"]+)"', page)))


def test_without_an_address_the_page_says_what_that_means(member: Client, account):
    told = words(member.get("/programmes/byeol/reaching/"))
    assert "We have no address of yours: we cannot tell you before points expire. Please add one." in told
