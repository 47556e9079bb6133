"""A member says where they live: a select, without a script; what is no zone is refused at it."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.utils import translation

from alerts.addresses import zones
from alerts.models import Consent, Contact
from ledger.models import Account
from tests import alert_builders
from tests.looking import nothing_changes
from tests.portal.reaching.conftest import REACHING, words
from tests.windows import PASSWORD

BYEOL = "/programmes/byeol/reaching/"


def rows() -> list[dict[str, object]]:
    return [dict(row) for row in Contact.objects.order_by("pk").values()]


def select(answer) -> str:
    """The select of the page, with all that is in it."""
    (found,) = re.findall(r"<select.*?</select>", answer.content.decode(), re.DOTALL)
    return str(found)


def options(answer) -> dict[str, str]:
    """What can be chosen: how it reads, by its value."""
    found = re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)</option>', select(answer))
    return {value: unescape(text) for value, text in found}


def chosen(answer) -> list[str]:
    return re.findall(r'<option value="([^"]*)" selected', select(answer))


def choose(client: Client, zone: str, path: str = REACHING):
    return client.post(path, {"do": "zone", "zone": zone})


def error_of(answer) -> str:
    """What is said at the select, and that it is tied to it."""
    found = re.search(r'<p class="error" id="id_zone_error" role="alert">([^<]*)</p>', answer.content.decode())
    assert found, words(answer)
    assert 'aria-describedby="id_zone_helptext id_zone_error"' in select(answer)
    assert 'aria-invalid="true"' in select(answer)
    return unescape(found[1])


def test_the_programmes_zone_is_the_default_and_the_rest_stands_by_area(member: Client, account):
    page = member.get(REACHING)
    assert chosen(page) == [""]
    assert next(iter(options(page).items())) == ("", "The programme's time zone (Asia/Seoul)")
    assert set(options(page)) == {"", *zones.to_choose_from()}
    assert options(page)["Europe/London"] == "London"
    assert options(page)["America/Argentina/Buenos_Aires"] == "Buenos Aires, Argentina"
    areas = re.findall(r'<optgroup label="([^"]*)">', select(page))
    assert areas == [
        *("Africa", "America", "Antarctica", "Arctic", "Asia"),
        *("Atlantic Ocean", "Australia", "Europe", "Indian Ocean", "Pacific Ocean"),
    ]
    assert '<label for="id_zone">' in page.content.decode()
    assert 'aria-describedby="id_zone_helptext"' in select(page)


def test_a_zone_is_chosen_shown_and_taken_back(member: Client, account, other):
    alert_builders.phone(account)
    before = rows()
    with nothing_changes():
        assert choose(member, "Europe/London").headers["Location"] == REACHING
    page = member.get(REACHING)
    assert "Your time zone is saved." in words(page)
    assert chosen(page) == ["Europe/London"]
    assert rows() == [
        row | {"zone": "Europe/London"} if row["member_id"] == account.member_id else row for row in before
    ]
    assert {row["zone"] for row in rows() if row["member_id"] == other.member_id} == {""}
    assert choose(member, "").status_code == 302
    assert rows() == before
    assert chosen(member.get(REACHING)) == [""]
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    "zone", ["Mars/Phobos", "Asia/seoul", "Asia/Calcutta", "UTC", "KST", "+09:00", "Asia/\0", " ", "x" * 10_000]
)
def test_what_is_not_in_the_list_is_refused_at_the_select(member: Client, account, zone: str):
    choose(member, "Europe/London")
    before = rows()
    answer = choose(member, zone)
    assert answer.status_code == 200
    assert error_of(answer) == "There is no such time zone. Please choose one from the list."
    assert rows() == before
    assert zone == " " or zone not in answer.content.decode()  # nothing of it comes back


def test_a_form_without_the_field_does_not_mean_the_programmes_zone(member: Client, account):
    choose(member, "Europe/London")
    before = rows()
    assert error_of(member.post(REACHING, {"do": "zone"})) == (
        "There is no such time zone. Please choose one from the list."
    )
    assert rows() == before


def test_a_zone_that_the_database_does_not_know_is_refused_at_the_select(member: Client, account, monkeypatch):
    monkeypatch.setattr("zoneinfo.available_timezones", lambda: {"Mars/Phobos"})
    monkeypatch.setattr(zones, "to_choose_from", lambda: ("Mars/Phobos",))
    before = rows()
    assert error_of(choose(member, "Mars/Phobos")) == "The database does not know the time zone “Mars/Phobos”."
    assert rows() == before


def test_what_staff_entered_is_shown_and_can_stay(member: Client, account):
    Contact.objects.filter(member=account.member).update(zone="UTC")
    page = member.get(REACHING)
    assert chosen(page) == ["UTC"]
    assert list(options(page))[:2] == ["", "UTC"]
    assert choose(member, "UTC").status_code == 302
    assert {row["zone"] for row in rows()} == {"UTC"}


def test_where_addresses_are_in_different_zones_each_says_its_own(member: Client, account):
    assert "Its time zone" not in words(member.get(REACHING))
    second = alert_builders.email(account, "second@example.com")
    Contact.objects.filter(pk=second.pk).update(zone="Asia/Tokyo")
    page = member.get(REACHING)
    assert "minji@example.com Verified since March 10, 2025. Its time zone: Asia/Seoul." in words(page)
    assert "second@example.com Verified since March 10, 2025. Its time zone: Asia/Tokyo." in words(page)
    assert chosen(page) == [""]
    choose(member, "")
    assert [row["zone"] for row in rows()] == ["", ""]
    assert "Its time zone" not in words(member.get(REACHING))


def test_an_address_that_is_added_later_is_in_the_same_zone(member: Client, account, settings):
    settings.TRANSPORTS = dict.fromkeys(("email", "sms", "alimtalk"), "sandbox")
    choose(member, "Europe/London")
    assert member.post(REACHING, {"do": "email", "email": "new@example.com"}).status_code == 302
    assert Contact.objects.get(address="new@example.com").zone == "Europe/London"


def test_without_an_address_it_says_what_comes_first(member: Client, account):
    page = member.get(BYEOL)
    assert "With your first address you can choose your time zone here." in words(page)
    assert "<select" not in page.content.decode()
    before = rows()
    said = error_of(choose(member, "Europe/London", BYEOL))
    assert said == "Please add an address first: the time zone is kept with it."
    assert rows() == before


def test_a_zone_is_of_its_own_programme(member: Client, account):
    hers = Account.objects.get(programme__code="byeol")
    alert_builders.email(hers, "minji@example.com")
    choose(member, "Europe/London")
    assert chosen(member.get(REACHING)) == ["Europe/London"]
    assert chosen(member.get(BYEOL)) == [""]
    assert zones.zone_of(hers.member_id) == ""


def test_it_needs_a_sign_in_the_own_programme_and_the_token_of_the_form(visitor: Client, account, other):
    before = rows()
    assert choose(visitor, "Europe/London").headers["Location"].startswith("/sign-in/")
    visitor.login(username="minji", password=PASSWORD)
    assert choose(visitor, "Europe/London", "/programmes/other/reaching/").status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.login(username="minji", password=PASSWORD)
    assert choose(strict, "Europe/London").status_code == 403
    assert rows() == before


def test_in_korean_too_the_names_of_zones_stay_and_their_choice_counts(korean_visitor: Client, account):
    korean_visitor.login(username="minji", password=PASSWORD)
    with translation.override("ko"):  # a request leaves its language behind: after this block it is as before
        page = korean_visitor.get(REACHING)
        choose(korean_visitor, "Europe/London")
    assert "Asia/Seoul" in options(page)[""]
    assert options(page)["Europe/London"] == "London"
    assert Contact.objects.get().zone == "Europe/London"
