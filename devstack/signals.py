"""Signals that ask a supervisor to stop."""

import signal
from collections.abc import Callable

from devstack.errors import Interrupted

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Remembers the first signal that asked to stop, and passes signals on when somebody wants them.

    Handlers are set by hand: a shell's `&` starts a process with SIGINT ignored, and Python then sets none.
    """

    def __init__(self) -> None:
        self.first: int | None = None
        self._pass_on: Callable[[int], None] | None = None
        for signum in STOPPING:
            signal.signal(signum, self._handle)

    def heed(self) -> None:
        """Raises Interrupted when a signal has come."""
        if self.first is not None:
            raise Interrupted(self.first)

    def redirect(self, pass_on: Callable[[int], None] | None) -> None:
        """From now on hand signals to `pass_on`, and at once the one that came before."""
        self._pass_on = pass_on
        if self.first is not None and pass_on is not None:
            pass_on(self.first)

    def _handle(self, signum: int, _frame: object) -> None:
        if self.first is None:
            self.first = signum
        if self._pass_on is not None:
            self._pass_on(signum)
