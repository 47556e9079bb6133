import pytest

from alerts.addresses import consents
from portal.reaching.forms import CodeForm, PreferencesForm
from tests.builders import NOW
from tests.portal.reaching.conftest import say


def form(account, reached_by=("email",), **sent):
    return PreferencesForm(
        sent or None, words=consents.newest_words(account.member_id), reached_by=set(reached_by), now=NOW
    )


def test_the_boxes_show_what_is_in_force(account):
    say(account, "notice", False, channel="sms")
    say(account, "advertising", True)
    fresh = form(account)
    ticked = {name for name, field in fresh.fields.items() if field.initial}
    assert ticked == {"email_notice", "email_advertising", "alimtalk_notice"}
    assert "sure" in fresh.fields


def no_to(*channels: str) -> dict[str, str]:
    """What is sent when these boxes, which were ticked, are so no more, and the others still are."""
    sent = {f"initial-{channel}_notice": "True" for channel in ("email", "sms", "alimtalk")}
    return sent | {f"{channel}_notice": "on" for channel in ("email", "sms", "alimtalk") if channel not in channels}


@pytest.mark.parametrize(
    ("reached_by", "channels", "asks"),
    [
        (["email"], ["email"], True),
        (["email"], ["sms", "alimtalk"], False),
        (["email", "sms"], ["email"], False),
        (["email", "sms"], ["email", "sms"], True),
        ([], ["email", "sms"], False),
        ([], ["email", "sms", "alimtalk"], True),
    ],
)
def test_it_asks_for_a_second_word_where_no_notice_would_reach_the_member(account, reached_by, channels, asks):
    sent = form(account, reached_by, **no_to(*channels))
    assert sent.is_valid() is not asks
    assert sent.asks_if_sure is asks
    assert form(account, reached_by, **no_to(*channels), sure="on").is_valid()


def test_whoever_gets_nothing_already_is_not_asked_again(account):
    sent = {"initial-email_notice": "False", "initial-sms_advertising": "False", "sms_advertising": "on"}
    changed = form(account, **sent)
    assert changed.is_valid()
    assert changed.said() == {("sms", "advertising"): True}


@pytest.mark.parametrize("code", ["12345", "1234567", "12345x", "१२३४५६", ""])
def test_what_cannot_be_a_code_is_refused(code):
    assert "code" in CodeForm({"code": code}).errors


def test_a_code_may_be_written_with_spaces():
    sent = CodeForm({"code": " 123 456 "})
    assert sent.is_valid()
    assert sent.cleaned_data["code"] == "123456"
