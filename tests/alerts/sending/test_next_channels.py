"""After a definite failure the next channel; after anything else none."""

from datetime import time, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from alerts.addresses import contacts, suppressions
from alerts.channels import Accepted
from alerts.errors import NotSent, Rejected, Throttled, Unknown
from alerts.models import Contact, Delivery, ProviderEvent, Reminder, ReminderRule, Suppression, TellingRules
from alerts.models.contact import Channel
from alerts.rules import programme_rules
from alerts.sending import deliveries, leases, receipts
from alerts.sending.next_channels import follow
from alerts.sending.retries import MOST_CALLS
from ledger.models import Notice
from tests import alert_builders, builders
from tests.alert_builders import before, by_channels, on_channels, plan, the_delivery
from tests.alerts.carrier import can

NOW = before(60)
LATER = NOW + timedelta(seconds=1)


def deliver(now=NOW):
    return deliveries.deliver(now=now, limit=100)


@pytest.fixture
def minji(minji, byeol):
    """Minji can be told on all three channels."""
    alert_builders.alimtalk_words(byeol)
    alert_builders.phone(minji)
    alert_builders.phone(minji, channel=Channel.ALIMTALK)
    return minji


@pytest.fixture
def planned(minji, byeol):
    """AlimTalk first, then SMS, then e-mail."""
    by_channels(byeol, "alimtalk", "sms", "email")
    plan(NOW)
    return minji


def test_what_is_rejected_is_followed_by_the_next_channel_at_once(planned, carrier):
    carrier.answers = [Rejected(), Accepted()]
    deliver()
    assert on_channels() == [("alimtalk", "failed", "refused"), ("sms", "accepted", "")]
    assert len(carrier.taken) == 1
    assert {one.programme_id for one in Delivery.objects.all()} == {planned.programme_id}  # in one queue


def test_each_channel_is_tried_once_and_then_no_more(planned, carrier):
    carrier.answers = [Rejected()]
    for _ in range(3):
        deliver()
    assert [channel for channel, _, _ in on_channels()] == ["alimtalk", "sms", "email"]
    assert len(carrier.calls) == 3


def test_a_channel_on_which_the_member_cannot_be_reached_is_passed_over(planned, carrier):
    contacts.refuse(contact=planned.member.contacts.get(channel="sms"), now=NOW)
    carrier.answers = [Rejected(), Accepted()]
    deliver()
    assert on_channels() == [("alimtalk", "failed", "refused"), ("email", "accepted", "")]


def test_a_number_that_is_suppressed_between_plan_and_sending_is_followed_by_the_next_channel(planned, carrier):
    Suppression.objects.create(channel="alimtalk", address="+821012345678", why="complaint", at=NOW)
    deliver()
    assert on_channels() == [("alimtalk", "skipped", "suppressed"), ("sms", "accepted", "")]


@pytest.mark.parametrize("transport", ["solapi", "nhn"])
def test_a_number_that_its_transport_never_carried_to_is_followed_by_the_next_channel(
    planned, carrier, settings, transport
):
    """The number was entered under another transport."""
    Contact.objects.filter(channel="sms").update(address="+14155552671")
    Contact.objects.filter(channel="alimtalk").delete()
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": transport}
    deliver()
    assert on_channels() == [
        ("alimtalk", "skipped", "no_contact"),
        ("sms", "failed", "refused"),
        ("email", "accepted", ""),
    ]
    assert [message.to for message in carrier.calls] == ["minji@example.com"]
    (tried,) = Delivery.objects.get(channel="sms").tries.all()
    assert (tried.outcome, tried.code) == ("rejected", "not_korean")
    assert Contact.objects.get(channel="sms").refused_at is None  # another transport may carry to it


def test_what_is_not_worth_sending_is_followed_by_nothing(planned, carrier):
    builders.redeem(planned, 1_200, now=NOW)
    deliver()
    assert on_channels() == [("alimtalk", "skipped", "redeemed")]


def test_calls_that_are_used_up_are_followed_by_the_next_channel(planned, carrier):
    TellingRules.objects.create(programme=planned.programme, open_from=time(), open_until=time())  # at any hour
    carrier.answers = [Throttled()]
    now = NOW
    for _ in range(MOST_CALLS):
        deliver(now)
        now = Delivery.objects.get(channel="alimtalk").next_attempt_at
    first, second = on_channels()
    assert first == ("alimtalk", "dead", "exhausted")
    assert second[:2] == ("sms", "pending")


@pytest.mark.parametrize("error", [Throttled(), NotSent(), NotSent(transport_down=True)])
def test_what_will_be_tried_again_is_followed_by_nothing(planned, carrier, error):
    carrier.answers = [error]
    deliver()
    assert on_channels() == [("alimtalk", "pending", "")]


def test_where_the_provider_falls_back_to_sms_itself_we_send_none(planned, carrier):
    carrier.can = can(falls_back_itself=True)
    deliver()
    assert bounce(the_delivery(), "undelivered", now=LATER) == 1
    deliver(LATER)
    assert on_channels() == [("alimtalk", "undelivered", ""), ("email", "accepted", "")]


def test_what_the_provider_never_took_it_does_not_send_as_sms_either(planned, carrier):
    carrier.can = can(falls_back_itself=True)
    carrier.answers = [Rejected("the template is not approved"), Accepted()]
    deliver()
    assert on_channels() == [("alimtalk", "failed", "refused"), ("sms", "accepted", "")]
    assert [message.falls_back for message in carrier.calls] == [True, False]


def test_nor_what_it_put_off_until_its_calls_were_used_up(planned, byeol, carrier):
    TellingRules.objects.create(programme=byeol, open_from=time(), open_until=time())
    carrier.can = can(falls_back_itself=True)
    carrier.answers = [*[Throttled()] * MOST_CALLS, Accepted()]
    now = NOW
    for _ in range(MOST_CALLS):
        assert Delivery.objects.count() == 1
        deliver(now)
        now = the_delivery().next_attempt_at if Delivery.objects.count() == 1 else now
    deliver(now)
    assert on_channels() == [("alimtalk", "dead", "exhausted"), ("sms", "accepted", "")]


def test_what_the_provider_may_have_taken_it_may_send_as_sms(planned, carrier):
    """The call before timed out; the refusal is about another one."""
    carrier.can = can(falls_back_itself=True, idempotent_for=timedelta(minutes=10))
    carrier.answers = [Unknown(answer="timeout"), Rejected(), Accepted()]
    deliver()
    later = NOW + timedelta(minutes=1)
    deliveries.reap(now=later, limit=10)
    deliver(later)
    assert on_channels() == [("alimtalk", "failed", "refused"), ("email", "accepted", "")]


def test_a_refusal_after_a_call_of_which_nobody_knows_is_followed_by_nothing(minji, byeol, carrier):
    """A mail server that takes a message twice refuses the second one as a duplicate: the member has the first."""
    by_channels(byeol, "email", "sms")
    plan(NOW)
    carrier.can = can(send_again_after_unknown=True)
    carrier.answers = [Unknown(answer="timeout"), Rejected("duplicate message", answer="554"), Accepted()]
    deliver()
    later = NOW + timedelta(minutes=1)
    deliveries.reap(now=later, limit=10)
    deliver(later)
    deliver(later)
    assert on_channels() == [("email", "failed", "refused")]
    assert len(carrier.calls) == 2


def test_where_the_provider_was_not_let_our_sms_follows(planned, carrier):
    """The number was suppressed for SMS when the AlimTalk went out, and is let go before it comes back."""
    carrier.can = can(falls_back_itself=True)
    suppression = suppressions.add(channel="sms", address="+821012345678", why="by_hand", now=NOW)
    deliver()
    assert [message.falls_back for message in carrier.calls] == [False]
    suppressions.lift(suppression=suppression, now=NOW)
    assert bounce(the_delivery(), "undelivered", now=LATER) == 1
    assert on_channels() == [("alimtalk", "undelivered", ""), ("sms", "pending", "")]


def test_where_it_was_let_none_of_ours_follows_though_it_would_not_be_let_now(planned, carrier, byeol):
    """What was decided counts: the provider has sent its SMS by now."""
    carrier.can = can(falls_back_itself=True)
    deliver()
    assert [message.falls_back for message in carrier.calls] == [True]
    by_channels(byeol, "alimtalk", "sms", "email", at_once=2)
    assert bounce(the_delivery(), "undelivered", now=LATER) == 1
    assert on_channels() == [("alimtalk", "undelivered", ""), ("email", "pending", "")]


def test_an_alimtalk_without_the_code_of_an_approved_template_is_followed_by_the_next_channel(carrier, moa):
    account = alert_builders.member(moa, "sora", 100)
    programme_rules.remind(programme=moa, offset_days=60, channels=[Channel.ALIMTALK, Channel.SMS])
    alert_builders.phone(account)
    alert_builders.phone(account, channel=Channel.ALIMTALK)
    plan(NOW)
    deliver()
    assert on_channels() == [("alimtalk", "skipped", "no_words"), ("sms", "accepted", "")]
    assert [message.to for message in carrier.calls] == ["+821012345678"]


def test_of_two_channels_at_once_the_one_that_fails_is_replaced_and_the_other_is_not(minji, byeol, carrier):
    by_channels(byeol, "alimtalk", "sms", "email", at_once=2)
    plan(NOW)
    carrier.answers = [Rejected(), Accepted()]
    deliver()
    assert sorted(status for _, status, _ in on_channels()) == ["accepted", "accepted", "failed"]
    assert len({channel for channel, _, _ in on_channels()}) == 3


def test_a_rule_that_was_removed_is_followed_by_nothing(planned):
    ReminderRule.objects.all().delete()
    (delivery,) = Delivery.objects.all()
    Delivery.objects.update(status="failed")
    with transaction.atomic():
        assert follow(delivery, now=NOW) is None


@pytest.mark.django_db(transaction=True)
def test_asked_for_by_six_at_once_one_message_follows(carrier):
    programme = alert_builders.byeol()
    account = alert_builders.minji(programme)
    alert_builders.phone(account)
    builders.grant(account, 5)
    by_channels(programme, "sms", "email")
    plan(NOW)
    delivery = alert_builders.the_delivery()
    Delivery.objects.update(status="failed")
    ready, made = Barrier(6), []

    def ask() -> None:
        ready.wait(60)
        with transaction.atomic():
            made.append(follow(delivery, now=NOW + timedelta(seconds=1)))
        connection.close()

    threads = [Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made, key=str) == [None] * 5 + ["email"]
    assert [channel for channel, _, _ in on_channels()] == ["sms", "email"]


# --- Another address on the same channel


def resent():
    """(channel, how often resent, status, reason) of all deliveries, in the order in which they were made."""
    rows = Delivery.objects.order_by("created_at", "channel", "resend_no")
    return list(rows.values_list("channel", "resend_no", "status", "why"))


def addresses(carrier):
    return [message.to for message in carrier.calls]


def bounce(delivery, kind="bounced", now=NOW):
    ProviderEvent.objects.create(
        transport="carrier",
        event_key=f"{delivery.pk}:{kind}",
        kind=kind,
        our_key=str(delivery.pk),
        occurred_at=NOW,
        received_at=NOW,
        raw="{}",
    )
    return receipts.match(now=now, limit=10)


@pytest.fixture
def two(minji, byeol):
    """Minji has two e-mail addresses; an SMS would follow."""
    alert_builders.email(minji, "second@example.com")
    by_channels(byeol, "email", "sms")
    plan(NOW)
    return minji


def test_an_address_that_is_refused_is_followed_by_the_other_one_on_the_same_channel(two, carrier):
    carrier.answers = [Rejected(bad_address=True), Accepted()]
    deliver()
    assert addresses(carrier) == ["minji@example.com", "second@example.com"]
    assert resent() == [("email", 0, "failed", "refused"), ("email", 1, "accepted", "")]
    assert Contact.objects.filter(refused_at__gte=NOW).get().address == "minji@example.com"


def test_so_is_one_that_is_refused_though_it_is_not_said_to_be_the_address(two, carrier):
    carrier.answers = [Rejected(), Accepted()]
    deliver()
    assert addresses(carrier) == ["minji@example.com", "second@example.com"]
    assert not Contact.objects.filter(refused_at__isnull=False).exists()


def test_so_is_one_that_bounced(two, carrier):
    deliver()
    bounce(the_delivery())
    assert resent() == [("email", 0, "undelivered", ""), ("email", 1, "pending", "")]
    assert two.lots.get().gated
    deliver()
    assert addresses(carrier) == ["minji@example.com", "second@example.com"]
    assert resent()[1] == ("email", 1, "accepted", "")
    assert not two.lots.get().gated  # told by the second one
    assert Suppression.objects.get().address == "minji@example.com"


def test_when_no_address_is_left_the_next_channel_follows_and_no_address_has_two(two, carrier):
    carrier.answers = [Rejected()]
    for _ in range(3):
        deliver()
    assert addresses(carrier) == ["minji@example.com", "second@example.com", "+821012345678"]
    assert resent() == [
        ("email", 0, "failed", "refused"), ("email", 1, "failed", "refused"), ("sms", 0, "failed", "refused"),
    ]  # fmt: skip


def test_a_second_bounce_of_the_first_message_is_followed_by_nothing_more(two, carrier):
    deliver()
    bounce(the_delivery())
    first = Delivery.objects.get(resend_no=0)
    bounce(first, "undelivered")
    with transaction.atomic():
        assert follow(first, now=NOW) is None
    assert resent() == [("email", 0, "undelivered", ""), ("email", 1, "pending", "")]


def test_the_same_address_in_other_letters_is_no_other_address(minji, byeol, carrier):
    alert_builders.email(minji, "MINJI@example.com")
    by_channels(byeol, "email", "sms")
    plan(NOW)
    carrier.answers = [Rejected(), Accepted()]
    deliver()
    assert addresses(carrier) == ["minji@example.com", "+821012345678"]
    assert resent() == [("email", 0, "failed", "refused"), ("sms", 0, "accepted", "")]


def test_an_address_that_is_not_the_members_yet_or_refuses_us_is_passed_over(minji, byeol, carrier):
    contacts.put(member=minji.member, address="new@example.com", language="ko", verified=False, now=NOW)
    contacts.refuse(contact=alert_builders.email(minji, "old@example.com"), now=NOW)
    by_channels(byeol, "email", "sms")
    plan(NOW)
    carrier.answers = [Rejected(), Accepted()]
    deliver()
    assert addresses(carrier) == ["minji@example.com", "+821012345678"]


def test_an_address_that_was_corrected_is_another_one(minji, byeol, carrier):
    by_channels(byeol, "email", "sms")
    plan(NOW)
    deliver()
    contact = Contact.objects.get(channel="email")
    contact.address = "right@example.com"
    contacts.rewrite(contact=contact, now=NOW)
    bounce(the_delivery())
    deliver()
    assert addresses(carrier) == ["minji@example.com", "right@example.com"]
    assert resent() == [("email", 0, "undelivered", ""), ("email", 1, "accepted", "")]


def test_where_only_an_address_that_was_tried_is_left_at_the_moment_of_sending_the_next_channel_follows(two, carrier):
    deliver()
    bounce(the_delivery(), "undelivered")  # says nothing of the address: it may be written to again, another time
    contacts.erase(contact=Contact.objects.get(address="second@example.com"))
    assert contacts.usable(two.member_id, "email") is not None
    deliver()
    assert addresses(carrier) == ["minji@example.com", "+821012345678"]
    assert resent() == [
        ("email", 0, "undelivered", ""), ("email", 1, "skipped", "no_contact"), ("sms", 0, "accepted", ""),
    ]  # fmt: skip


def test_an_address_that_was_erased_and_entered_anew_is_not_tried_again(two, carrier):
    deliver()
    contacts.erase(contact=Contact.objects.get(address="minji@example.com"))
    contacts.erase(contact=Contact.objects.get(address="second@example.com"))
    alert_builders.email(two, "Minji@example.com")
    bounce(the_delivery(), "undelivered")
    deliver()
    assert addresses(carrier) == ["minji@example.com", "+821012345678"]
    assert [channel for channel, *_ in resent()] == ["email", "sms"]


def test_after_what_nobody_knows_no_other_address_is_told(two, carrier):
    carrier.answers = [Unknown()]
    deliver()
    assert resent() == [("email", 0, "unknown", "")]
    with transaction.atomic():
        assert follow(the_delivery(), now=NOW) is None
    assert resent() == [("email", 0, "unknown", "")]


def test_nor_when_one_of_its_calls_may_have_been_taken(two, carrier):
    carrier.can = can(send_again_after_unknown=True)
    carrier.answers = [Unknown(), Rejected(), Accepted()]
    deliver()
    deliveries.reap(now=NOW + timedelta(minutes=10), limit=10)
    deliver(NOW + timedelta(minutes=10))
    assert addresses(carrier)[:2] == ["minji@example.com"] * 2
    assert "second@example.com" not in addresses(carrier)


def test_of_two_channels_at_once_the_other_address_takes_the_place_of_the_one_that_failed(two, byeol, carrier):
    Delivery.objects.all().delete()
    by_channels(byeol, "email", "sms", "alimtalk", at_once=2)
    Reminder.objects.update(fanned_out_at=None)
    plan(NOW)
    carrier.answers = [Rejected(), Accepted()]
    Delivery.objects.filter(channel="sms").update(next_attempt_at=NOW + timedelta(seconds=1))
    deliver()
    deliver(NOW + timedelta(seconds=1))
    assert sorted(resent()) == [
        ("email", 0, "failed", "refused"), ("email", 1, "accepted", ""), ("sms", 0, "accepted", ""),
    ]  # fmt: skip


def test_calls_that_are_used_up_are_followed_by_the_other_address_first(two, carrier):
    carrier.answers = [Throttled()]
    Delivery.objects.update(attempts=MOST_CALLS - 1)
    deliver()
    assert resent() == [("email", 0, "dead", "exhausted"), ("email", 1, "pending", "")]
    carrier.answers = [Accepted()]
    deliver()
    assert addresses(carrier) == ["minji@example.com", "second@example.com"]


@pytest.mark.parametrize("again", [False, True])
def test_of_a_message_from_before_traces_were_kept_its_contact_is_what_was_tried(two, carrier, again):
    deliver()
    Delivery.objects.update(address_trace="")
    if again:  # then an address cannot be told from another
        contact = Contact.objects.get(address="minji@example.com")
        contact.address = "right@example.com"
        contacts.rewrite(contact=contact, now=NOW)
    bounce(the_delivery(), "undelivered")
    deliver()
    assert addresses(carrier) == ["minji@example.com", "second@example.com"]


@pytest.mark.django_db(transaction=True)
def test_an_address_that_is_erased_just_before_the_call_holds_up_no_other(carrier, monkeypatch):
    programme = alert_builders.byeol()
    for n in range(4):
        alert_builders.member(programme, f"m-{n}", 100)
    plan(NOW)
    begun = leases.begin
    seen = []

    def erase_before_the_second(call, **more):
        (saying,) = call
        seen.append(saying.said.contact.pk)
        if len(seen) == 2:
            contacts.erase(contact=Contact.objects.get(pk=saying.said.contact.pk))
        return begun(call, **more)

    monkeypatch.setattr(leases, "begin", erase_before_the_second)
    deliver()
    assert sorted(Delivery.objects.values_list("status", "why", "attempts")) == [
        *[("accepted", "", 1)] * 3,
        ("skipped", "no_contact", 0),
    ]
    assert len(carrier.calls) == 3
    assert Notice.objects.count() == 3
