"""What can go wrong while servers and processes are started.

DevstackError
├── AlreadyRunning      another process holds this home
├── NotInstalled        a package with the servers' binaries is missing
├── Refused             an option, a setting or a folder that cannot be used
├── DidNotStart         a process ended, or stayed silent, before it was ready
└── Interrupted         a signal came while things were still starting
"""

import sys
from collections.abc import Callable


class DevstackError(Exception):
    """Shown to the user as it is, without a traceback."""


class AlreadyRunning(DevstackError):
    """Another process holds this home."""


class NotInstalled(DevstackError):
    """A package with the servers' binaries is missing."""


class Refused(DevstackError):
    """An option, a setting or a folder that cannot be used."""


class DidNotStart(DevstackError):
    """A process ended, or stayed silent, before it was ready."""


class Interrupted(DevstackError):
    """A signal came while things were still starting."""

    def __init__(self, signum: int) -> None:
        super().__init__("stopped before everything was up")
        self.signum = signum


def exit_code_of(main: Callable[[], int]) -> int:
    """Run a command's main function; its errors become one message and an exit code."""
    try:
        return main()
    except Interrupted as error:
        print(error, file=sys.stderr)
        return 128 + error.signum
    except (DevstackError, OSError) as error:  # the second: a folder that may not be written, a full disk
        print(error, file=sys.stderr)
        return 1
