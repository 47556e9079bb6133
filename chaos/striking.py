"""When what is struck: each kind of strike has a period of its own, so that in time all of them meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from chaos.line import Line
from chaos.servers import Servers

CHILD, WORKER = 0.3, 5.0  # seconds between two kills of a pool's child, of a worker's main process
FLUSH, PAUSE, STOP, RESTART = 7.0, 17.0, 23.0, 29.0
PAUSED, STOPPED = 3.0, 1.5  # seconds until the broker is back; in a short storm at most a tenth of it
SHORTEST_RUN = 60.0  # seconds in which every kind of strike comes; in a shorter storm they come the sooner


@dataclass(slots=True)
class Strikes:
    """What is due at `passed` seconds of a storm. Strikes are chosen by `rng`, their times are not."""

    line: Line
    servers: Servers
    rng: Random
    seconds: float  # how long the storm is meant to last
    _next: dict[str, float] = field(default_factory=dict)
    _broker_back: float | None = None

    @property
    def all_came(self) -> bool:
        """Whether each kind of strike has come at least once: the first is due after its period, the next later."""
        return all(self._next.get(name, 0) > period for name, (period, _) in self._periods().items())

    def strike(self, passed: float) -> None:
        """Do all that is due, and bring the broker back when its time has come."""
        if self._broker_back is not None and passed >= self._broker_back:
            self.end()
        for name, (period, act) in self._periods().items():
            # Counted from now: a strike that took long is not followed by all those it held up.
            if passed >= self._next.setdefault(name, period) and act(passed):
                self._next[name] = passed + period

    def end(self) -> None:
        """Nothing stays stopped or paused."""
        self._broker_back = None
        self.servers.resume_broker()

    def _periods(self) -> dict[str, tuple[float, Callable[[float], bool]]]:
        """Strikes with their periods; one that answers False could not be done now, and is tried again."""
        sooner = min(1.0, self.seconds / SHORTEST_RUN)
        return {
            "child": (CHILD, self._kill_child),
            "worker": (WORKER, self._kill_worker),
            "flush": (FLUSH * sooner, self._flush),
            "pause": (PAUSE * sooner, self._pause),
            "stop": (STOP * sooner, self._stop),
            "restart": (RESTART * sooner, self._restart),
        }

    def _kill_child(self, passed: float) -> bool:
        return self.line.kill_child(self.rng)

    def _kill_worker(self, passed: float) -> bool:
        return self.line.kill_worker(self.rng)

    def _restart(self, passed: float) -> bool:
        self.servers.restart_postgres()
        return True

    def _flush(self, passed: float) -> bool:
        if self._broker_back is not None:
            return False
        self.servers.flush_broker()
        return True

    def _pause(self, passed: float) -> bool:
        if self._broker_back is not None:
            return False
        self.servers.pause_broker()
        self._broker_back = passed + min(PAUSED, self.seconds / 10)
        return True

    def _stop(self, passed: float) -> bool:
        if self._broker_back is not None:
            return False
        self.servers.stop_broker()
        self._broker_back = passed + min(STOPPED, self.seconds / 10)
        return True
