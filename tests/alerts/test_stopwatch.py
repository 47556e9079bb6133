from datetime import timedelta

from alerts.stopwatch import Stopwatch
from tests.builders import NOW


def test_it_counts_from_what_the_edge_said_the_time_is():
    watch = Stopwatch(NOW)
    assert NOW <= watch.now < NOW + timedelta(seconds=5)
    assert timedelta() <= watch.spent < timedelta(seconds=5)
    assert watch.now <= watch.now
