from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ledger.audit import batches
from ledger.errors import AccountBusy
from ledger.models import Account, Programme
from ledger.projections import Refused, correct, differences
from ledger.retelling import Difference


class Command(BaseCommand):
    help = (
        "Work every number that is kept beside the entries out again from them, and correct what differs; with --check "
        "only print it. Exit code 0: nothing differed, or all is corrected; 1: something differs still; 2: it was "
        "asked wrongly. It can be stopped at any point and run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="print what differs; correct nothing")
        parser.add_argument("--programme", metavar="CODE", help="only this programme (default: all)")
        parser.add_argument("--after", type=int, default=0, metavar="ID", help="go on behind this account")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = Account.objects.all()
        if options["programme"]:
            programme = Programme.objects.filter(code=options["programme"]).first()
            if programme is None:
                raise CommandError(f"--programme: there is no programme {options['programme']}", returncode=2)
            accounts = accounts.filter(programme=programme)
        handle = self._check if options["check"] else self._correct
        left, reached = 0, options["after"]
        total = accounts.filter(pk__gt=reached).count()
        with tqdm(total=total, desc="projections", unit=" accounts", file=sys.stderr, disable=None) as bar:
            try:
                for batch in batches(accounts, after=reached):
                    left += handle(batch)
                    reached = batch[-1]
                    bar.update(len(batch))
            except KeyboardInterrupt:
                raise CommandError(f"stopped: go on with --after {reached}", returncode=130) from None
        said = f"{left} differences in {total} accounts."
        self.stdout.write(said if options["check"] else f"{total} accounts, {left} of them could not be corrected.")
        if left:
            sys.exit(1)

    def _check(self, account_ids: Sequence[int]) -> int:
        """Prints what differs; returns how much."""
        return self._print(differences(account_ids))

    def _correct(self, account_ids: Sequence[int]) -> int:
        """Corrects those that differ; returns how many accounts could not be."""
        left = 0
        for account_id in dict.fromkeys(difference.account_id for difference in differences(account_ids)):
            try:
                done = correct(account_id)
            except AccountBusy:
                done = Refused(account_id, "somebody is writing to it; run this again")
            if isinstance(done, Refused):
                left += 1
                self.stdout.write(str(done))
            else:
                self._print(done, "corrected: ")
        return left

    def _print(self, found: Iterable[Difference], before: str = "") -> int:
        number = 0
        for difference in found:
            number += 1
            self.stdout.write(f"{before}account {difference.account_id}: {difference}")
        return number
