"""Kill, cut off and restart all that sends reminders, and count the messages: python -m chaos.run [N]

One run for each kind of channel, in turn, with N members each, on servers of its own. The last line says `sent=N`: of
so many members each run's provider took a message (the fewest of all runs); and how many messages of all runs were
lost, doubled or are unaccounted for. Exit code 0 when that is none and nothing else was found; 1 otherwise; 2 for an
option; 128 + the number of the signal that ended it.
"""

from __future__ import annotations

import argparse
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chaos.kinds import KINDS
from chaos.single import SHOWN, Run
from devstack.errors import Interrupted, exit_code_of
from devstack.processes import die_with_parent
from devstack.signals import Signals

MOST = 100_000
GRACE = 30.0  # seconds in which a run that is told to end must have tidied up
LAST_LINE = re.compile(r"sent=(\d+) lost=(\d+) doubled=(\d+) unaccounted=(\d+)")


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    if options.with_parent:
        die_with_parent(signal.SIGTERM)
    signals = Signals()
    if options.kind:
        return _one(options.kind, options.members, options.seed, signals)
    return _all(options.members, options.seed, signals)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos.run", description="Kill what sends reminders, and count.")
    parser.add_argument("members", nargs="?", default="4000", help="members of each run (default: 4000)")
    parser.add_argument("--kind", choices=list(KINDS), help="one kind of channel only")
    parser.add_argument("--seed", default="", help="a number, so that chance chooses alike (default: any)")
    parser.add_argument("--with-parent", action="store_true", help="stop when the process that started this dies")
    options = parser.parse_args(argv)
    options.members = _number(parser, "N", options.members, 1, MOST)
    options.seed = _number(parser, "--seed", options.seed, 0, 10**9) if options.seed else secrets.randbelow(10**6)
    return options


def _number(parser: argparse.ArgumentParser, option: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text[:12]) <= most):
        parser.error(f"{option}: must be a whole number from {least} to {most}, not “{text}”")
    return int(text)


def _all(members: int, seed: int, signals: Signals) -> int:
    """Each kind in a process of its own: its settings name its own servers."""
    began = time.monotonic()
    sums, fewest, clean = [0, 0, 0], members, True
    for kind in KINDS:
        signals.heed()
        code, last = _in_its_own_process(kind, members, seed, signals)
        found = LAST_LINE.fullmatch(last)
        if found is None:
            print(f"{kind}: the run came to no verdict (exit code {code})", file=sys.stderr)
            return code or 1
        sent, *wrong = map(int, found.groups())
        fewest, clean = min(fewest, sent), clean and code == 0
        sums = [a + b for a, b in zip(sums, wrong, strict=True)]
    print(f"{len(KINDS)} runs in {time.monotonic() - began:.0f} s", flush=True)
    print(_last_line(fewest, *sums), flush=True)
    return 0 if clean else 1


def _in_its_own_process(kind: str, members: int, seed: int, signals: Signals) -> tuple[int, str]:
    """Its exit code and its last line; its output is passed on with the kind before each line."""
    argv = [sys.executable, "-m", "chaos.run", str(members), f"--kind={kind}", f"--seed={seed}", "--with-parent"]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True)
    signals.redirect(child.send_signal)
    last = ""
    try:
        assert child.stdout is not None
        for line in child.stdout:
            last = line.strip()
            print(f"{kind:8} {last}", flush=True)
        return child.wait(GRACE), last
    finally:
        signals.redirect(None)
        child.kill()  # nothing, once it has ended
        child.wait()


def _one(kind: str, members: int, seed: int, signals: Signals) -> int:
    with _logs() as folder:
        run = Run(KINDS[kind], members, seed, folder, lambda line: print(line, flush=True), signals)
        found = run.go()
        for complaints in (found.lost, found.doubled, found.unaccounted, run.troubles):
            for complaint in complaints[:SHOWN]:
                print(complaint, file=sys.stderr, flush=True)
        print(_last_line(found.sent, len(found.lost), len(found.doubled), len(found.unaccounted)), flush=True)
        if found.lost or found.doubled or found.unaccounted or run.troubles:
            raise Wrong
        return 0


def _last_line(sent: int, lost: int, doubled: int, unaccounted: int) -> str:
    return f"sent={sent} lost={lost} doubled={doubled} unaccounted={unaccounted}"


class Wrong(Exception):
    """A message was lost, doubled or unaccounted for, or something else was found; the lines before say what."""


@contextmanager
def _logs() -> Iterator[Path]:
    """A folder for the logs of all processes: kept when something is wrong, gone otherwise."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        yield folder
    except Interrupted:
        shutil.rmtree(folder)
        raise
    except Exception as error:
        print(f"The logs are kept in {folder}.", file=sys.stderr, flush=True)
        if isinstance(error, Wrong):
            sys.exit(1)
        raise
    shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
