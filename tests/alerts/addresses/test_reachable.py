from itertools import product

import pytest
from django.db import connection

from alerts.addresses import consents, contacts, suppressions
from alerts.addresses.reachable import DELIVERABLE, REACHABLE
from alerts.models import Contact
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.builders import NOW

COMBINATIONS = list(
    product([True, False], [True, False], [True, False], [None, "stands", "lifted"], [None, True, False])
)


def in_sql(condition: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) = 1 FROM alerts_contact contact WHERE {condition}")
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize(("active", "verified", "refused", "suppressed", "said"), COMBINATIONS)
def test_sql_and_python_say_the_same(byeol, active, verified, refused, suppressed, said):
    account = builders.minji(byeol)
    contact = alert_builders.email(account, "Minji@Example.com")
    if refused:
        contacts.refuse(contact=contact, now=NOW)
    if suppressed:
        row = suppressions.add(channel="email", address="minji@example.COM", why="complaint", now=NOW)
        if suppressed == "lifted":
            Contact.objects.filter(pk=contact.pk).update(refused_at=None)
            suppressions.lift(suppression=row, now=NOW)
            if refused:
                contacts.refuse(contact=contact, now=NOW)
    Contact.objects.filter(pk=contact.pk).update(active=active, verified=verified)
    if said is not None:
        # Words about other channels and purposes, and older ones, say nothing.
        for channel, purpose, given in (
            ("email", "notice", not said),
            ("email", "notice", said),
            ("sms", "notice", not said),
            ("email", "advertising", not said),
        ):
            consents.say(
                member=account.member,
                channel=channel,
                purpose=purpose,
                given=given,
                source="form",
                by=Actor("member"),
                now=NOW,
            )
    works = active and verified and not refused and suppressed != "stands"
    wanted = said is not False

    assert in_sql(DELIVERABLE) is works
    assert in_sql(REACHABLE) is (works and wanted)
    assert (contacts.usable(account.member_id, "email") == contact) is (works and wanted)
    assert consents.wants(account.member_id, "email", "notice", now=NOW) is wanted
    assert contacts.usable(account.member_id, "sms") is None
