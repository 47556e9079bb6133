"""Signals that ask a supervisor to stop."""

import signal
from collections.abc import Callable

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Remembers the first signal that asked to stop, and passes each one on.

    Handlers are set by hand: a shell's `&` starts a process with SIGINT ignored, and Python then sets none.
    """

    def __init__(self, pass_on: Callable[[int], None] = lambda signum: None) -> None:
        self.first: int | None = None
        self.pass_on = pass_on
        for signum in STOPPING:
            signal.signal(signum, self._handle)

    def _handle(self, signum: int, _frame: object) -> None:
        if self.first is None:
            self.first = signum
        self.pass_on(signum)
