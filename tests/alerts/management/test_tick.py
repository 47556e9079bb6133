from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from config.celery import CLOCK
from tests import alert_builders, builders
from tests.alert_builders import states


def run(*names):
    out = StringIO()
    call_command("tick", *names, stdout=out)
    return out.getvalue().split()


@pytest.fixture
def soon(byeol, sink):
    account = alert_builders.minji(byeol)
    now = timezone.now()
    builders.grant(account, 70, now=now, expires_at=now + timedelta(days=50))


def test_one_round_takes_points_that_go_soon_to_a_message(soon, sink):
    in_order = ["extend", "plan", "fan-out", "deliver", "match", "reap", "renew", "waive", "sweep", "audit", "seal"]
    in_order.append("forget")
    assert run() == in_order
    assert set(in_order) == set(CLOCK)
    assert len(sink.mails) == 1
    assert states() == [(60, "accepted", "")]
    run()
    assert len(sink.mails) == 1


def test_one_tick_can_be_named(soon, sink):
    assert run("plan") == ["plan"]
    assert states() == []
    run("fan-out")
    assert states() == [(60, "pending", "")]


def test_an_unknown_tick_is_refused(db):
    with pytest.raises(CommandError, match="invalid choice"):
        run("send")
