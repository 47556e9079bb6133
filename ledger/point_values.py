"""What a point is worth in money: a dated fact of a programme, so that a figure of the past keeps its money."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from ledger import programmes
from ledger.actors import Actor
from ledger.errors import BadInput
from ledger.inputs import check_new_date
from ledger.models import BEGINNING, Account, PointValue, Programme


def value_at(programme: Programme, *, at: datetime, known_at: datetime | None = None) -> PointValue:
    """The value that counted at `at`, as known at `known_at` (None: now): the newest that had begun; of two that begin
    together the one recorded later.

    A programme's first value counts wherever no other does: nothing else was ever believed before it.
    """
    values = list(programme.point_values.order_by("pk"))
    begun = [one for one in values if one.since <= at and (known_at is None or one.recorded_at <= known_at)]
    return max(begun, key=lambda one: (one.since, one.pk), default=values[0])


def record(
    *, programme: Programme, value: Decimal, currency: str, now: datetime, by: Actor, since: datetime | None = None
) -> PointValue:
    """Record what a point is worth from `since` on; None: from now on, and for all times if it is the first.

    Raises BadInput naming the field for a value or currency that cannot be and for a day that reaches back,
    ProgrammeBusy.
    """
    with transaction.atomic():
        locked = programmes.lock(programme.pk)
        begins = since or (now if locked.point_values.exists() else BEGINNING)
        row = PointValue(programme=locked, since=begins, value=value, currency=currency, recorded_at=now, actor=str(by))
        programmes.check(row)
        check_since(locked, begins, now=now)
        row.save(force_insert=True)
    return row


def check_since(programme: Programme, since: datetime, *, now: datetime) -> None:
    """Raises BadInput for a value that would reach back: what was reported in money stays as it was reported.

    While nothing at all is on record in the programme there is nothing to report, and a value can begin at any time.
    """
    if check_new_date(since, now=now, field="since") >= now:
        return
    if Account.objects.filter(programme=programme, seq__gt=0).exists():
        raise BadInput("A value of a point counts from now on, never back.", field="since")
