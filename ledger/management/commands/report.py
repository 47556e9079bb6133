from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from django.utils import timezone
from tqdm import tqdm

from ledger import asof
from ledger.cohorts import Cohort, breakage
from ledger.errors import LedgerError
from ledger.forecasts import Forecast, forecast
from ledger.holdings import HeldLot, held
from ledger.inputs import YEARS
from ledger.liabilities import Liability, liability
from ledger.management.commands.programme import day
from ledger.management.feeds import check_output
from ledger.models import Account, Programme
from ledger.movements import Law14, Movement, Watch, law_14, movements
from ledger.policies import start_of_day
from ledger.standing import Balance
from ledger.tables import as_text, write_csv

REFUSED, STOPPED = 2, 3  # exit codes

# Each report's rows, and the options that it has beside --programme and --csv; those with ! it cannot do without.
REPORTS: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "liability": (Liability, ("member", "as_of", "known_at")),
    "movements": (Movement, ("as_of", "known_at")),
    "breakage": (Cohort, ("as_of", "known_at")),
    "law14": (Law14, ("as_of", "known_at")),
    "balance": (Balance, ("member!", "as_of", "known_at")),
    "lots": (HeldLot, ("member!", "as_of", "known_at")),
    "forecast": (Forecast, ("on!", "member")),
}
OPTIONS = {"as_of": "--as-of", "known_at": "--known-at", "member": "--member", "on": "--on"}


@dataclass(frozen=True)
class Asked:
    """What was asked for, in the programme's terms."""

    programme: Programme
    account: Account | None
    at: datetime
    known_at: datetime | None
    on: datetime | None
    now: datetime
    watch: Watch


class Command(BaseCommand):
    help = (
        "Print a report of a programme, or write it as CSV. Figures are as of any instant, from the entries alone. "
        "Exit code 0: there it is; 1: law 14 is broken; 2: an option is refused; 3: stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=REPORTS, metavar="NAME", help=", ".join(REPORTS))
        parser.add_argument("--programme", required=True, metavar="CODE")
        parser.add_argument(
            "--as-of", type=moment, metavar="DAY|INSTANT", help="a day is its first instant in the zone (default: now)"
        )
        parser.add_argument(
            "--known-at",
            type=moment,
            metavar="DAY|INSTANT",
            help="leave out what was recorded later (default: all that is on record)",
        )
        parser.add_argument("--member", metavar="REFERENCE", help="liability, balance, lots, forecast: of this member")
        parser.add_argument("--on", type=day, metavar="DAY", help="forecast: the first instant of this day")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="write CSV there instead of printing a table")

    def handle(self, *args: Any, **options: Any) -> None:
        name, path = options["name"], options["csv"]
        shape, takes = REPORTS[name]
        _check_options(name, takes, options)
        if path:
            check_new_file(path)
        programme = Programme.objects.filter(code=options["programme"]).first()
        if programme is None:
            raise CommandError(f"--programme: there is no programme {options['programme']}", returncode=REFUSED)
        account = _account(programme, options["member"])
        title = f"{name} of {programme.code}"
        total = None if account else Account.objects.filter(programme=programme, seq__gt=0).count()
        try:
            with tqdm(total=total, desc=title, unit=" accounts", file=sys.stderr, disable=None) as bar:
                rows = _rows(name, _asked(programme, account, options, bar.update))
            self._put(shape, rows, path)
        except (LedgerError, Error, OSError, KeyboardInterrupt) as error:
            raise CommandError(f"stopped {error}: no report was written", returncode=STOPPED) from None
        if name == "law14" and rows[0].difference:
            raise CommandError(f"law 14 is broken by {rows[0].difference} points", returncode=1)

    def _put(self, shape: type[Any], rows: Sequence[Any], path: Path | None) -> None:
        if path is None:
            self.stdout.write(as_text(shape, rows))
            return
        with path.open("x", encoding="utf-8", newline="") as file:
            write_csv(file, shape, rows)
        self.stdout.write(f"{len(rows)} rows written to {path}.")


def moment(text: str) -> date | datetime:
    """A day, or an instant with its zone, of an option."""
    if len(text) <= len("2011-05-01"):
        return day(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"must be a day or an instant like 2011-05-01T12:00:00+09:00, not “{text}”") from None
    if found.tzinfo is None:
        raise ArgumentTypeError(f"an instant needs its zone: {text}+09:00, or Z for UTC")
    if found.year not in YEARS:
        raise ArgumentTypeError(f"the year must lie between {YEARS[0]} and {YEARS[-1]}")
    return found


def check_new_file(path: Path) -> None:
    """Refuse, before anything is read, a file that is there already or could not be written."""
    if path.exists():
        raise CommandError(f"--csv: {path} is there already; a report writes over nothing", returncode=REFUSED)
    check_output(path, option="--csv", feed=path)


def _check_options(name: str, takes: Sequence[str], options: dict[str, Any]) -> None:
    for option, flag in OPTIONS.items():
        given = options[option] is not None
        if given and option not in takes and f"{option}!" not in takes:
            raise CommandError(f"{flag}: the report {name} has no such option", returncode=REFUSED)
        if not given and f"{option}!" in takes:
            raise CommandError(f"{flag}: the report {name} needs it", returncode=REFUSED)


def _account(programme: Programme, reference: str | None) -> Account | None:
    if reference is None:
        return None
    account = Account.objects.filter(programme=programme, member__reference=reference).first()
    if account is None:
        raise CommandError(f"--member: {programme.code} has no member {reference}", returncode=REFUSED)
    return account


def _asked(programme: Programme, account: Account | None, options: dict[str, Any], watch: Watch) -> Asked:
    now = timezone.now()
    at = _instant(options["as_of"], programme) or now
    if at > now:
        raise CommandError("--as-of: it lies in the future; ask for a forecast", returncode=REFUSED)
    on = _instant(options["on"], programme)
    if on and on < now:
        raise CommandError("--on: the day must lie in the future; for the past ask with --as-of", returncode=REFUSED)
    return Asked(programme, account, at, _instant(options["known_at"], programme), on, now, watch)


def _instant(said: date | datetime | None, programme: Programme) -> datetime | None:
    if said is None or isinstance(said, datetime):
        return said
    return start_of_day(said, programme.tz)


def _rows(name: str, asked: Asked) -> Sequence[Any]:
    past: dict[str, Any] = {"at": asked.at, "known_at": asked.known_at}
    match name:
        case "liability":
            return liability(asked.programme, account=asked.account, watch=asked.watch, **past)
        case "movements":
            return movements(asked.programme, watch=asked.watch, **past)
        case "breakage":
            return breakage(asked.programme, watch=asked.watch, **past)
        case "law14":
            return [law_14(asked.programme, watch=asked.watch, **past)]
        case "balance":
            assert asked.account is not None
            return [asof.balance(asked.account, **past)]
        case "lots":
            assert asked.account is not None
            return held(asked.account, **past)
        case _:
            assert asked.on is not None
            return [forecast(asked.programme, on=asked.on, now=asked.now, account=asked.account, watch=asked.watch)]
