"""When a tick last began and ended; one that fails has not ended."""

from __future__ import annotations

import pytest

from alerts.models import Tick
from alerts.watch.ticks import tick
from tests.builders import NOW, days

pytestmark = pytest.mark.django_db


def test_a_tick_has_begun_and_ended():
    with tick("plan", now=NOW):
        assert Tick.objects.values_list("began_at", "ended_at").get() == (NOW, None)
    ended = Tick.objects.get().ended_at
    assert ended is not None
    assert ended >= NOW


def test_a_tick_that_fails_keeps_its_earlier_end():
    with tick("deliver", now=NOW):
        pass
    ended = Tick.objects.get().ended_at
    with pytest.raises(ZeroDivisionError), tick("deliver", now=NOW + days(1)):
        _ = 1 / 0
    assert Tick.objects.values_list("began_at", "ended_at").get() == (NOW + days(1), ended)


def test_of_two_at_once_the_later_beginning_stands():
    with tick("plan", now=NOW + days(1)), tick("plan", now=NOW):
        pass
    assert Tick.objects.get().began_at == NOW + days(1)


def test_of_two_at_once_the_later_end_stands():
    with tick("plan", now=NOW), tick("plan", now=NOW + days(1)):
        pass
    ended = Tick.objects.get().ended_at
    assert ended is not None
    assert ended >= NOW + days(1)
