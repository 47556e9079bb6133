"""The kill switch: nothing is sent for a programme, or through a transport, until a person lets it go on.

What is stopped stays due; nothing is lost by stopping. Who did it, why and since when stands on the row.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from alerts.errors import BadInput
from alerts.models import TellingRules, Transport
from ledger.actors import Actor
from ledger.models import Programme

LONGEST_WHY = 200

_STOPPED = """
SELECT EXISTS (SELECT FROM alerts_tellingrules WHERE programme_id = %(programme)s AND stopped_at IS NOT NULL)
    OR EXISTS (SELECT FROM alerts_transport WHERE name = %(transport)s AND stopped_at IS NOT NULL)"""


def stop_programme(*, programme: Programme, by: Actor, why: str, now: datetime) -> None:
    """Send nothing for this programme from now on. Raises BadInput: no reason, or it is stopped already."""
    why = _reason(why)
    with transaction.atomic():
        TellingRules.objects.get_or_create(programme=programme)
        running = TellingRules.objects.filter(programme=programme, stopped_at=None)
        if not running.update(stopped_at=now, stopped_by=str(by), stopped_why=why):
            raise BadInput("The programme is stopped already.", field="programme")


def resume_programme(*, programme: Programme, by: Actor, why: str, now: datetime) -> None:
    """Go on sending for this programme. Who let it go on, and why, replaces who stopped it. Raises BadInput: no reason,
    or it is not stopped."""
    why = _reason(why)
    stopped = TellingRules.objects.filter(programme=programme, stopped_at__lte=now)
    if not stopped.update(stopped_at=None, stopped_by=str(by), stopped_why=why):
        raise BadInput("The programme is not stopped.", field="programme")


def stop_transport(*, name: str, by: Actor, why: str, now: datetime) -> None:
    """Send nothing through this transport from now on. Raises BadInput: no name, no reason, or it is stopped already.

    The name need not be in use: whoever is about to change the settings can stop it before.
    """
    why = _reason(why)
    longest = Transport._meta.get_field("name").max_length or 0
    if not name or len(name) > longest:
        raise BadInput(f"A transport has a name of at most {longest} letters.", field="name")
    with transaction.atomic():
        Transport.objects.get_or_create(name=name)
        running = Transport.objects.filter(name=name, stopped_at=None)
        if not running.update(stopped_at=now, stopped_by=str(by), stopped_why=why):
            raise BadInput("The transport is stopped already.", field="name")


def resume_transport(*, name: str, by: Actor, why: str, now: datetime) -> None:
    """Go on sending through this transport. Who let it go on, and why, replaces who stopped it. Raises BadInput: no
    reason, or it is not stopped."""
    why = _reason(why)
    stopped = Transport.objects.filter(name=name, stopped_at__lte=now)
    if not stopped.update(stopped_at=None, stopped_by=str(by), stopped_why=why):
        raise BadInput("The transport is not stopped.", field="name")


def stopped(programme_id: int, transport: str) -> bool:
    """Whether a person stopped this programme or this transport: asked before every message, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_STOPPED, {"programme": programme_id, "transport": transport})
        row = cursor.fetchone()
    return bool(row and row[0])


def _reason(why: str) -> str:
    """One line that says why."""
    why = " ".join(why.split())
    if not why or "\0" in why or len(why) > LONGEST_WHY:
        raise BadInput(f"Say why, in at most {LONGEST_WHY} letters.", field="why")
    return why
