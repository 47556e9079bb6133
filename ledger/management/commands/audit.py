from __future__ import annotations

import sys
from argparse import ArgumentParser
from contextlib import closing
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from ledger.models import Account, Mode, Programme, Verdict
from ledger.verdicts import Run

INTERRUPTED = 130  # what a shell says of a command that Ctrl-C ended


class Command(BaseCommand):
    help = (
        "Check that everything adds up: what moved since the last run or, with --full, every fact. Prints each finding "
        "as it is found and keeps a verdict. Exit code 0: no finding; 1: findings; 2: it was asked wrongly; 130: "
        "interrupted, and what was done is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--programme", metavar="CODE", help="only this programme (default: all)")
        parser.add_argument("--account", metavar="REFERENCE", help="only the account of this member, whole")
        parser.add_argument("--full", action="store_true", help="tell every account again from its first entry")
        parser.add_argument(
            "--resume", action="store_true", help="with --full: go on where the last full run was interrupted"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run = self._run(options)
        accounts = Account.objects.filter(pk__gt=run.after)
        if run.programme:
            accounts = accounts.filter(programme=run.programme)
        total = 1 if run.account else accounts.count()
        with tqdm(total=total, desc="audit", unit=" accounts", file=sys.stderr, disable=None) as bar:
            run.progress = bar.update
            try:
                with closing(run.findings()) as found:
                    for finding in found:
                        self.stdout.write(str(finding))
            except KeyboardInterrupt:
                pass  # the verdict says so
            finally:
                verdict = run.keep(ended_at=timezone.now())
        self.stdout.write(_summary(verdict))
        if verdict.interrupted:
            sys.exit(INTERRUPTED)
        if verdict.findings:
            sys.exit(1)

    def _run(self, options: dict[str, Any]) -> Run:
        programme = account = None
        if options["programme"]:
            programme = Programme.objects.filter(code=options["programme"]).first()
            if programme is None:
                raise CommandError(f"--programme: there is no programme {options['programme']}", returncode=2)
        if options["account"]:
            accounts = Account.objects.filter(member__reference=options["account"])
            found = list(accounts.filter(programme=programme) if programme else accounts)
            if not found:
                raise CommandError(f"--account: there is no member {options['account']}", returncode=2)
            if len(found) > 1:
                raise CommandError(
                    f"--account: {len(found)} programmes have a member {options['account']}: name the --programme",
                    returncode=2,
                )
            (account,) = found
        full = options["full"] or account is not None
        run = Run(Mode.FULL if full else Mode.MOVED, timezone.now(), programme, account)
        if options["resume"]:
            if not options["full"] or account:
                raise CommandError("--resume: give it together with --full", returncode=2)
            last = Verdict.objects.filter(mode=Mode.FULL, programme=programme, account=None).order_by("pk").last()
            if last is None or not last.interrupted:
                raise CommandError("--resume: no full run was interrupted", returncode=2)
            run.after = last.reached
        return run


def _summary(verdict: Verdict) -> str:
    said = f"{verdict.findings} findings in {verdict.accounts} accounts"
    if verdict.told != verdict.accounts:
        said += f", {verdict.told} of them told again"
    return said + ("; interrupted." if verdict.interrupted else ".")
