from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from django.utils import timezone

from ledger.errors import LedgerError
from ledger.feed import Feed, FeedRefused
from ledger.imports import Import, Tally
from ledger.management.feeds import FILE_REFUSED, STOPPED, check_output, count_lines, open_feed, progress, rejects
from ledger.models import Programme

SOME_REJECTED = 1


class Command(BaseCommand):
    help = (
        "Bring a feed of purchases, returns and redemptions into a programme. A second run changes nothing. "
        "Exit code: 0 all applied or already there, 1 some rows rejected, 2 file refused, 3 stopped (run it again)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a CSV file; docs/feed.md describes its columns")
        parser.add_argument("--programme", required=True, metavar="CODE")
        parser.add_argument("--rejects", type=Path, help="where rejected rows go (default: NAME.rejects.csv)")
        parser.add_argument("--check", action="store_true", help="only look: nothing is written")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        programme = Programme.objects.filter(code=options["programme"]).first()
        if programme is None:
            raise CommandError(f"--programme: there is no programme {options['programme']}", returncode=FILE_REFUSED)
        rejects_path = options["rejects"] or Path(f"{path.stem}.rejects.csv")
        check_output(rejects_path, option="--rejects", feed=path)
        try:
            tally = self._run(path, programme, rejects_path, only_look=options["check"])
        except FeedRefused as refusal:
            raise CommandError(f"{path} is refused: {refusal}. Nothing was written.", returncode=FILE_REFUSED) from None
        except (LedgerError, Error, OSError, KeyboardInterrupt) as error:
            raise CommandError(f"stopped {error}: run it again to go on.", returncode=STOPPED) from None
        self._report(tally, rejects_path, only_look=options["check"])
        if tally.rejected:
            sys.exit(SOME_REJECTED)

    def _run(self, path: Path, programme: Programme, rejects_path: Path, *, only_look: bool) -> Tally:
        lines = count_lines(path)
        with open_feed(path) as file:
            feed = Feed(file, programme.tz)
            with rejects(rejects_path, feed.header) as reject, progress(path.name, lines) as bar:
                work = Import(programme, timezone.now(), reject)
                for rows in work.look(feed) if only_look else work.run(feed):
                    bar.update(rows)
        return work.tally

    def _report(self, tally: Tally, rejects_path: Path, *, only_look: bool) -> None:
        verb = "would be applied" if only_look else "applied"
        said = f"Rows: {tally.rows}, {tally.applied} {verb}, {tally.already_there} already there, "
        said += f"{tally.rejected} rejected."
        if not only_look:  # whether points suffice is known only once the rows before are applied
            said += f" Redemptions declined for want of points: {tally.declined}."
        self.stdout.write(said)
        if tally.rows and tally.already_there == tally.rows:
            self.stdout.write("Everything was already there: nothing changed.")
        if tally.rejected:
            self.stdout.write(f"The rejected rows are in {rejects_path}.")
