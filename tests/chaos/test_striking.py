"""Which strike comes when: on a line and servers that only write down what is done to them."""

from __future__ import annotations

import itertools
from collections import Counter
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from chaos.striking import PAUSED, Strikes


class Recorder:
    """Stands for the line and for the servers."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def note(*args: object) -> bool:
            self.done.append(name)
            return True

        return note


def storm(seconds: float) -> list[tuple[float, str]]:
    """What was done when, in a storm of so many seconds."""
    recorder = Recorder()
    strikes = Strikes(cast(Any, recorder), cast(Any, recorder), Random(1), seconds)
    log: list[tuple[float, str]] = []
    for step in range(int(seconds * 20)):
        recorder.done.clear()
        strikes.strike(step / 20)
        log += [(step / 20, name) for name in recorder.done]
    recorder.done.clear()
    strikes.end()
    return [*log, *((seconds, name) for name in recorder.done)]


def test_a_child_is_killed_every_third_of_a_second_and_a_worker_every_five():
    done = Counter(name for _, name in storm(60))
    assert 165 <= done["kill_child"] <= 200
    assert done["kill_worker"] == 11
    assert done["restart_postgres"] == 2
    assert done["flush_broker"] >= 6
    assert done["pause_broker"] >= 2
    assert done["stop_broker"] >= 2


def test_where_nobody_can_be_killed_it_is_tried_again_at_once():
    nobody = cast(Any, SimpleNamespace(kill_child=lambda rng: False, kill_worker=lambda rng: tried.append(rng)))
    tried: list[Random] = []
    strikes = Strikes(nobody, cast(Any, Recorder()), Random(1), 60)
    for passed in (4.95, 5.0, 5.05, 5.1):
        strikes.strike(passed)
    assert len(tried) == 3


def test_a_storm_knows_whether_each_kind_of_strike_has_come():
    there = iter([False, False, False, False])  # whether a worker can be killed, and from then on one can
    line = cast(Any, SimpleNamespace(kill_child=lambda rng: True, kill_worker=lambda rng: next(there, True)))
    strikes = Strikes(line, cast(Any, Recorder()), Random(1), 9)
    came = []
    for step in range(9 * 20):
        strikes.strike(step / 20)
        came.append((step / 20, strikes.all_came))
    first = next(at for at, all_of_them in came if all_of_them)
    # The worker is due after five seconds, and the fifth attempt finds one.
    assert first == 5.2
    assert all(all_of_them == (at >= first) for at, all_of_them in came)


def test_in_a_short_storm_each_kind_of_strike_comes_all_the_same():
    done = Counter(name for _, name in storm(12))
    assert done["kill_worker"] == 2
    assert min(done[name] for name in ("flush_broker", "pause_broker", "stop_broker", "restart_postgres")) >= 2


def test_a_broker_that_was_paused_goes_on_and_nothing_is_asked_of_it_meanwhile():
    log = [(at, name) for at, name in storm(60) if "broker" in name]
    for (at, name), (later, following) in itertools.pairwise(log):
        if name in ("pause_broker", "stop_broker"):
            assert following == "resume_broker"
            assert later - at <= PAUSED + 0.1
    assert log[-1][1] == "resume_broker"
