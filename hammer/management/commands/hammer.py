from __future__ import annotations

import secrets
import shutil
import signal
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from hammer.clock import Clock
from hammer.journal import read
from hammer.stage import set_up
from hammer.striking import ENDING, Run, uninterrupted
from hammer.verdict import entries_by_kind, verdict
from ledger.models import Programme

MOST_ACTS = 200_000  # of all processes together, whatever the time
SLOTS = 5  # accounts of each programme at a time; the last of them are left alone for the most part
SHOWN = 20  # complaints of each sort


class Command(BaseCommand):
    help = (
        "Let processes act on the same accounts at once, kill some and cut off others, then look whether every answer "
        "is there, once. For an empty database of its own: what it writes cannot be taken away. The last lines say how "
        "many entries of each kind there are, and what was found; exit code 0 when nothing is lost, doubled or found, "
        "1 otherwise, 2 for an option."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", default="20", help="how long to hammer (default: 20)")
        parser.add_argument("--processes", default="4", help="how many at a time (default: 4)")
        parser.add_argument("--seed", default="", help="a number, so that chance chooses alike (default: any)")

    def handle(self, *args: Any, **options: Any) -> None:
        seconds = number(options["seconds"], "--seconds", 1, 3_600)
        processes = number(options["processes"], "--processes", 1, 64)
        seed = number(options["seed"], "--seed", 0, 10**9) if options["seed"] else secrets.randbelow(10**6)
        if Programme.objects.exclude(code__startswith="hammer-").exists():
            raise CommandError("the database is in use: what the hammer writes cannot be taken away", returncode=2)
        if sys.platform == "win32":
            raise CommandError("processes are forked and killed here: this system has neither", returncode=2)
        self.stdout.write(f"seed {seed}: {processes} processes for {seconds} s")
        with left_when_told(), self._journals() as folder:
            if not self._hammer(seconds, processes, seed, folder):
                raise Wrong

    @contextmanager
    def _journals(self) -> Iterator[Path]:
        """A folder for the journals: kept when something is wrong, gone when nothing is, and when the run is ended."""
        folder = None
        try:
            with uninterrupted():
                folder = Path(tempfile.mkdtemp(prefix="hammer-"))
            yield folder
        except Exception as error:
            self.stderr.write(f"The journals are kept in {folder}.")
            folder = None
            if not isinstance(error, Wrong):
                raise
            sys.exit(1)
        finally:
            if folder:
                with uninterrupted():
                    shutil.rmtree(folder)

    def _hammer(self, seconds: int, processes: int, seed: int, folder: Path) -> bool:
        """Whether nothing is wrong. Nothing is written to standard output behind the last line."""
        tag = secrets.token_hex(4)
        clock = Clock.starting(now=timezone.now(), seconds=seconds)
        stage = set_up(tag=tag, slots=SLOTS, clock=clock, seed=seed)
        run = Run(stage, folder, tag, processes, most=MOST_ACTS // processes)
        run.go()
        found, findings = verdict(stage, read(sorted(folder.glob("*.jsonl"))))
        findings = [*findings, *found.broken, *run.troubles]
        for complaints in (found.lost, found.doubled, findings):
            for complaint in complaints[:SHOWN]:
                self.stderr.write(complaint)
        self.stdout.write(f"killed {run.killed} processes, cut off {run.cut_off} connections")
        for line in said_of(entries_by_kind(stage)):
            self.stdout.write(line)
        self.stdout.write(
            f"acts={found.acts} answered={found.answered} lost={len(found.lost)} doubled={len(found.doubled)} "
            f"findings={len(findings)}"
        )
        return not (found.lost or found.doubled or findings)


class Wrong(Exception):
    """Something was lost, doubled or found; the lines before say what."""


@contextmanager
def left_when_told() -> Iterator[None]:
    """In the block a signal that asks the run to end leads out of it, past all that tidies up; once is enough."""

    def leave(told: int, frame: object) -> None:
        for signum in ENDING:
            signal.signal(signum, signal.SIG_IGN)
        sys.exit(128 + told)

    before = {signum: signal.signal(signum, leave) for signum in ENDING}
    yield
    for signum, handler in before.items():
        signal.signal(signum, handler)


def said_of(kinds: Mapping[str, int]) -> Iterator[str]:
    """How many entries of each kind there are, in a line; another one warns of those that never came up."""
    yield "entries: " + " ".join(f"{kind}={count}" for kind, count in kinds.items())
    if none := [kind for kind, count in kinds.items() if not count]:
        yield f"warning: nothing was tried of {', '.join(none)}: a longer run comes by it"


def number(text: str, option: str, least: int, most: int) -> int:
    """A whole number of an option. Raises CommandError, which names the option."""
    if not (text.isascii() and text.isdigit() and least <= int(text[:12]) <= most):
        raise CommandError(f"{option}: must be a whole number from {least} to {most}, not “{text}”", returncode=2)
    return int(text)
