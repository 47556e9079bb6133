from datetime import timedelta

from alerts.stopwatch import Stopwatch
from tests.builders import NOW


def test_it_counts_from_what_the_edge_said_the_time_is():
    watch = Stopwatch(NOW)
    assert NOW <= watch.now < NOW + timedelta(minutes=1)
    assert timedelta() <= watch.spent < timedelta(minutes=1)
    assert watch.now <= watch.now
