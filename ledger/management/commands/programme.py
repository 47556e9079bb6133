from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.management.base import BaseCommand, CommandError

from ledger import programmes
from ledger.errors import BadInput
from ledger.inputs import YEARS
from ledger.policies import Model, Rounding, Unit, start_of_day


class Command(BaseCommand):
    help = "Create a programme and its policy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="the short name: small letters, digits, hyphens")
        parser.add_argument("--name", required=True, help="the name that members see")
        parser.add_argument("--zone", default="Asia/Seoul", help="days begin and end here (default: Asia/Seoul)")
        parser.add_argument("--months", type=int, help="points live this many months; without it they never expire")
        parser.add_argument("--round", choices=Rounding.values, default="none", help="… up to the end of the period")
        parser.add_argument("--notice-days", type=int, default=0, help="nothing expires untold this many days ahead")
        parser.add_argument("--language", choices=["ko", "en"], default="ko", help="of messages (default: ko)")
        parser.add_argument("--currency", default="KRW", help="three letters (default: KRW)")
        parser.add_argument(
            "--from",
            dest="since",
            type=day,
            default=date(1900, 1, 1),
            help="the day from which the policy is in force (default: 1900-01-01, for feeds of the past)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["months"] is None and options["round"] != Rounding.NONE:
            raise CommandError("--round: points that never expire have no date to round; give --months as well")
        try:
            programme = programmes.create(
                code=options["code"],
                name=options["name"],
                zone=options["zone"],
                effective_from=since(options["since"], options["zone"]),
                model=Model.NEVER if options["months"] is None else Model.ROLLING,
                count=options["months"] or 0,
                unit=Unit.MONTHS,
                rounding=Rounding(options["round"]),
                notice_days=options["notice_days"],
                language=options["language"],
                currency=options["currency"],
            )
        except BadInput as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Programme {programme.code} is there: {programme.policies.get()}.")


def day(text: str) -> date:
    """A day of an option, within the calendar that time zones can handle."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"must be a day like 2011-05-01, not “{text}”") from None
    if found.year not in YEARS:
        raise ArgumentTypeError(f"the year must lie between {YEARS[0]} and {YEARS[-1]}")
    return found


def since(day: date, zone: str) -> datetime:
    """The first instant of the day in the zone; an unknown zone is refused by the programme itself."""
    return start_of_day(day, ZoneInfo(zone if zone in available_timezones() else "UTC"))
