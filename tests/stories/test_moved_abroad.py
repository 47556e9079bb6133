"""A member who moves abroad is written to by the clock there, also with what was planned and put off before.

In Byeol nobody's points expire unannounced; it writes 60 days before by SMS, between 09:00 and 20:30. Minji and Jun
have points until the end of 31 March 2026 in Seoul, which is 16:00 of that day in London, and a number each.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerts.addresses import zones
from alerts.models import Contact, Delivery
from alerts.sending import deliveries
from ledger.actors import Actor
from ledger.models import Account
from tests import alert_builders, builders
from tests.alert_builders import by_channels, plan
from tests.alerts.carrier import Carrier
from tests.alerts.conftest import carrier
from tests.builders import SEOUL

__all__ = ["carrier"]

pytestmark = pytest.mark.django_db(transaction=True)

EVENING = datetime(2026, 1, 30, 21, tzinfo=SEOUL)  # noon in London
MORNING = datetime(2026, 1, 31, 9, tzinfo=SEOUL)  # midnight in London
MORNING_IN_LONDON = datetime(2026, 1, 31, 9, tzinfo=UTC)


@pytest.fixture
def byeol(carrier):
    programme = alert_builders.byeol(60)
    by_channels(programme, "sms")
    return programme


@pytest.fixture
def minji(byeol) -> Account:
    account = builders.minji(byeol)
    alert_builders.phone(account)
    builders.grant(account, 1_200)
    return account


@pytest.fixture
def jun(byeol) -> Account:
    account = builders.jun(byeol)
    alert_builders.phone(account, "+821087654321")
    builders.grant(account, 10)
    return account


def move(account: Account, zone: str) -> None:
    zones.move(member=account.member, zone=zone, by=Actor("member", "7"))


def deliver(now: datetime) -> None:
    deliveries.deliver(now=now, limit=100)


def waiting_until() -> dict[str, datetime]:
    """When the messages that wait are asked about next, by member."""
    waiting = Delivery.objects.filter(status="pending")
    return dict(waiting.values_list("reminder__account__member__reference", "next_attempt_at"))


def test_what_waits_for_the_morning_waits_for_that_of_the_new_zone(minji, jun, carrier: type[Carrier]):
    plan(EVENING)
    deliver(EVENING)
    assert waiting_until() == {"minji": MORNING, "jun": MORNING}
    move(minji, "Europe/London")
    deliver(MORNING)
    assert [message.to for message in carrier.taken] == ["+821087654321"]
    assert waiting_until() == {"minji": MORNING_IN_LONDON}
    deliver(MORNING_IN_LONDON - timedelta(seconds=1))
    assert len(carrier.taken) == 1
    deliver(MORNING_IN_LONDON)
    his, hers = (message.text.text.splitlines()[0] for message in carrier.taken)
    assert his == "[Byeol] 10P, 2026.3.31까지 사용하세요. 이후 소멸"
    assert hers == "[Byeol] 1,200P, 2026.3.31 16:00까지 사용하세요. 이후 소멸"


def test_what_is_planned_goes_by_the_zone_at_the_moment_of_sending(minji, carrier: type[Carrier]):
    plan(EVENING)
    move(minji, "Europe/London")
    deliver(EVENING)  # night in Seoul, and noon where she lives
    (message,) = carrier.taken
    assert message.text.text.startswith("[Byeol] 1,200P, 2026.3.31 16:00까지 사용하세요.")
    move(minji, "")
    assert Delivery.objects.get().variables["last_time"] == "16:00:00"  # what was said stays as it was


def test_who_moves_back_is_written_to_as_before(minji, carrier: type[Carrier]):
    move(minji, "Europe/London")
    plan(EVENING)
    move(minji, "")
    deliver(EVENING)
    assert carrier.taken == []
    assert waiting_until() == {"minji": MORNING}


def test_a_move_reaches_what_is_claimed_already(minji, jun, carrier: type[Carrier], monkeypatch):
    """While the first of a claim is sent the second's member moves; what is known grows old, and is read anew."""
    plan(MORNING)
    second: dict[str, Account] = {}

    def meanwhile() -> None:
        monkeypatch.setattr("alerts.sending.known.FRESH", timedelta())
        if not second:
            first = carrier.calls[0].to
            second["account"] = jun if first == "+821012345678" else minji
            move(second["account"], "Europe/London")

    carrier.answers = [meanwhile]
    deliver(MORNING)
    assert len(carrier.taken) == 1
    assert waiting_until() == {second["account"].member.reference: MORNING_IN_LONDON}
    assert Contact.objects.filter(zone="Europe/London").count() == 1
