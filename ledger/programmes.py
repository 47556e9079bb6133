"""Programmes and their policies: setting one up, and adding the policies that follow."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from ledger.comparing import worsened
from ledger.errors import BadInput, NoPolicy, WorseTooSoon
from ledger.inputs import check_instant
from ledger.models import Policy, Programme
from ledger.rules import rules_of


def create(
    *,
    code: str,
    name: str,
    zone: str,
    effective_from: datetime,
    language: str = "ko",
    currency: str = "KRW",
    earn_rate: Decimal = Decimal(1),
    **terms: object,
) -> Programme:
    """Create a programme with its first policy, in force from `effective_from`, which may lie in the past.

    `terms` are the fields of the policy, such as `count`, `unit`, `rounding`, `notice_days`. Raises BadInput naming the
    field.
    """
    programme = Programme(code=code, name=name, zone=zone, language=language, currency=currency, earn_rate=earn_rate)
    policy = Policy(effective_from=effective_from, **terms)
    with transaction.atomic():
        _checked_save(programme)
        policy.programme = programme
        _checked_save(policy)
    return programme


def add_policy(*, programme: Programme, effective_from: datetime, now: datetime, **terms: object) -> Policy:
    """Add a policy for points granted from `effective_from` on, which lies ahead. It changes no lot that exists.

    `terms` are the fields of the policy; `announced_on` says when members were told. Raises BadInput naming the field,
    WorseTooSoon when new points would be worse and that is not announced the programme's notice before.
    """
    policy = Policy(programme=programme, effective_from=check_instant(effective_from, field="effective_from"), **terms)
    with transaction.atomic():
        _check(policy)
        check_prospective(policy, now=now)
        policy.save()
    return policy


def check_prospective(policy: Policy, *, now: datetime) -> None:
    """Raises BadInput when a policy after the first would reach back, WorseTooSoon when it comes without its notice."""
    programme, since = policy.programme, policy.effective_from
    rules = rules_of(programme.pk)
    if not rules.dated:
        return
    if since < now:
        raise BadInput("A policy takes effect from now on, never back.", field="effective_from")
    try:
        old = rules.in_force(since, policy.origin)
    except NoPolicy:
        return
    worse = worsened(policy.terms(), old, since)
    latest = since.astimezone(programme.tz).date() - timedelta(days=programme.policy_notice_days)
    if worse and (policy.announced_on is None or policy.announced_on > latest):
        raise WorseTooSoon(
            f"New points would be worse ({', '.join(worse)}): this must be announced by {latest}.", field="announced_on"
        )


def _checked_save(row: Programme | Policy) -> None:
    _check(row)
    row.save()


def _check(row: Programme | Policy) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise BadInput(" ".join(messages), field=field) from error
