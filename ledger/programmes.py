"""Programmes and their policies: setting one up, and adding the policies that follow."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from psycopg import errors as pg

from ledger.actors import Actor
from ledger.comparing import worsened
from ledger.errors import BadInput, NoPolicy, ProgrammeBusy, WorseTooSoon
from ledger.inputs import check_instant
from ledger.models import BEGINNING, PointValue, Policy, Programme
from ledger.policies import Rules, Terms
from ledger.rules import rules_of


def create(
    *,
    code: str,
    name: str,
    zone: str,
    effective_from: datetime,
    language: str = "ko",
    currency: str = "KRW",
    point_value: Decimal = Decimal(1),
    earn_rate: Decimal = Decimal(1),
    **terms: object,
) -> Programme:
    """Create a programme with its first policy, in force from `effective_from`, which may lie in the past.

    A point is worth `point_value` in `currency`, for all times until another value is recorded (`point_values.py`).
    `terms` are the fields of the policy, such as `count`, `unit`, `rounding`, `notice_days`. Raises BadInput naming the
    field.
    """
    programme = Programme(code=code, name=name, zone=zone, language=language, earn_rate=earn_rate)
    worth = PointValue(since=BEGINNING, value=point_value, currency=currency, actor=str(Actor("system", "setup")))
    policy = Policy(effective_from=effective_from, **terms)
    with transaction.atomic():
        _checked_save(programme)
        policy.programme = worth.programme = programme
        worth.recorded_at = programme.created_at
        _checked_save(worth, value="point_value")
        _checked_save(policy)
    return programme


def add_policy(*, programme: Programme, effective_from: datetime, now: datetime, **terms: object) -> Policy:
    """Add a policy for points granted from `effective_from` on, which lies ahead. It changes no lot that exists.

    `terms` are the fields of the policy; `announced_on` says when members were told. Raises BadInput naming the field,
    WorseTooSoon when new points would be worse and that is not announced the programme's notice before, ProgrammeBusy.
    """
    policy = Policy(effective_from=check_instant(effective_from, field="effective_from"), **terms)
    with transaction.atomic():
        policy.programme = lock(programme.pk)
        check(policy)
        check_prospective(policy, now=now)
        policy.save()
    return policy


def lock(programme_id: int) -> Programme:
    """Lock a programme until the end of the transaction that is open, for adding to it, one at a time.

    Each policy is compared with those before it: two that were added at once would each not see the other. No act waits
    for this lock. Raises ProgrammeBusy when somebody else has it for as long as the connection waits for locks.
    """
    assert connection.in_atomic_block, "without a transaction the lock would be gone at once"
    try:
        with transaction.atomic():
            return Programme.objects.select_for_update(no_key=True).get(pk=programme_id)
    except OperationalError as error:
        if isinstance(error.__cause__, pg.LockNotAvailable):
            raise ProgrammeBusy(field="programme") from error
        raise


def check_prospective(policy: Policy, *, now: datetime) -> None:
    """Raises BadInput when a policy after the first would reach back, WorseTooSoon when it comes without its notice, or
    lets one that stands on record for later come without it: worse than what was there before that is what counts.

    It holds for as long as nobody else can add one: the programme is to be locked before, in the transaction that
    writes the policy.
    """
    programme, since = policy.programme, policy.effective_from
    rules = rules_of(programme.pk)
    if not rules.dated:
        return
    if since < now:
        raise BadInput("A policy takes effect from now on, never back.", field="effective_from")
    unannounced = _unannounced(policy, _in_force(rules, since, policy.origin))
    if unannounced:
        raise WorseTooSoon(unannounced, field="announced_on")
    new = policy.terms()
    dated = sorted([*rules.dated, (since, policy.origin, new)], key=lambda one: one[0], reverse=True)
    with_it = Rules(zone=rules.zone, dated=dated)
    for later in Policy.objects.filter(programme=programme, effective_from__gt=since):
        later.programme = programme
        before = _in_force(with_it, later.effective_from - timedelta(microseconds=1), later.origin)
        unannounced = _unannounced(later, before) if before is new else ""  # else it was looked at when it was added
        if unannounced:
            day = later.effective_from.astimezone(programme.tz).date()
            raise WorseTooSoon(f"Behind it, with the policy of {day}: {unannounced}", field="effective_from")


def _in_force(rules: Rules, at: datetime, origin: str) -> Terms | None:
    try:
        return rules.in_force(at, origin)
    except NoPolicy:
        return None


def _unannounced(policy: Policy, old: Terms | None) -> str:
    """What this policy makes worse than the `old` one that it follows, where that was not announced in time."""
    since, programme = policy.effective_from, policy.programme
    worse = worsened(policy.terms(), old, since) if old else []
    latest = since.astimezone(programme.tz).date() - timedelta(days=programme.policy_notice_days)
    if not worse or (policy.announced_on is not None and policy.announced_on <= latest):
        return ""
    return f"New points would be worse ({', '.join(worse)}): this must be announced by {latest}."


def _checked_save(row: Programme | Policy | PointValue, **called: str) -> None:
    check(row, **called)
    row.save()


def check(row: Programme | Policy | PointValue, **called: str) -> None:
    """Raises BadInput naming the field at fault, or what it is `called` by the caller."""
    try:
        row.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise BadInput(" ".join(messages), field=called.get(field, field)) from error
