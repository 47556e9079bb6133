"""Where members live: the time zone by whose clock they are written to.

It stands with each address, and is read there when a message goes out: quiet hours, and the last day and time in the
words, are by that clock. Where none stands the programme's counts.
"""

from __future__ import annotations

import logging
import zoneinfo
from functools import cache
from importlib.resources import files

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from alerts.errors import BadInput
from alerts.models import Contact
from alerts.models.contact import validate_zone_in_database
from ledger.actors import Actor
from ledger.models import Member
from ledger.models.programme import validate_zone

logger = logging.getLogger(__name__)


@cache
def to_choose_from() -> tuple[str, ...]:
    """The zones that people live in, as “Asia/Seoul”, sorted.

    Those of `zone.tab`, which the tz database keeps for choosing: each place by its present name, none by an old one.
    """
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    places = {line.split("\t")[2] for line in table.splitlines() if not line.startswith("#")}
    return tuple(sorted(places & zoneinfo.available_timezones()))


def zone_of(member_id: int) -> str:
    """The zone of the member's oldest address; empty: their programme's, or there is no address."""
    zones = Contact.objects.filter(member_id=member_id).order_by("pk").values_list("zone", flat=True)
    return zones.first() or ""


def move(*, member: Member, zone: str, by: Actor) -> None:
    """Write to a member by the clock of this zone, at all of their addresses; empty: by their programme's.

    What is planned already is asked at the moment of sending, and so follows. Raises BadInput naming `zone`, with
    nothing written: there is no such zone, or no address yet with which it could stand.
    """
    _look_whether_it_is_one(zone)
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=member.pk)  # an address entered meanwhile gets it, too
        addresses = Contact.objects.filter(member=member)
        if not addresses.exists():
            raise BadInput(_("Please add an address first: the time zone is kept with it."), field="zone")
        moved = list(addresses.exclude(zone=zone).order_by("pk").values_list("pk", flat=True))
        addresses.filter(pk__in=moved).update(zone=zone)
    for pk in moved:
        logger.info("contact %s was given another time zone by %s", pk, by)  # not which: it tells where somebody lives


def _look_whether_it_is_one(zone: str) -> None:
    if not zone:
        return
    try:
        validate_zone(zone)
        validate_zone_in_database(zone)
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), field="zone") from error
