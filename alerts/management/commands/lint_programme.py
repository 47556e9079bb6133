"""Hold programmes against their packs of rules: `manage.py lint_programme`, or some: `manage.py lint_programme moa`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from alerts.rules.linting import lint
from alerts.rules.packs import PACKS
from ledger.models import Programme


class Command(BaseCommand):
    help = (
        "Print in what programmes break the rules of telling that they are held against, with the source of each. "
        "Exit code 1: something is broken for which no exception was made."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("codes", nargs="*", metavar="CODE", help="of the programmes; default: all")

    def handle(self, *args: Any, codes: list[str], **options: Any) -> None:
        programmes = Programme.objects.select_related("telling").order_by("code")
        known = {programme.code: programme for programme in programmes}
        unknown = [code for code in codes if code not in known]
        if unknown:
            raise CommandError(f"There is no programme {', '.join(unknown)}.", returncode=2)
        broken = [self._report(known[code]) for code in (dict.fromkeys(codes) or known)]
        if any(broken):
            raise SystemExit(1)

    def _report(self, programme: Programme) -> int:
        """Print a programme's findings; returns how many of them have no exception."""
        findings = lint(programme, now=timezone.now())
        rules = getattr(programme, "telling", None)
        pack = rules.pack if rules and rules.pack in PACKS else "no pack: held against what holds for all"
        self.stdout.write(f"{programme.code} ({pack})")
        for finding in findings:
            made = finding.overridden_by
            self.stdout.write(f"  {'exception' if made else 'BROKEN'}  {finding.rule}  {finding.field}")
            self.stdout.write(f"    asked    {finding.asks}")
            self.stdout.write(f"    there is {finding.has}")
            self.stdout.write(f"    source   {finding.source.text} ({finding.source.sure.label})")
            if made:
                self.stdout.write(f"    reason   {made}")
        open_ones = sum(finding.overridden_by is None for finding in findings)
        self.stdout.write(f"  {len(findings)} found, {open_ones} without an exception")
        return open_ones
