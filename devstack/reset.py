"""Start the demo over: python -m devstack.reset [--home DIR]

Removes the embedded data and nothing else; servers named by DATABASE_URL and REDIS_URL are never touched. A
running demo is left alone.
"""

import argparse
import sys
from pathlib import Path

from devstack.demo import HOME, patience
from devstack.errors import AlreadyRunning, Refused, exit_code_of
from devstack.home import Home, sweep
from devstack.signals import Signals


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m devstack.reset", description="Remove the demo's data.")
    parser.add_argument("--home", type=Path, default=HOME, help=f"the folder of its data (default {HOME})")
    folder: Path = parser.parse_args().home
    sweep()
    if not folder.exists():
        print(f"nothing to remove: there is no {folder}")
        return 0
    try:
        home = Home(folder, keep_waiting=patience(Signals()))
    except AlreadyRunning as error:
        raise AlreadyRunning(f"the demo is {error}; stop it first") from None
    home.remove()
    home.close()
    if folder.exists():
        raise Refused(f"{folder} could not be removed completely")
    print(f"removed {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
