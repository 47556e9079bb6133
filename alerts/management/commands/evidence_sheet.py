"""`manage.py evidence_sheet --member minji --programme byeol --format html > minji.html`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.loader import render_to_string
from django.utils import timezone

from alerts.errors import BadInput
from alerts.proof import lines, sheet
from alerts.proof.readers import Reader
from ledger.management.commands.programme import day
from ledger.models import Account, Programme

REFUSED = 2  # exit code


class Command(BaseCommand):
    help = (
        "Write to standard output what was planned, sent, accepted, delivered and said to a member, and what the "
        "ledger holds of it. Exit code 0: there it is; 2: an option is refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--member", required=True, metavar="REFERENCE")
        parser.add_argument("--programme", metavar="CODE", help="needed where the reference stands in several")
        parser.add_argument("--format", choices=["csv", "html"], default="csv", help="default: csv")
        parser.add_argument("--since", type=day, metavar="DAY", help="only points with this last day or a later one")
        parser.add_argument("--until", type=day, metavar="DAY", help="only points with this last day or an earlier one")
        parser.add_argument("--for-member", action="store_true", help="a copy for the member: nothing of the staff")
        parser.add_argument("--whole-addresses", action="store_true", help="addresses that are not masked")

    def handle(self, *args: Any, **options: Any) -> None:
        account = _account(options["member"], options["programme"])
        reader = Reader(sees_addresses=options["whole_addresses"], sees_staff=not options["for_member"])
        try:
            found = sheet.whole(
                account, reader=reader, now=timezone.now(), since=options["since"], until=options["until"]
            )
        except BadInput as error:
            raise CommandError(f"--{error.field}: {error.detail}", returncode=REFUSED) from None
        self.stdout.write(lines.csv_of(found) if options["format"] == "csv" else _page(found), ending="")


def _account(reference: str, code: str | None) -> Account:
    """The account of the member. Raises CommandError: there is none, or there are several."""
    programmes = Programme.objects.filter(code=code) if code else Programme.objects.all()
    if code and not programmes.exists():
        raise CommandError(f"--programme: there is no programme {code}", returncode=REFUSED)
    # By programme: that is the first column of the index of references.
    accounts = Account.objects.select_related("member", "programme").filter(member__programme__in=programmes)
    found = list(accounts.filter(member__reference=reference).order_by("pk")[:2])
    if not found:
        raise CommandError(f"--member: there is no member {reference}", returncode=REFUSED)
    if len(found) > 1:
        raise CommandError("--programme: this reference stands in several programmes; name one", returncode=REFUSED)
    return found[0]


def _page(found: sheet.Sheet) -> str:
    """A page by itself: it is opened from a disk, where no server has its style sheet."""
    style = Path(str(finders.find("alerts/proof.css"))).read_text(encoding="utf-8")
    return render_to_string("alerts/proof/standalone.html", {"sheet": found, "style": style})
