"""Whose fault Twilio's codes are, and what a report says of a number."""

from urllib.parse import urlencode

import pytest

from alerts.channels import Hook, Kind, open_channel
from alerts.channels.twilio import TwilioChannel, callback_url, signature
from alerts.errors import NotSent, Rejected, Throttled
from alerts.fakes import providers
from tests.alerts.channels.conftest import KEY, message, point


@pytest.fixture
def answers(fake, settings, monkeypatch):
    """What the fake answers with instead of the provider's own."""

    def answer(code):
        settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "twilio"}
        said = providers.Answer(400, {"code": code, "message": "so it is"})
        monkeypatch.setattr(providers, "answer", lambda asked, journal: said)
        with open_channel("sms") as channel:
            return channel.send(message("sms"))

    return answer


@pytest.mark.parametrize("code", [20003, 21212, 21603, 21606, 21659, 21660, 21661, 30002, 10001, 21608])
def test_our_own_fault_costs_nobody_a_message_and_stops_the_transport(answers, code):
    with pytest.raises(NotSent) as raised:
        answers(code)
    assert (raised.value.answer, raised.value.transport_down) == (str(code), True)


def test_a_country_that_is_not_permitted_stops_no_other(answers):
    with pytest.raises(NotSent) as raised:
        answers(21408)
    assert (raised.value.answer, raised.value.transport_down) == ("21408", False)


@pytest.mark.parametrize(("code", "seconds"), [(63038, 3_600), (21611, 60)])
def test_more_than_it_takes_leaves_it_alone(answers, code, seconds):
    with pytest.raises(Throttled) as raised:
        answers(code)
    assert (raised.value.retry_after.total_seconds(), raised.value.of_transport) == (seconds, True)


@pytest.mark.parametrize(
    ("code", "bad"), [(21211, True), (21610, True), (21614, True), (21635, True), (21617, False), (99999, False)]
)
def test_what_is_about_one_message_or_is_not_known_refuses_that_one_alone(answers, code, bad):
    with pytest.raises(Rejected) as raised:
        answers(code)
    assert (raised.value.answer, raised.value.bad_address) == (str(code), bad)


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        *(("undelivered", "30005", Kind.BOUNCED), ("failed", "30005", Kind.BOUNCED)),
        ("undelivered", "30003", Kind.UNDELIVERED),  # off, or out of reach
        ("undelivered", "30006", Kind.UNDELIVERED),  # a landline, or a network that takes no short code
        ("failed", "", Kind.UNDELIVERED),
        *(("delivered", "", Kind.DELIVERED), ("delivered", "30005", Kind.DELIVERED), ("sent", "30005", Kind.OTHER)),
    ],
)
def test_a_number_that_may_no_longer_exist_is_dead(settings, status, error, kind):
    point(settings, "http://127.0.0.1:9")
    fields = [("MessageSid", "SM1"), ("MessageStatus", status)] + ([("ErrorCode", error)] if error else [])
    query = f"key={KEY}"
    signed = {"x-twilio-signature": signature(callback_url(query), fields)}
    (report,) = TwilioChannel.reports(Hook(signed, urlencode(fields).encode(), query))
    assert (report.kind, report.key) == (kind, str(KEY))
