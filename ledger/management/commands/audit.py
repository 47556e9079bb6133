from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ledger.audit import audit
from ledger.models import Account, Programme


class Command(BaseCommand):
    help = "Check that everything adds up. Prints each finding; exit code 0 when there is none, 1 otherwise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--programme", metavar="CODE", help="only this programme (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        programme = None
        if options["programme"]:
            programme = Programme.objects.filter(code=options["programme"]).first()
            if programme is None:
                raise CommandError(f"--programme: there is no programme {options['programme']}", returncode=2)
        accounts = Account.objects.filter(programme=programme) if programme else Account.objects.all()
        findings = 0
        with tqdm(total=accounts.count(), desc="audit", unit=" accounts", file=sys.stderr, disable=None) as bar:
            for finding in audit(programme_id=programme.pk if programme else None, progress=bar.update):
                findings += 1
                self.stdout.write(str(finding))
        self.stdout.write(f"{findings} findings in {accounts.count()} accounts.")
        if findings:
            sys.exit(1)
