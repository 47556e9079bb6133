"""`manage.py would_send --programme byeol --day 2026-03-01 --list 20`"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import astuple, fields
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.formats import number_format

from alerts.errors import BadInput
from alerts.proof import foretelling
from alerts.proof.foretelling import Count, Foretold, Message
from alerts.proof.spreadsheets import write_csv
from ledger.management.commands.programme import day
from ledger.models import Programme

REFUSED = 2  # exit code
MOST = 10_000
COLUMNS = ["programme", *(field.name for field in fields(Message))]


class Command(BaseCommand):
    help = (
        "Say what would be sent on a day by the rules as they stand, and why nothing is said to others. It writes and "
        "sends nothing. Exit code 0: there it is; 2: an option is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--programme", metavar="CODE", help="default: all")
        parser.add_argument("--day", type=day, metavar="DAY", help="today, the default, or a later one")
        shape = parser.add_mutually_exclusive_group()
        shape.add_argument("--list", type=_number, metavar="N", default=0, help="the first N messages, too")
        shape.add_argument("--csv", action="store_true", help="all messages as CSV instead of the figures")

    def handle(self, *args: Any, **options: Any) -> None:
        now, day = timezone.now(), options["day"]
        programmes = _programmes(options["programme"])
        try:
            if options["csv"]:
                asked = [(each, foretelling.messages(each, day=day, now=now)) for each in programmes]
                rows = ((each.code, *astuple(message)) for each, found in asked for message in found)
                write_csv(self, COLUMNS, rows)
                return
            for each in programmes:
                self._put(foretelling.foretell(each, day=day, now=now))
                listed = foretelling.messages(each, day=day, now=now, limit=options["list"]) if options["list"] else ()
                for message in listed:
                    self.stdout.write(_message(message))
        except BadInput as error:
            raise CommandError(f"--{error.field}: {error.detail}", returncode=REFUSED) from None

    def write(self, text: str) -> None:
        """A piece of CSV, as it is: lines of a command's own get an end of theirs."""
        self.stdout.write(text, ending="")

    def _put(self, found: Foretold) -> None:
        put = self.stdout.write
        put(f"{found.programme.code} on {found.day}: {_many(found.reminders)} new reminders")
        if found.stopped:
            put("  the programme is stopped: none of it goes out until a person lets it go on")
        for channel in found.stopped_channels:
            put(f"  the transport of {channel} is stopped")
        if found.held:
            put("  far above the usual: the guard would hold the day's plan until a person lets it go")
        for count in found.counts:
            put(f"  {_count(count)}")
        for count in found.earlier:
            put(f"  due before that day: {_count(count)}")
        for out in found.dropped:
            waived = f", {_many(out.waived)} of them waived in the ledger" if out.waived else ""
            put(f"  not: {out.why.label}: {_many(out.dates)} ({_many(out.points)} points){waived}")


def _programmes(code: str | None) -> list[Programme]:
    """The programme with this code, or all. Raises CommandError: there is none."""
    found = list(Programme.objects.filter(code=code) if code is not None else Programme.objects.all())
    if code is not None and not found:
        raise CommandError(f"--programme: there is no programme {code}", returncode=REFUSED)
    return found


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise ArgumentTypeError(f"must be a number from 1 to {MOST}, not “{text}”; --csv writes them all")
    return int(text)


def _count(count: Count) -> str:
    passing = f", {_many(count.pass_on)} of them pass on to the next channel" if count.pass_on else ""
    what = f"{count.channel}, {count.offset_days} days before, {count.stage.label}"
    return f"{what}: {_many(count.messages)} messages ({_many(count.points)} points){passing}"


def _message(message: Message) -> str:
    about = f"{message.expires_on} - {message.offset_days}"
    return f"    {message.member}  {about}  {message.channel}  {_many(message.points)} points"


def _many(number: int) -> str:
    return number_format(number, force_grouping=True)
