from datetime import date, time

import pytest

from alerts.addresses import contacts
from alerts.addresses.tellings import name_of, telling
from alerts.models.contact import Channel
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT
from tests.builders import NOW
from tests.windows import sign_in_of


def told(account, contact):
    return telling(
        programme=account.programme,
        member=account.member,
        contact=contact,
        points=1_200,
        expires_at=EXPIRES_AT,
        now=NOW,
    )


def test_the_day_is_that_of_the_contact_or_else_of_the_programme(minji, settings):
    settings.SITE_URL = "https://byeol.example"
    said = told(minji, None)
    assert (said.programme, said.unit, said.points, said.link) == ("Byeol", "P", 1_200, "https://byeol.example/")
    assert (said.last_day, said.last_time, said.days_left) == (date(2026, 3, 31), None, 386)
    contact = minji.member.contacts.get()
    assert told(minji, contact) == said
    contact.zone = "Europe/London"
    there = told(minji, contact)
    assert (there.last_day, there.last_time, there.days_left) == (date(2026, 3, 31), time(16), 386)


def test_what_goes_to_a_korean_number_is_known(minji):
    elsewhere = contacts.put(
        member=minji.member, address="+14155552671", language="en", verified=True, now=NOW, channel=Channel.SMS
    )
    assert not told(minji, elsewhere).korean_number
    assert told(minji, alert_builders.phone(minji)).korean_number
    assert told(minji, minji.member.contacts.get(channel="email")).korean_number
    assert told(minji, None).korean_number


@pytest.mark.parametrize(("language", "written"), [("ko", "김민지"), ("en", "민지 김")])
def test_a_name_is_that_of_the_sign_in_as_its_language_orders_it(minji, language, written):
    assert name_of(minji.member, language) == ""
    user = sign_in_of(minji)
    minji.member.refresh_from_db()
    assert name_of(minji.member, language) == ""
    user.first_name, user.last_name = "민지", "김"
    user.save()
    minji.member.refresh_from_db()
    assert name_of(minji.member, language) == written


def test_nobody_gets_anothers_name(minji, byeol):
    his = builders.jun(byeol)
    user = sign_in_of(his)
    user.first_name = "준"
    user.save()
    assert told(minji, None).name == ""
