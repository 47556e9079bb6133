from __future__ import annotations

import secrets
import shutil
import signal
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from hammer.clock import Clock
from hammer.journal import read
from hammer.stage import set_up
from hammer.striking import Run
from hammer.verdict import entries_by_kind, verdict
from ledger.models import Programme

MOST_ACTS = 200_000  # of all processes together, whatever the time
SLOTS = 3  # accounts of each programme at a time
SHOWN = 20  # complaints of each sort


class Command(BaseCommand):
    help = (
        "Let processes act on the same accounts at once, kill some and cut off others, then look whether every answer "
        "is there, once. For an empty database of its own: what it writes cannot be taken away. The last line says "
        "what was found; exit code 0 when nothing is lost, doubled or found, 1 otherwise, 2 for an option."
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
        signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))  # the processes go with it
        folder = Path(tempfile.mkdtemp(prefix="hammer-"))
        self.stdout.write(f"seed {seed}: {processes} processes for {seconds} s")
        try:
            is_clean = self._hammer(seconds, processes, seed, folder)
        except (KeyboardInterrupt, SystemExit):
            shutil.rmtree(folder)
            raise
        if is_clean:
            shutil.rmtree(folder)
        else:
            self.stderr.write(f"The journals are kept in {folder}.")
            sys.exit(1)

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
        kinds = ", ".join(f"{count} {kind}" for kind, count in entries_by_kind(stage).items())
        self.stdout.write(f"killed {run.killed} processes, cut off {run.cut_off} connections; entries: {kinds}")
        self.stdout.write(
            f"acts={found.acts} answered={found.answered} lost={len(found.lost)} doubled={len(found.doubled)} "
            f"findings={len(findings)}"
        )
        return not (found.lost or found.doubled or findings)


def number(text: str, option: str, least: int, most: int) -> int:
    """A whole number of an option. Raises CommandError, which names the option."""
    if not (text.isascii() and text.isdigit() and least <= int(text[:12]) <= most):
        raise CommandError(f"{option}: must be a whole number from {least} to {most}, not “{text}”", returncode=2)
    return int(text)
