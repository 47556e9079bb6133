"""The help desk suppresses an address and lifts suppressions: with a reason, by those who may, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from alerts.addresses import contacts, suppressions, traces
from alerts.admin import suppressions as admin_of
from alerts.models import Contact, Suppression
from alerts.models.contact import Channel
from ledger.actors import Actor
from tests import alert_builders
from tests.alerts.admin.test_stops import do, refused, signed_in
from tests.builders import NOW, days
from tests.windows import PASSWORD, stop_clock

MAY = ("view_suppression", "suppress_address")
LIST = "/admin/alerts/suppression/"
STOP, LIFT = f"{LIST}stop/", f"{LIST}lift/"
NO_REASON = ["Say why, in at most 200 letters."]
ASKED = "telephone, 12 November: never write there again"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


def every_row() -> list[list[tuple[Any, ...]]]:
    return [
        list(table.order_by("pk").values_list()) for table in (Suppression.objects, Contact.objects, LogEntry.objects)
    ]


def stands() -> list[tuple[str, str, str, str]]:
    """(channel, address, why, note) of what stands."""
    rows = Suppression.objects.filter(lifted_at=None).order_by("pk")
    return list(rows.values_list("channel", "address", "why", "note"))


def logged() -> list[tuple[str, str | None, str]]:
    """Whose, at which row, what: the admin's log. None of it holds an address."""
    rows = list(LogEntry.objects.order_by("pk").values_list("user__username", "object_id", "change_message"))
    assert not any("@" in name or "+82" in name for name in LogEntry.objects.values_list("object_repr", flat=True))
    return rows


def suppressed(channel: str = "email", address: str = "minji@example.com", why: str = "complaint") -> Suppression:
    return suppressions.add(channel=channel, address=address, why=why, now=NOW - days(1), note="anymail")


def test_an_address_is_suppressed_with_a_reason_which_stays_at_the_row(minji):
    client = signed_in(*MAY)
    assert contacts.usable(minji.member_id, "email") is not None
    assert do(client, STOP, address=" Minji@Example.com ", why=f" {ASKED}\r\n") == [
        "Nothing is sent to this address any more."
    ]
    assert stands() == [("email", "minji@example.com", "by_hand", ASKED)]
    row = Suppression.objects.get()
    assert (row.at, row.lifted_at) == (NOW, None)
    assert contacts.usable(minji.member_id, "email") is None
    assert suppressions.is_unwanted("minji@example.com")  # no code goes there, and no test
    assert logged() == [("sora", str(row.pk), f"Suppressed: {ASKED}")]
    assert f"Suppressed: {ASKED}" in client.get(f"{LIST}{row.pk}/history/").content.decode()


def test_a_number_is_suppressed_on_both_channels_however_it_is_written(minji):
    for channel in (Channel.SMS, Channel.ALIMTALK):
        alert_builders.phone(minji, channel=channel)
    do(signed_in(*MAY), STOP, address="010-1234-5678", why=ASKED)
    assert stands() == [
        ("sms", "+821012345678", "by_hand", ASKED),
        ("alimtalk", "+821012345678", "by_hand", ASKED),
    ]
    assert len(logged()) == 2
    assert contacts.usable(minji.member_id, "email") is not None


def test_of_an_address_that_nobody_has_only_the_hash_is_kept(db):
    do(signed_in(*MAY), STOP, address="stranger@example.com", why=ASKED)
    assert stands() == [("email", traces.marked("stranger@example.com"), "by_hand", ASKED)]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "This field is required."),
        ("minji@", "Enter a valid email address."),
        ("@example.com", "Enter a valid email address."),
        ("minji", "This is no telephone number."),
        ("02-312-3456", "This number cannot receive SMS."),
        ("a\0@example.com", "Null characters are not allowed."),
        ("x" * 250 + "@a.kr", "Ensure this value has at most 254 characters (it has 255)."),
    ],
)
def test_what_is_no_address_is_refused_at_its_field(minji, address, said):
    client = signed_in(*MAY)
    before = every_row()
    assert refused(client, STOP, address=address, why=ASKED) == {"address": [said]}
    assert every_row() == before


def test_without_a_reason_nothing_is_suppressed_or_lifted(minji):
    client, row = signed_in(*MAY), suppressed()
    before = every_row()
    for why in ("", " \r\n "):
        assert refused(client, STOP, address="jun@example.com", why=why) == {"why": NO_REASON}
        assert refused(client, LIFT, rows=[row.pk], why=why) == {"why": NO_REASON}
    for why in ("x" * 201, "a\0b"):
        assert list(refused(client, STOP, address="jun@example.com", why=why)) == ["why"]
        assert list(refused(client, LIFT, rows=[row.pk], why=why)) == ["why"]
    assert every_row() == before


@pytest.mark.parametrize("why", ["complaint", "by_hand"])
def test_what_is_suppressed_already_is_refused_at_the_address_and_keeps_its_reason(minji, why):
    client = signed_in(*MAY)
    suppressed(why=why)
    before = every_row()
    said = "Nothing is sent to this address already: it is suppressed."
    assert refused(client, STOP, address="MINJI@example.com", why=ASKED) == {"address": [said]}
    assert every_row() == before


def test_a_suppression_is_lifted_with_a_reason_which_the_log_keeps(minji):
    row, other = suppressed(), suppressed(address="jun@example.com")
    client = signed_in(*MAY)
    assert do(client, LIFT, rows=[row.pk], why="she asked for it") == ["These addresses are written to again."]
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.lifted_at, row.note, other.lifted_at) == (NOW, "anymail", None)
    assert contacts.usable(minji.member_id, "email") is not None
    assert logged() == [("sora", str(row.pk), "Lifted: she asked for it")]


def test_the_page_of_a_number_offers_both_channels_and_lifts_those_that_are_chosen(minji):
    sms, alimtalk = (suppressed(channel, "+821012345678", "by_hand") for channel in ("sms", "alimtalk"))
    suppressed()
    client = signed_in(*MAY)
    form = client.get(LIFT, {"rows": sms.pk}).context["form"]
    assert form.fields["rows"].choices == [
        (sms.pk, "SMS, +821012345678: by hand since 2025-03-09"),
        (alimtalk.pk, "KakaoTalk AlimTalk, +821012345678: by hand since 2025-03-09"),
    ]
    assert form["rows"].value() == [sms.pk]
    do(client, LIFT, rows=[sms.pk, alimtalk.pk], why="a new owner, with a contract")
    assert stands() == [("email", "minji@example.com", "complaint", "anymail")]
    assert len(logged()) == 2


def test_what_is_lifted_already_is_refused_and_the_others_stay(minji):
    first, second = suppressed(), suppressed(address="jun@example.com")
    client = signed_in(*MAY)
    do(client, LIFT, rows=[first.pk], why="x")
    before = every_row()
    sent = {"rows": [second.pk, first.pk], "why": "again"}
    assert refused(client, LIFT, **sent) == {"rows": ["E-mail: It is lifted already."]}
    assert every_row() == before
    assert client.get(LIFT, {"rows": first.pk}).status_code == 404


@pytest.mark.parametrize("rows", ["", "x", "-1", "0", "१", "99999999999999999999", "9" * 5_000])
def test_what_is_no_suppression_is_refused(minji, rows):
    suppressed()
    client = signed_in(*MAY)
    before = every_row()
    assert client.get(LIFT, {"rows": rows}).status_code == 404
    assert list(refused(client, LIFT, rows=[rows], why="x")) == ["rows"]
    assert every_row() == before


def test_some_are_chosen_in_the_list_and_lifted_on_the_page_that_asks_why(minji, monkeypatch):
    rows = [suppressed(), suppressed(address="jun@example.com")]
    client = signed_in(*MAY)
    sent = {"action": "lift_chosen", "_selected_action": [row.pk for row in rows]}
    answer = client.post(LIST, sent)
    assert answer.headers["Location"] == f"{LIFT}?rows={rows[1].pk}&rows={rows[0].pk}"
    assert Suppression.objects.filter(lifted_at=None).count() == 2  # not yet
    assert sorted(client.get(answer.headers["Location"]).context["form"]["rows"].value()) == [row.pk for row in rows]
    monkeypatch.setattr(admin_of, "MOST_AT_ONCE", 1)
    page = client.post(LIST, sent, follow=True)
    assert [str(message) for message in page.context["messages"]] == ["Choose at most 1."]


@pytest.mark.parametrize(
    "permissions",
    [
        ("view_suppression",),
        ("view_suppression", "change_suppression", "add_suppression", "record_consent", "stop_sending"),
        ("suppress_address",),
    ],
)
def test_without_the_permission_it_is_neither_offered_nor_done(minji, permissions):
    row = suppressed(address="jun@example.com")
    client = signed_in(*permissions)
    before = every_row()
    for url, sent in ((STOP, {"address": "minji@example.com"}), (LIFT, {"rows": [row.pk]})):
        assert client.get(f"{url}?rows={row.pk}").status_code == 403
        assert client.post(url, sent | {"why": "because"}).status_code == 403
    if "view_suppression" in permissions:
        for url in (LIST, f"{LIST}{row.pk}/change/"):
            page = client.get(url).content.decode()
            assert STOP not in page
            assert LIFT not in page
        client.post(LIST, {"action": "lift_chosen", "_selected_action": [row.pk]})
    assert every_row() == before


def test_nobody_adds_changes_or_deletes_a_row(admin_client, minji):
    row = suppressed()
    before = every_row()
    assert admin_client.get(reverse("admin:alerts_suppression_add")).status_code == 403
    assert admin_client.post(f"{LIST}{row.pk}/change/", {"note": "x"}).status_code == 403
    assert admin_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert every_row() == before


def test_looking_writes_nothing_and_a_form_from_another_site_is_refused(minji):
    row = suppressed()
    client = signed_in(*MAY)
    before = every_row()
    for url in (LIST, f"{LIST}{row.pk}/change/"):
        assert client.get(url).status_code == 200
    for url in (STOP, LIFT):
        assert client.get(url, {"address": "jun@example.com", "why": "x", "rows": str(row.pk)}).status_code == 200
    strict = Client(enforce_csrf_checks=True)
    strict.login(username="sora", password=PASSWORD)
    assert strict.post(STOP, {"address": "jun@example.com", "why": "x"}).status_code == 403
    assert strict.post(LIFT, {"rows": [row.pk], "why": "x"}).status_code == 403
    assert every_row() == before


def test_what_cannot_be_logged_is_not_done_either(admin_client, minji, monkeypatch):
    row = suppressed()

    def refuse(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(admin_of.SuppressionAdmin, "log_change", refuse)
    before = every_row()
    for url, sent in ((STOP, {"address": "jun@example.com"}), (LIFT, {"rows": [row.pk]})):
        with pytest.raises(RuntimeError):
            admin_client.post(url, sent | {"why": "x"})
    assert every_row() == before


def test_lists_and_pages_lead_to_what_can_be_done(minji):
    row, lifted = suppressed(), suppressed(address="jun@example.com")
    suppressions.lift(suppression=lifted, now=NOW)
    client = signed_in(*MAY)
    page = client.get(LIST)
    assert [(url, str(title)) for url, title in page.context["acts"]] == [(STOP, "Suppress an address")]
    body = page.content.decode()
    assert f'<a href="{LIFT}?rows={row.pk}">Lift</a>' in body
    assert f"rows={lifted.pk}" not in body
    assert f'<a href="{LIFT}?rows={row.pk}">Lift</a>' in client.get(f"{LIST}{row.pk}/change/").content.decode()
    assert LIFT not in client.get(f"{LIST}{lifted.pk}/change/").content.decode()


@pytest.mark.parametrize(("may_look", "offered"), [(True, "minji@example.com"), (False, "")])
def test_the_page_of_a_contact_leads_to_its_address_which_stands_in_no_address_bar(minji, may_look, offered):
    contact = minji.member.contacts.get()
    client = signed_in(*MAY, *(["view_contact"] if may_look else []))
    url = f"{STOP}?contact={contact.pk}"
    if may_look:
        assert url in client.get(f"/admin/alerts/contact/{contact.pk}/change/").content.decode()
    assert client.get(url).context["form"]["address"].value() == offered


def test_the_page_of_a_contact_offers_nothing_without_the_permission(minji):
    contact = minji.member.contacts.get()
    page = signed_in("view_contact", "view_suppression", "view_consent").get(
        f"/admin/alerts/contact/{contact.pk}/change/"
    )
    assert STOP not in page.content.decode()
    assert "/admin/alerts/consent/record/" not in page.content.decode()


@pytest.mark.parametrize("pk", ["x", "", "0", "-1", "१", "9" * 30])
def test_what_is_no_contact_offers_no_address(minji, pk):
    client = signed_in(*MAY, "view_contact")
    assert client.get(STOP, {"contact": pk}).context["form"]["address"].value() == ""


def test_an_address_that_was_erased_is_still_found_and_lifted_by_whoever_knows_it(minji):
    contact = minji.member.contacts.get()
    row = suppressed()
    suppressed(address="other@example.com")
    contacts.remove(contact=contact, by=Actor("member", "7"))
    client = signed_in(*MAY)
    found = client.get(LIST, {"q": " Minji@example.com "}).context["cl"].result_list
    assert [each.address[:5] for each in found] == ["hash:"]
    found = client.get(LIST, {"q": "other@example.com"}).context["cl"].result_list
    assert [each.address for each in found] == ["other@example.com"]
    assert len(client.get(LIST).context["cl"].result_list) == 2
    form = client.get(LIFT, {"rows": row.pk}).context["form"]
    assert form.fields["rows"].choices == [(row.pk, "E-mail, an erased address: complaint since 2025-03-09")]
    do(client, LIFT, rows=[row.pk], why="she asked for it")
    assert Suppression.objects.get(pk=row.pk).lifted_at == NOW
