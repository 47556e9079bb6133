from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Sum
from django.utils import timezone
from tqdm import tqdm

from ledger import sealing, seals
from ledger.models import Seal


class Command(BaseCommand):
    help = (
        "Seal what moved since the last seal; or verify all seals: prints each finding, exit code 0 when there is "
        "none, 1 otherwise."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--verify", action="store_true", help="check all seals against the ledger; make none")
        what.add_argument("--public-key", action="store_true", help="print the public key of SEAL_KEY, for auditors")
        parser.add_argument(
            "--noted",
            type=noted,
            action="append",
            default=[],
            metavar="NUMBER:HASH",
            help="with --verify: a seal that you noted elsewhere must still be there; can be given several times",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["noted"] and not options["verify"]:
            raise CommandError("--noted: give it together with --verify", returncode=2)
        if options["public_key"]:
            self._public_key()
        elif options["verify"]:
            self._verify(dict(options["noted"]))
        else:
            self._seal()

    def _seal(self) -> None:
        try:
            made = seals.seal(now=timezone.now())
        except ImproperlyConfigured as error:
            raise CommandError(str(error), returncode=2) from None
        if made is None:
            self.stdout.write("Nothing moved since the last seal.")
            return
        self.stdout.write(f"Seal {made.number} of {made.accounts} accounts.")
        self.stdout.write(f"root {bytes(made.root).hex()}")
        self.stdout.write(f"note {made.number}:{bytes(made.hash).hex()}")

    def _public_key(self) -> None:
        if not settings.SEAL_KEY:
            raise CommandError("SEAL_KEY is not set: there is no public key of it", returncode=2)
        self.stdout.write(sealing.as_text(sealing.public_key(settings.SEAL_KEY)))

    def _verify(self, known: dict[int, bytes]) -> None:
        leaves = Seal.objects.aggregate(sum=Sum("accounts"))["sum"] or 0
        findings = 0
        with tqdm(total=int(leaves), desc="seals", unit=" leaves", file=sys.stderr, disable=None) as bar:
            for finding in seals.verify(noted=known, progress=bar.update):
                findings += 1
                self.stdout.write(str(finding))
        last = seals.newest()
        until = f"; the newest is seal {last.number} of {last.sealed_at:%Y-%m-%d %H:%M} UTC" if last else ""
        self.stdout.write(f"{findings} findings in {Seal.objects.count()} seals{until}.")
        if findings:
            sys.exit(1)


def noted(text: str) -> tuple[int, bytes]:
    """A seal as the command prints it: its number and its hash."""
    number, _, digits = text.partition(":")
    try:
        found = int(number), bytes.fromhex(digits)
    except ValueError:
        found = 0, b""
    if found[0] < 1 or len(found[1]) != 32:
        raise ArgumentTypeError(f"must be a number and a hash, as the line “note” shows them, not “{text}”")
    return found
