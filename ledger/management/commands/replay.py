from __future__ import annotations

import csv
from argparse import ArgumentParser
from dataclasses import astuple, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from django.utils import timezone

from ledger import programmes
from ledger.audit import audit
from ledger.errors import BadInput, LedgerError
from ledger.feed import Feed, FeedRefused
from ledger.imports import Import
from ledger.management.commands.programme import day, since
from ledger.management.feeds import FILE_REFUSED, STOPPED, check_output, count_lines, open_feed, progress, rejects
from ledger.models import Programme
from ledger.policies import Rounding, start_of_day
from ledger.replays import Replay, is_in_order
from ledger.reports import AccountTotals, account_totals


class Command(BaseCommand):
    help = (
        "Apply a feed to a new programme, each row at its own time, sweep as the days pass, audit, and write what "
        "every account holds. Exit code 0: the report is written and the audit is clean; 1: the audit found something; "
        "2: the file is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--as-of", type=day, required=True, help="a day: its midnight in the zone")
        parser.add_argument("--report", type=Path, required=True, help="where the report goes")
        parser.add_argument("--months", type=int, default=3)
        parser.add_argument("--round", choices=Rounding.values, default="month")
        parser.add_argument("--zone", default="Europe/London")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        check_output(options["report"], option="--report", feed=path)
        try:
            programme = self._programme(options)
            as_of = start_of_day(options["as_of"], programme.tz)
            if as_of > timezone.now():
                raise CommandError("--as-of: the day cannot lie in the future", returncode=2)
            self._replay(path, programme, as_of)
            rows = self._write_report(options["report"], programme, as_of)
        except FeedRefused as refusal:
            raise CommandError(f"{path} is refused: {refusal}", returncode=FILE_REFUSED) from None
        except BadInput as error:
            raise CommandError(str(error), returncode=FILE_REFUSED) from error
        except (LedgerError, Error, OSError, KeyboardInterrupt) as error:
            raise CommandError(f"stopped {error}: no report was written", returncode=STOPPED) from None
        findings = list(audit(programme_id=programme.pk))
        for finding in findings:
            self.stderr.write(str(finding))
        self.stdout.write(f"{rows} accounts reported to {options['report']}; {len(findings)} findings of the audit.")
        if findings:
            raise CommandError("the audit is not clean", returncode=1)

    def _programme(self, options: dict[str, Any]) -> Programme:
        return programmes.create(
            code=f"replay-{timezone.now():%Y%m%d-%H%M%S-%f}",
            name="Replay",
            zone=options["zone"],
            effective_from=since(date(1900, 1, 1), options["zone"]),
            count=options["months"],
            rounding=Rounding(options["round"]),
        )

    def _replay(self, path: Path, programme: Programme, as_of: datetime) -> None:
        rejects_path = Path(f"{path.stem}.rejects.csv")
        check_output(rejects_path, option="rejects", feed=path)
        lines = count_lines(path)
        with open_feed(path) as file:
            in_order = is_in_order(Feed(file, programme.tz))
        with open_feed(path) as file:
            feed = Feed(file, programme.tz)
            with rejects(rejects_path, feed.header) as reject, progress(path.name, lines) as bar:
                work = Import(programme, timezone.now(), reject)
                for seen in Replay(work, as_of, in_order).run(feed):
                    bar.update(seen)
        tally = work.tally
        self.stdout.write(
            f"{tally.rows} rows before {as_of.astimezone(programme.tz):%Y-%m-%d}: {tally.applied} applied, "
            f"{tally.declined} of them declined, {tally.already_there} already there, {tally.rejected} rejected."
        )
        if tally.rejected:
            self.stdout.write(f"The rejected rows are in {rejects_path}.")

    def _write_report(self, path: Path, programme: Programme, as_of: datetime) -> int:
        rows = 0
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([field.name for field in fields(AccountTotals)])
            for totals in account_totals(programme, at=as_of):
                writer.writerow(astuple(totals))
                rows += 1
        return rows
