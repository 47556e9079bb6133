"""Run a fake of the providers' HTTP interfaces on localhost until it is stopped."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alerts.fakes.faults import MODES, shares
from alerts.fakes.hooks import WAYS, Posting, Secrets, Sender
from alerts.fakes.server import SLOW, FakeProvider

STOPPING = (signal.SIGTERM, signal.SIGINT)


class Command(BaseCommand):
    help = "Speak the interfaces of Solapi, NHN Cloud, Twilio and Postmark on localhost, as well or badly as asked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8025, help="where it listens; 0: any free port, printed")
        parser.add_argument(
            "--mode",
            action="append",
            default=[],
            metavar="MODE[:SHARE]",
            help=f"how it answers, any number of times: {', '.join(MODES)}; 503:0.05 is for one call in twenty",
        )
        parser.add_argument("--slow", type=float, default=SLOW, help="seconds that mode slow waits")
        parser.add_argument("--seed", type=int, default=1, help="of the draws")
        parser.add_argument("--journal", type=Path, help="a file that gets a line of JSON for every message taken")
        parser.add_argument("--hooks", metavar="URL", help="report what was taken to this site, SITE_URL for instance")
        parser.add_argument(
            "--hook-mode", action="append", default=[], choices=WAYS, help="how it reports, any number of times"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            modes = shares(options["mode"])
        except ValueError as error:
            raise CommandError(f"--mode: {error}") from error
        if options["slow"] < 0:
            raise CommandError("--slow: must not be negative")
        posting = None
        if options["hooks"]:
            posting = Posting(Sender(options["hooks"].rstrip("/"), _secrets()), options["hook_mode"])
        try:
            fake = FakeProvider(
                options["port"],
                shares=modes,
                slow=options["slow"],
                seed=options["seed"],
                journal=options["journal"],
                posting=posting,
            )
        except (OSError, OverflowError) as error:
            raise CommandError(f"--port: {error}") from error
        # Waited for, not handled: a handler that sets what this thread waits for can interrupt it with its lock held.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        with fake:
            self.stdout.write(f"listening on {fake.url}")
            self.stdout.flush()
            signal.sigwait(STOPPING)


def _secrets() -> Secrets:
    return Secrets(
        solapi_header=settings.SOLAPI["webhook_header"],
        solapi=settings.SOLAPI["webhook_secret"],
        nhn=settings.NHN["webhook_signature"],
        twilio=settings.TWILIO["auth_token"],
        anymail=settings.ESP["webhook_secret"],
    )
