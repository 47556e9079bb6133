"""The kill switch: nothing is sent for a programme, or through a transport, until a person lets it go on.

What is stopped stays due; nothing is lost by stopping. Who did it last, why and since when stands on the row that is
asked; a Stop, written with it, says so of every time.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from alerts.errors import BadInput
from alerts.models import Stop, TellingRules, Transport
from alerts.reasons import reason
from ledger.actors import Actor
from ledger.models import Programme

_STOPPED = """
SELECT EXISTS (SELECT FROM alerts_tellingrules WHERE programme_id = %(programme)s AND stopped_at IS NOT NULL)
    OR EXISTS (SELECT FROM alerts_transport WHERE name = %(transport)s AND stopped_at IS NOT NULL)"""


def stop_programme(*, programme: Programme, by: Actor, why: str, now: datetime) -> None:
    """Send nothing for this programme from now on. Raises BadInput: no reason, or it is stopped already."""
    why = reason(why)
    with transaction.atomic():
        TellingRules.objects.get_or_create(programme=programme)
        running = TellingRules.objects.filter(programme=programme, stopped_at=None)
        if not running.update(stopped_at=now, stopped_by=str(by), stopped_why=why):
            raise BadInput(_("The programme is stopped already."), field="programme")
        Stop.objects.create(programme=programme, stopped=True, by=str(by), why=why, at=now)


def resume_programme(*, programme: Programme, by: Actor, why: str, now: datetime) -> None:
    """Go on sending for this programme. On its row, who let it go on, and why, replaces who stopped it. Raises
    BadInput: no reason, or it is not stopped."""
    why = reason(why)
    with transaction.atomic():
        stopped = TellingRules.objects.filter(programme=programme, stopped_at__isnull=False)
        if not stopped.update(stopped_at=None, stopped_by=str(by), stopped_why=why):
            raise BadInput(_("The programme is not stopped."), field="programme")
        Stop.objects.create(programme=programme, stopped=False, by=str(by), why=why, at=now)


def stop_transport(*, name: str, by: Actor, why: str, now: datetime) -> None:
    """Send nothing through this transport from now on. Raises BadInput: no name, no reason, or it is stopped already.

    The name need not be in use: whoever is about to change the settings can stop it before.
    """
    why = reason(why)
    longest = Transport._meta.get_field("name").max_length or 0
    if not name or len(name) > longest:
        rule = _("A transport has a name of at most %(number)d letters.")
        raise BadInput(rule % {"number": longest}, field="name")
    with transaction.atomic():
        Transport.objects.get_or_create(name=name)
        running = Transport.objects.filter(name=name, stopped_at=None)
        if not running.update(stopped_at=now, stopped_by=str(by), stopped_why=why):
            raise BadInput(_("The transport is stopped already."), field="name")
        Stop.objects.create(transport=name, stopped=True, by=str(by), why=why, at=now)


def resume_transport(*, name: str, by: Actor, why: str, now: datetime) -> None:
    """Go on sending through this transport. On its row, who let it go on, and why, replaces who stopped it. Raises
    BadInput: no reason, or it is not stopped."""
    why = reason(why)
    with transaction.atomic():
        stopped = Transport.objects.filter(name=name, stopped_at__isnull=False)
        if not stopped.update(stopped_at=None, stopped_by=str(by), stopped_why=why):
            raise BadInput(_("The transport is not stopped."), field="name")
        Stop.objects.create(transport=name, stopped=False, by=str(by), why=why, at=now)


def stopped(programme_id: int, transport: str) -> bool:
    """Whether a person stopped this programme or this transport: asked before every message, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_STOPPED, {"programme": programme_id, "transport": transport})
        row = cursor.fetchone()
    return bool(row and row[0])


def transport_stopped(transport: str) -> bool:
    """The same of a transport alone: asked before what belongs to no programme, a code or a test."""
    return Transport.objects.filter(name=transport, stopped_at__isnull=False).exists()
