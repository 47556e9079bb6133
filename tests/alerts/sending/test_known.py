"""What is known of a claim: read together, good for a moment, and then read again."""

from datetime import timedelta

import pytest

from alerts.addresses import contacts
from alerts.errors import CannotBeWritten, Rejected
from alerts.models import Delivery
from alerts.sending import deliveries, known
from alerts.watch import switches
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.alert_builders import before, plan

NOW = before(60)
STAFF = Actor("staff", "3")


@pytest.fixture
def three(minji, byeol, carrier):
    """Three members whose messages are claimed together, in this order."""
    accounts = [minji, alert_builders.member(byeol, "jun", 100), alert_builders.member(byeol, "sora", 50)]
    plan(NOW)
    for number, account in enumerate(accounts):
        own = Delivery.objects.filter(reminder__account=account)
        own.update(next_attempt_at=NOW - timedelta(minutes=10 - number))
    return accounts


def told():
    return list(Delivery.objects.order_by("next_attempt_at").values_list("status", "points_told"))


def test_a_claim_is_read_with_the_same_few_statements_however_many_are_in_it(three, django_assert_num_queries):
    claimed = deliveries.claim(now=NOW, limit=10)
    assert len(claimed) == 3
    for some in (claimed[:1], claimed):
        with django_assert_num_queries(3):
            assert len(known.read(some, now=NOW).lots) == len(some)


def test_an_alimtalk_has_words_only_with_the_code_of_an_approved_template(byeol, django_assert_num_queries):
    found = known.Known(NOW, {}, {})
    with pytest.raises(CannotBeWritten) as refused:
        found.words(byeol.pk, "alimtalk", "ko")
    assert refused.value.field == "provider_code"
    with django_assert_num_queries(0), pytest.raises(CannotBeWritten):  # nor is it asked for again for each message
        found.words(byeol.pk, "alimtalk", "ko")
    alert_builders.alimtalk_words(byeol, "ko")
    later = known.Known(NOW, {}, {})
    assert later.words(byeol.pk, "alimtalk", "ko").provider_code == "points-ko"
    with pytest.raises(CannotBeWritten):
        later.words(byeol.pk, "alimtalk", "en")
    assert later.words(byeol.pk, "sms", "ko").provider_code == ""


def test_what_is_known_is_read_again_when_it_is_not_fresh_any_more(three, carrier, monkeypatch):
    """The call of the first message takes long; meanwhile the second member spends points."""
    monkeypatch.setattr(known, "FRESH", timedelta())
    carrier.answers = [lambda: builders.redeem(three[1], 40, now=NOW), builders_none]
    assert deliveries.deliver(now=NOW, limit=10) == 3
    assert told() == [("accepted", 1_200), ("accepted", 60), ("accepted", 50)]


def builders_none() -> None:
    """Nothing happens, and the message is taken."""


@pytest.mark.parametrize(
    ("stop", "resume"),
    [
        (
            lambda byeol: switches.stop_programme(programme=byeol, by=STAFF, why="wrong words", now=NOW),
            lambda byeol: switches.resume_programme(programme=byeol, by=STAFF, why="mended", now=NOW),
        ),
        (
            lambda byeol: switches.stop_transport(name="carrier", by=STAFF, why="wrong words", now=NOW),
            lambda byeol: switches.resume_transport(name="carrier", by=STAFF, why="mended", now=NOW),
        ),
    ],
    ids=["programme", "transport"],
)
def test_a_stop_reaches_what_is_claimed_already(three, byeol, carrier, monkeypatch, stop, resume):
    monkeypatch.setattr(known, "FRESH", timedelta())
    carrier.answers = [lambda: stop(byeol), builders_none]
    deliveries.deliver(now=NOW, limit=10)
    assert len(carrier.calls) == 1
    assert [status for status, _ in told()] == ["accepted", "pending", "pending"]
    resume(byeol)
    deliveries.deliver(now=NOW + timedelta(minutes=1), limit=10)
    assert len(carrier.calls) == 3
    assert Delivery.objects.filter(status="accepted", attempts=1).count() == 3


def test_one_that_cannot_be_read_does_not_hold_up_the_others(three, carrier, monkeypatch):
    broken = Delivery.objects.get(reminder__account=three[1])

    def read(claimed, *, now):
        if broken in claimed:
            raise ValueError("an account that cannot be read")
        return known.read(claimed, now=now)

    monkeypatch.setattr("alerts.sending.line.read", read)
    assert deliveries.deliver(now=NOW, limit=10) == 3
    assert [status for status, _ in told()] == ["accepted", "accepted", "pending"]
    assert Delivery.objects.get(status="pending").pk == broken.pk
    assert len(carrier.taken) == 2


def test_of_one_member_each_message_goes_to_its_own_address(minji, byeol, carrier, django_assert_num_queries):
    """What follows another message goes to the address that is left; a first message to the first one."""
    second = alert_builders.email(minji, "second@example.com")
    plan(NOW)
    carrier.answers = [Rejected()]
    deliveries.deliver(now=NOW, limit=1)
    failed, follows = Delivery.objects.select_related("reminder__account").order_by("resend_no")
    with django_assert_num_queries(5):  # the usual three, and two for all that follow another
        found = known.read([failed, follows], now=NOW)
    assert found.contact_of(follows) == second
    assert found.contact_of(failed) == minji.member.contacts.get(address="minji@example.com")
    contacts.erase(contact=second)
    assert known.read([follows], now=NOW).contact_of(follows) is None
