"""The statements behind the gauges stop at their bound."""

from __future__ import annotations

import pytest

from alerts.watch import counting
from alerts.watch.counting import Line
from tests import alert_builders
from tests.alert_builders import before, plan

pytestmark = pytest.mark.django_db


def test_counts_stop_at_the_bound(byeol, monkeypatch):
    for number in range(3):
        alert_builders.member(byeol, f"m{number}", 100)
    plan(before(60))
    assert Line(before(60)).open_by_state() == {("smtp", "pending"): 3}
    monkeypatch.setattr(counting, "MOST", 2)
    assert Line(before(60)).open_by_state() == {("smtp", "pending"): 2}


def test_a_channel_that_no_transport_carries_any_more_is_counted_as_nobodys(minji, settings):
    plan(before(60))
    settings.TRANSPORTS = {"sms": "nhn"}
    assert Line(before(60)).open_by_state() == {("none", "pending"): 1}
    assert Line(before(60)).oldest_due() == {("sms", False): 0.0, ("sms", True): 0.0}
