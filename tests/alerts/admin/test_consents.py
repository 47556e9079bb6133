"""The help desk records what a member said: as a fact with its source, by those who may; a no that ends all notices
asks first, as the member's own page does, for the ledger may record it as a waiver."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from alerts.addresses import consents, contacts
from alerts.duty.waivers import record_waivers
from alerts.models import Consent
from ledger.actors import Actor
from ledger.models import Account, Notice
from tests import alert_builders, builders
from tests.alert_builders import before
from tests.alerts.admin.test_stops import do, refused, signed_in, sora
from tests.builders import NOW, days
from tests.windows import PASSWORD, stop_clock

MAY = ("view_consent", "record_consent")
LIST = "/admin/alerts/consent/"
RECORD = f"{LIST}record/"
CALL = "telephone, 12 Nov, call 4711"
ALL = ["email", "sms", "alimtalk"]
ASKS_IF_SURE = (
    "Nothing was recorded yet: after this, no notice would reach the member. Tick this box if they know that their "
    "points may then expire without a word."
)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


def entered(account: Account, **changes: object) -> dict[str, object]:
    """What Minji said: yes to advertising by e-mail, unless changed."""
    said = {"channels": ["email"], "purpose": "advertising", "given": "yes", "source": CALL}
    return {"programme": account.programme_id, "reference": account.member.reference} | said | changes


def words() -> list[tuple[str, str, str, bool, str]]:
    """(member, channel, purpose, yes, source) of all that was said."""
    rows = Consent.objects.order_by("pk")
    return list(rows.values_list("member__reference", "channel", "purpose", "given", "source"))


def every_row() -> list[list[tuple[Any, ...]]]:
    return [list(table.order_by("pk").values_list()) for table in (Consent.objects, LogEntry.objects, Notice.objects)]


def earlier(account: Account, channel: str, purpose: str, given: bool) -> None:
    """The member said it yesterday, on their own page."""
    by = Actor("member", "7")
    consents.say(
        member=account.member, channel=channel, purpose=purpose, given=given, source="portal", by=by, now=NOW - days(1)
    )


def test_a_yes_is_recorded_by_the_signed_in_user_with_where_it_was_said(minji):
    client = signed_in(*MAY)
    assert do(client, RECORD, **entered(minji, source=f" {CALL}\r\n")) == ["What the member said is on record."]
    assert words() == [("minji", "email", "advertising", True, CALL)]
    row = Consent.objects.get()
    assert (row.at, row.actor) == (NOW, sora())
    assert consents.wants(minji.member_id, "email", "advertising", now=NOW)
    (entry,) = LogEntry.objects.all()
    assert (entry.user.username, entry.object_id, entry.change_message) == ("sora", str(row.pk), f"Recorded: {CALL}")


def test_a_no_is_a_fact_of_its_own_and_ends_the_night_as_well(minji):
    for purpose in ("advertising", "night_advertising"):
        earlier(minji, "email", purpose, True)
    do(signed_in(*MAY), RECORD, **entered(minji, given="no"))
    assert words() == [
        ("minji", "email", "advertising", True, "portal"),
        ("minji", "email", "night_advertising", True, "portal"),
        ("minji", "email", "advertising", False, CALL),
        ("minji", "email", "night_advertising", False, CALL),
    ]
    assert LogEntry.objects.count() == 2


def test_one_answer_is_recorded_on_several_channels(minji):
    do(signed_in(*MAY), RECORD, **entered(minji, channels=ALL))
    assert words() == [("minji", channel, "advertising", True, CALL) for channel in ALL]


def test_the_member_of_another_programme_with_the_same_reference_has_said_nothing(minji):
    moa = builders.minji(builders.moa())
    do(signed_in(*MAY), RECORD, **entered(moa))
    assert list(Consent.objects.values_list("member", flat=True)) == [moa.member_id]


@pytest.mark.parametrize(
    ("field", "changes", "said"),
    [
        ("programme", {"programme": ""}, "This field is required."),
        ("programme", {"programme": "99999999999999999999"}, "Select a valid choice."),
        ("reference", {"reference": "nobody"}, "The programme has no member with this reference."),
        ("reference", {"reference": ""}, "This field is required."),
        ("reference", {"reference": "a\0b"}, "Null characters are not allowed."),
        ("channels", {"channels": []}, "This field is required."),
        ("channels", {"channels": ["email", "pigeon"]}, "Select a valid choice."),
        ("purpose", {"purpose": ""}, "This field is required."),
        ("purpose", {"purpose": "fun"}, "Select a valid choice."),
        ("given", {"given": ""}, "This field is required."),
        ("given", {"given": "maybe"}, "Select a valid choice."),
        ("source", {"source": " \r\n "}, "This field is required."),
        ("source", {"source": "x" * 101}, "Ensure this value has at most 100 characters (it has 101)."),
        ("source", {"source": "a\0b"}, "Null characters are not allowed."),
        (
            "purpose",
            {"purpose": "night_advertising", "channels": ["sms"]},
            "SMS: the member has given no consent to advertising by day. Record that first.",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_written(minji, field, changes, said):
    client = signed_in(*MAY)
    then = every_row()
    errors = refused(client, RECORD, **entered(minji, **changes))
    assert list(errors) == [field]
    assert errors[field][0].startswith(said)
    assert every_row() == then


def test_the_night_is_refused_on_all_channels_when_one_has_no_day(minji):
    earlier(minji, "email", "advertising", True)
    client = signed_in(*MAY)
    then = every_row()
    sent = entered(minji, purpose="night_advertising", channels=["email", "sms"])
    assert list(refused(client, RECORD, **sent)) == ["purpose"]
    assert every_row() == then
    do(client, RECORD, **sent | {"channels": ["email"]})
    assert consents.wants(minji.member_id, "email", "night_advertising", now=NOW)


@pytest.mark.parametrize(
    "permissions",
    [
        ("view_consent",),
        ("view_consent", "add_consent", "change_consent", "suppress_address", "change_contact"),
        ("record_consent",),
    ],
)
def test_without_the_permission_it_is_neither_offered_nor_done(minji, permissions):
    earlier(minji, "email", "advertising", True)
    client = signed_in(*permissions)
    then = every_row()
    assert client.get(RECORD).status_code == 403
    assert client.post(RECORD, entered(minji)).status_code == 403
    if "view_consent" in permissions:
        row = Consent.objects.get()
        for url in (LIST, f"{LIST}{row.pk}/change/"):
            assert RECORD not in client.get(url).content.decode()
    assert every_row() == then


def test_a_word_is_never_added_changed_or_deleted_by_hand(admin_client, minji):
    earlier(minji, "email", "advertising", True)
    row = Consent.objects.get()
    then = every_row()
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{row.pk}/change/", {"given": ""}).status_code == 403
    assert admin_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert every_row() == then


def test_looking_writes_nothing_and_a_form_from_another_site_is_refused(minji):
    client = signed_in(*MAY)
    then = every_row()
    assert client.get(RECORD, {"member": str(minji.member_id), "given": "yes", "source": CALL}).status_code == 200
    strict = Client(enforce_csrf_checks=True)
    strict.login(username="sora", password=PASSWORD)
    assert strict.post(RECORD, entered(minji)).status_code == 403
    assert every_row() == then


def test_lists_and_pages_lead_to_it_with_the_member_filled_in(minji):
    earlier(minji, "email", "advertising", True)
    client = signed_in(*MAY, "view_contact")
    page = client.get(LIST)
    assert [(url, str(title)) for url, title in page.context["acts"]] == [(RECORD, "Record what a member said")]
    url = f"{RECORD}?member={minji.member_id}"
    assert f'<a href="{url}">Record a newer word</a>' in page.content.decode()
    contact = minji.member.contacts.get()
    assert url in client.get(f"/admin/alerts/contact/{contact.pk}/change/").content.decode()
    form = client.get(url).context["form"]
    assert (form["programme"].value(), form["reference"].value()) == (minji.programme_id, "minji")
    for nobody in ("x", "", "0", "-1", "१", "9" * 30):
        assert client.get(RECORD, {"member": nobody}).context["form"]["reference"].value() is None


@pytest.mark.parametrize("model", ["member", "account"])
def test_the_pages_of_a_member_lead_to_it(admin_client, minji, model):
    row = minji.member if model == "member" else minji
    page = admin_client.get(f"/admin/ledger/{model}/{row.pk}/change/")
    assert f'<a href="{RECORD}?member={minji.member_id}">Record what a member said</a>' in page.content.decode()


# --- A no to all notices, which the ledger may record as a waiver


@pytest.fixture
def waiving(db):
    """Minji, reached by e-mail, under a policy that accepts waivers."""
    account = alert_builders.minji(alert_builders.byeol(accepts_waivers=True))
    builders.grant(account, 1_200)
    return account


def waivers() -> list[str]:
    record_waivers(now=before(33), limit=100)
    return list(Notice.objects.values_list("waiver", flat=True))


@pytest.mark.parametrize("channels", [["email"], ALL])
def test_a_no_that_ends_all_notices_is_recorded_only_when_the_member_knows_what_it_means(waiving, channels):
    client = signed_in(*MAY)
    then = every_row()
    no = entered(waiving, purpose="notice", given="no", channels=channels)
    assert refused(client, RECORD, **no) == {"sure": [ASKS_IF_SURE]}
    assert every_row() == then
    assert waivers() == []
    do(client, RECORD, **no | {"sure": "on"})
    assert words() == [("minji", channel, "notice", False, CALL) for channel in channels]
    assert waivers() == ["opted_out"]


def test_a_no_on_a_channel_beside_one_that_works_is_no_waiver(waiving):
    alert_builders.phone(waiving)
    client = signed_in(*MAY)
    do(client, RECORD, **entered(waiving, purpose="notice", given="no"))
    assert words() == [("minji", "email", "notice", False, CALL)]
    assert waivers() == []
    # The last one that works: the channels that are named need not be all there are.
    last = entered(waiving, purpose="notice", given="no", channels=["sms"])
    assert refused(client, RECORD, **last) == {"sure": [ASKS_IF_SURE]}
    assert waivers() == []


@pytest.mark.parametrize("channels", [["sms"], ["sms", "alimtalk"]])
def test_a_no_where_nothing_reaches_the_member_anyway_needs_no_second_word(waiving, channels):
    do(signed_in(*MAY), RECORD, **entered(waiving, purpose="notice", given="no", channels=channels))
    assert waivers() == []


def test_a_no_to_advertising_on_all_channels_is_no_waiver_even_with_the_box(waiving):
    do(signed_in(*MAY), RECORD, **entered(waiving, given="no", channels=ALL, sure="on"))
    assert waivers() == []


def test_without_an_address_that_works_only_a_no_on_every_channel_asks(waiving):
    contacts.erase(contact=waiving.member.contacts.get())
    client = signed_in(*MAY)
    no = entered(waiving, purpose="notice", given="no", channels=["email", "sms"])
    do(client, RECORD, **no)
    third = no | {"channels": ["alimtalk"]}
    assert refused(client, RECORD, **third) == {"sure": [ASKS_IF_SURE]}
    do(client, RECORD, **third | {"sure": "on"})
    assert waivers() == ["opted_out"]
