"""Run a command against servers of its own: python -m devstack.run [options] -- COMMAND ...

Starts the servers that the environment does not name (DATABASE_URL, REDIS_URL), tells the command where they
are, passes signals on, stops everything, and exits with the command's code. Without --home the servers live in
a temporary folder and are gone afterwards, so any number of these run side by side.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack.errors import exit_code_of
from devstack.home import Home
from devstack.processes import Processes, die_with_parent, kill_group
from devstack.signals import Signals
from devstack.stack import Stack, missing

GRACE = 12  # seconds a command may take to end after SIGTERM or SIGHUP; after SIGINT it may take its time


def main() -> int:
    options = _options(sys.argv[1:])
    if options.with_parent:
        die_with_parent(signal.SIGTERM)
    signals = Signals()
    names = missing(os.environ, own=options.own)
    if not names:
        return _commands(options, os.environ, signals, Processes(None))
    home = Home(options.home) if options.home else Home.fresh()
    durable = options.durable if options.durable is not None else not home.throwaway
    with Stack(home, durable=durable) as stack:
        started = time.monotonic()
        servers = [stack.start(name).name for name in names]
        print(f"{' and '.join(servers)} up in {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
        code = _commands(options, stack.environment(os.environ), signals, stack.processes)
        dead = stack.processes.first_ended()
        if dead is not None:
            print(dead.obituary(), file=sys.stderr)
        return code


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devstack.run", description="Run a command against servers.")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--home", type=Path, help="keep the servers' data in this folder")
    place.add_argument("--throwaway", action="store_true", help="a temporary folder, gone afterwards (the default)")
    safety = parser.add_mutually_exclusive_group()
    safety.add_argument("--durable", action="store_true", default=None, help="survive a crash (default with --home)")
    safety.add_argument("--fast", dest="durable", action="store_false", help="do not wait for the disk")
    parser.add_argument("--own", action="store_true", help="ignore DATABASE_URL and REDIS_URL of the environment")
    parser.add_argument("--migrate", action="store_true", help="run `manage.py migrate` first")
    parser.add_argument("--with-parent", action="store_true", help="stop when the process that started this dies")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND ...")
    options = parser.parse_args(argv)
    if options.command[:1] == ["--"]:
        del options.command[0]
    if not options.command:
        parser.error("name the command to run, after --")
    return options


def _commands(options: argparse.Namespace, environ: Mapping[str, str], signals: Signals, processes: Processes) -> int:
    if options.migrate:
        code = _run([sys.executable, "manage.py", "migrate", "--verbosity=0"], environ, signals, processes)
        if code:
            return code
    return _run(options.command, environ, signals, processes)


def _run(argv: Sequence[str], environ: Mapping[str, str], signals: Signals, processes: Processes) -> int:
    """The command's exit code, or 128 + the number of the signal that ended it."""
    signals.heed()
    try:
        child = processes.start(argv[0], argv, log=None, env=environ)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        return 127 if isinstance(error, FileNotFoundError) else 126
    deadlines: list[float] = []

    def pass_on(signum: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if signum == signal.SIGINT:  # Ctrl-C in a terminal reaches the whole group as well
                os.killpg(child.process.pid, signum)
            else:
                child.process.send_signal(signum)
                deadlines.append(time.monotonic() + GRACE)

    signals.redirect(pass_on)
    while not child.ended and not (deadlines and time.monotonic() > deadlines[0]):
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(0.5)
    signals.redirect(None)
    kill_group(child.process.pid)
    code = child.process.wait()
    processes.forget(child)
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
