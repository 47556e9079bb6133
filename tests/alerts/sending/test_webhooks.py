"""Reports of the fake providers, as they come: signed or not, whole or half, once or often, in any order."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alerts.errors import BadInput, BadSignature, UnknownTransport
from alerts.fakes.journal import Taken
from alerts.models import ProviderEvent
from alerts.sending import webhooks
from tests.alerts.channels.conftest import KEY, SECRETS, fake, point, sender

__all__ = ["fake", "sender"]

NOW = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)
CALLS_BACK = f"http://testserver/hooks/twilio/?key={KEY}"
TAKEN = [
    Taken("solapi", "sms", "M1", str(KEY), "01012345678", "text", "", "SMS"),
    Taken("nhn", "alimtalk", "R1", str(KEY), "01012345678", "text", "", "raw-messages"),
    Taken("twilio", "sms", "SM1", str(KEY), "+14155552671", "text", "", "SMS", CALLS_BACK),
    Taken("anymail", "email", "P1", str(KEY), "minji@example.com", "text", "", "email"),
]
every = pytest.mark.parametrize("taken", TAKEN, ids=[taken.provider for taken in TAKEN])
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def providers(settings):
    point(settings, "http://127.0.0.1:9")


def receive(taken, posted):
    return webhooks.receive(
        transport=taken.provider, headers=posted.headers, body=posted.body, query=posted.query, now=NOW
    )


@every
def test_a_signed_report_is_stored_as_it_came_but_without_addresses(taken, sender):
    assert receive(taken, sender.report(taken)) == 1
    event = ProviderEvent.objects.get()
    assert (event.transport, event.kind) == (taken.provider, "delivered")
    assert (event.provider_id, event.our_key) == (taken.number, str(KEY))
    assert (event.received_at, event.occurred_at, event.matched_at) == (NOW, NOW, None)  # never later than now
    assert taken.number in event.raw
    assert taken.to not in event.raw
    assert "…" in event.raw or taken.provider == "nhn"  # whose report names nobody


@every
def test_reports_about_two_people_stay_two_though_their_addresses_are_masked(taken, sender):
    for to in (taken.to, taken.to.replace("minji", "jun")[:-1] + "9"):
        receive(taken, sender.report(replace(taken, number=f"{taken.number}-{to[-1]}", to=to)))
    assert ProviderEvent.objects.count() == 2


@every
def test_a_report_that_came_back_says_so(taken, sender):
    receive(taken, sender.report(taken, arrived=False))
    assert ProviderEvent.objects.get().kind == ("bounced" if taken.provider == "anymail" else "undelivered")


@every
def test_the_same_report_any_number_of_times_is_one_row(taken, sender):
    posted = sender.report(taken)
    assert [receive(taken, posted) for _time in range(3)] == [1, 0, 0]
    assert ProviderEvent.objects.count() == 1


@every
def test_reports_come_in_any_order(taken, sender):
    back, arrived = sender.report(taken, arrived=False), sender.report(taken)
    for posted in (back, arrived, back):
        receive(taken, posted)
    assert ProviderEvent.objects.count() == 2


@every
def test_an_unsigned_report_is_refused_and_nothing_is_stored(taken, sender):
    with pytest.raises(BadSignature):
        receive(taken, sender.report(taken, unsigned=True))
    wrong = replace(sender, secrets=replace(SECRETS, solapi="x", nhn="x", twilio="x", anymail="x:y"))
    with pytest.raises(BadSignature):
        receive(taken, wrong.report(taken))
    assert not ProviderEvent.objects.exists()


@every
def test_without_a_secret_in_the_settings_nothing_is_believed(taken, sender, settings):
    settings.SOLAPI = settings.SOLAPI | {"webhook_secret": ""}
    settings.NHN = settings.NHN | {"webhook_signature": ""}
    settings.TWILIO = settings.TWILIO | {"auth_token": ""}
    settings.ANYMAIL = settings.ANYMAIL | {"WEBHOOK_SECRET": ""}
    empty = replace(sender, secrets=replace(SECRETS, solapi="", nhn="", twilio="", anymail=":"))
    with pytest.raises(BadSignature):
        receive(taken, empty.report(taken))


@every
def test_half_a_body_is_refused_and_nothing_is_stored(taken, sender):
    posted = sender.report(taken)
    half = replace(posted, body=posted.body[: len(posted.body) // 2])
    with pytest.raises((BadInput, BadSignature)):  # a signature over the body is wrong for half of it
        receive(taken, half)
    assert not ProviderEvent.objects.exists()


def test_one_odd_event_in_a_report_is_kept_beside_the_others(sender):
    posted = sender.report(TAKEN[0])
    body = json.dumps([*json.loads(posted.body), {"to": "01012345678", "text": "김민지님"}]).encode()
    for new in (2, 0):
        assert receive(TAKEN[0], replace(posted, body=body)) == new
    good, odd = ProviderEvent.objects.order_by("kind")
    assert (good.kind, good.provider_id, good.our_key) == ("delivered", "M1", str(KEY))
    assert (odd.kind, odd.provider_id, odd.our_key) == ("other", "", "")
    assert json.loads(odd.raw) == {"to": "…", "text": "…"}


CUT = "잘린 글 \ud83d"  # within an emoji
MENDED = "잘린 글 \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("taken", "event"),
    [
        (TAKEN[0], lambda body: body[0]),
        (TAKEN[1], lambda body: body["hooks"][0]),
        (TAKEN[3], lambda body: body),
    ],
    ids=["solapi", "nhn", "anymail"],
)
def test_a_text_that_was_cut_within_an_emoji_is_mended_and_its_report_counts(sender, taken, event):
    posted = sender.report(taken)
    body = json.loads(posted.body)
    event(body)["words"] = CUT
    if "hookId" in event(body):
        event(body)["hookId"] = CUT
    cut = replace(posted, body=json.dumps(body).encode())
    assert b"\\ud83d" in cut.body
    assert [receive(taken, cut) for _time in range(2)] == [1, 0]
    stored = ProviderEvent.objects.get()
    assert (stored.kind, stored.provider_id, stored.our_key) == ("delivered", taken.number, str(KEY))
    assert json.loads(stored.raw)["words"] == MENDED


@pytest.mark.parametrize("name", ["pigeon", "smtp", "sandbox"])
def test_a_transport_that_is_none_or_never_reports_is_refused(name):
    with pytest.raises(UnknownTransport):
        webhooks.receive(transport=name, headers={}, body=b"[]", now=NOW)


def test_a_body_beyond_all_measure_is_refused():
    with pytest.raises(BadInput):
        webhooks.receive(transport="solapi", headers={}, body=b" " * (webhooks.MOST_BYTES + 1), now=NOW)
