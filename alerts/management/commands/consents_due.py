"""`manage.py consents_due --programme byeol --within 30 --output due.csv`"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from django.utils import timezone

from alerts.addresses import consents
from alerts.proof.spreadsheets import write_csv
from ledger.management.feeds import check_output
from ledger.models import Programme

REFUSED, STOPPED = 2, 3  # exit codes
LONGEST = 730  # a consent lasts two years: further ahead all of them end
COLUMNS = ["programme", "member", "channel", "purpose", "given_at", "ends_at"]


class Command(BaseCommand):
    help = (
        "Write as CSV which consents to advertising ended, or end soon, and were not confirmed, the oldest first: whom "
        "to ask. It names members by their references, no addresses, and changes nothing. Exit code 0: there it is; "
        "2: an option is refused; 3: stopped, and no file is left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--within", type=_days, metavar="DAYS", default=30, help="ahead (default: 30)")
        parser.add_argument("--programme", metavar="CODE", help="default: all")
        parser.add_argument("--output", type=Path, metavar="FILE", help="a new file (default: standard output)")

    def handle(self, *args: Any, **options: Any) -> None:
        programme, path = _programme(options["programme"]), options["output"]
        if path:
            _check_new(path)
        rows = _rows(within=timedelta(days=options["within"]), programme=programme)
        try:
            if path:
                _write_file(path, rows)
            else:
                write_csv(self, COLUMNS, rows)
        except (Error, OSError, KeyboardInterrupt) as error:
            raise CommandError(f"stopped {error}: the list is not whole", returncode=STOPPED) from None
        if path:
            self.stdout.write(f"The list is in {path}.")

    def write(self, text: str) -> None:
        """A piece of CSV, as it is: lines of a command's own get an end of theirs."""
        self.stdout.write(text, ending="")


def _rows(*, within: timedelta, programme: Programme | None) -> Iterator[list[object]]:
    for code, member, due in consents.due(now=timezone.now(), within=within, programme=programme):
        yield [code, member, due.channel, due.purpose, due.given_at, due.ends_at]


def _write_file(path: Path, rows: Iterator[list[object]]) -> None:
    """The whole list, or no file: half a list would look like one."""
    file = path.open("x", encoding="utf-8", newline="")
    try:
        with file:
            write_csv(file, COLUMNS, rows)
    except BaseException:
        path.unlink()
        raise


def _programme(code: str | None) -> Programme | None:
    """The programme with this code; None: all. Raises CommandError: there is none."""
    if code is None:
        return None
    found = Programme.objects.filter(code=code).first()
    if found is None:
        raise CommandError(f"--programme: there is no programme {code}", returncode=REFUSED)
    return found


def _check_new(path: Path) -> None:
    """Refuse, before anything is read, a file that is there already or could not be written."""
    if path.exists():
        raise CommandError(f"--output: {path} is there already; the list writes over nothing", returncode=REFUSED)
    check_output(path, option="--output", feed=path)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LONGEST)) and int(text) <= LONGEST):
        raise ArgumentTypeError(f"must be a number of days from 0 to {LONGEST}, not “{text}”")
    return int(text)
