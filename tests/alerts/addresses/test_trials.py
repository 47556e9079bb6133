from __future__ import annotations

from typing import Any

import pytest

from alerts.addresses import suppressions, traces, trials
from alerts.errors import BadInput, NotSent
from alerts.models import SideMessage
from alerts.models.contact import Channel
from alerts.texts.words import Text
from alerts.watch import switches
from ledger.actors import Actor
from tests import alert_builders
from tests.builders import NOW
from tests.windows import sign_in_of

TEXT = Text("Your points", "1,200 P", "<p>1,200 P</p>", "APPROVED")


class Post(dict):
    """Channels that keep what they are given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.fails = False

    def __missing__(self, channel: str) -> Any:
        post = self

        class Way:
            def send(self, message: Any) -> None:
                if post.fails:
                    raise NotSent("closed")
                post.sent.append((channel, message))

        return Way()


@pytest.fixture
def post() -> Post:
    return Post()


def send(post, user, to: str, *, channel: str = "email", text: Text = TEXT) -> Any:
    trials.send(to=to, channel=channel, language="ko", text=text, user_id=user.pk, channels=post, now=NOW)
    return post.sent[-1][1]


def refused(post, user, to: str, **more: Any) -> str:
    with pytest.raises(BadInput) as refusal:
        send(post, user, to, **more)
    assert (refusal.value.field, post.sent) == ("to", [])
    return refusal.value.detail


def test_an_email_is_marked_in_its_subject_and_goes_to_an_own_verified_address(minji, post):
    message = send(post, sign_in_of(minji), " minji@EXAMPLE.com ")
    assert (message.to, message.text.subject, message.text.text) == (
        "minji@example.com",
        "[TEST] Your points",
        "1,200 P",
    )
    assert message.unsubscribe == ""


def test_an_sms_is_marked_in_its_text_and_an_alimtalk_goes_as_it_was_approved(minji, post):
    user = sign_in_of(minji)
    alert_builders.phone(minji)
    alert_builders.phone(minji, channel=Channel.ALIMTALK)
    assert send(post, user, "010-1234-5678", channel="sms").text.text == "[TEST] 1,200 P"
    assert send(post, user, "010-1234-5678", channel="alimtalk").text == TEXT
    assert [(channel, message.to) for channel, message in post.sent] == [
        ("sms", "+821012345678"),
        ("alimtalk", "+821012345678"),
    ]


def test_whoever_is_not_on_the_list_gets_nothing(minji, post, settings):
    user = sign_in_of(minji)
    rule = "A test goes only to an address on the allow-list (SANDBOX_ALLOW), or to your own verified address."
    assert refused(post, user, "jun@example.com") == rule
    assert refused(post, user, "") == rule
    assert refused(post, user, "+821012345678", channel="sms") == rule
    assert refused(post, user, "minji", channel="sms") == "This is no telephone number."
    settings.SANDBOX_ALLOW = ["Jun@example.com", "+821012345678"]
    assert send(post, user, "jun@example.com").to == "jun@example.com"
    assert send(post, user, "010-1234-5678", channel="sms").to == "+821012345678"


def test_an_sms_that_the_mark_makes_too_long_is_refused(minji, post):
    alert_builders.phone(minji)
    text = Text("", "가" * 1_000, "")
    assert "2007 bytes" in refused(post, sign_in_of(minji), "010-1234-5678", channel="sms", text=text)


def test_no_test_goes_through_a_stopped_transport(minji, post):
    user = sign_in_of(minji)
    switches.stop_transport(name="smtp", by=Actor("staff", "3"), why="bounces", now=NOW)
    rule = "The transport “smtp” is stopped: no test goes out before somebody lets it go on."
    assert refused(post, user, "minji@example.com") == rule
    alert_builders.phone(minji)
    assert send(post, user, "010-1234-5678", channel="sms").to == "+821012345678"  # another carries it


def test_no_test_goes_where_somebody_complained(minji, post, settings):
    user = sign_in_of(minji)
    suppressions.add(channel="email", address="minji@example.com", why="hard_bounce", now=NOW)
    send(post, user, "minji@example.com")
    post.sent.clear()
    suppressions.add(channel="email", address="minji@example.com", why="complaint", now=NOW)
    rule = "This address is suppressed for a complaint, or by hand: no test goes there."
    assert refused(post, user, "Minji@example.com") == rule
    assert SideMessage.objects.count() == 1


def test_its_key_is_kept_with_the_trace_of_its_address(minji, post, settings):
    settings.SANDBOX_ALLOW = ["jun@example.com", "minji@example.com"]
    user = sign_in_of(minji)
    own, listed = (send(post, user, f"{name}@example.com") for name in ("minji", "jun"))
    rows = SideMessage.objects.order_by("contact")  # those without come last
    assert [(row.key, row.contact, row.address_trace, row.at) for row in rows] == [
        (own.key, minji.member.contacts.get(), traces.trace("minji@example.com"), NOW),
        (listed.key, None, traces.trace("jun@example.com"), NOW),
    ]
    post.fails = True
    with pytest.raises(NotSent):
        send(post, user, "jun@example.com")
    assert SideMessage.objects.count() == 2
