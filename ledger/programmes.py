"""Programmes and the policies in force: setting one up, and reading its rules for an act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction

from ledger.errors import BadInput, NoPolicy
from ledger.models import Policy, Programme
from ledger.policies import Model, Rounding, Terms, Unit


@dataclass(frozen=True, slots=True)
class Rules:
    """A programme's rules as plain values: its zone, and its policies, newest first."""

    zone: ZoneInfo
    dated: Sequence[tuple[datetime, str, Terms]]  # (in force from, origin or "", terms)

    def in_force(self, at: datetime, origin: str) -> Terms:
        """The newest policy in force at `at`: one for this origin before one for all. Raises NoPolicy."""
        for wanted in (origin, ""):
            for since, policy_origin, terms in self.dated:
                if policy_origin == wanted and since <= at:
                    return terms
        raise NoPolicy(field="policy")

    def terms(self, policy_id: int) -> Terms:
        """The terms of a lot's own policy."""
        return next(terms for _, _, terms in self.dated if terms.policy_id == policy_id)


def rules_of(programme_id: int) -> Rules:
    """Read a programme's rules."""
    programme = Programme.objects.get(pk=programme_id)
    policies = Policy.objects.filter(programme=programme).order_by("-effective_from", "-pk")
    dated = []
    for policy in policies:
        policy.programme = programme
        dated.append((policy.effective_from, policy.origin, policy.terms()))
    return Rules(zone=programme.tz, dated=dated)


def create(
    *,
    code: str,
    name: str,
    zone: str,
    effective_from: datetime,
    model: Model = Model.ROLLING,
    count: int = 0,
    unit: Unit = Unit.MONTHS,
    rounding: Rounding = Rounding.NONE,
    notice_days: int = 0,
    notice_slack: int = 3,
    language: str = "ko",
    currency: str = "KRW",
    earn_rate: Decimal = Decimal(1),
) -> Programme:
    """Create a programme with its first policy, in force from `effective_from`. Raises BadInput naming the field."""
    programme = Programme(code=code, name=name, zone=zone, language=language, currency=currency, earn_rate=earn_rate)
    policy = Policy(
        effective_from=effective_from,
        model=model,
        count=count,
        unit=unit,
        rounding=rounding,
        notice_days=notice_days,
        notice_slack=notice_slack,
    )
    with transaction.atomic():
        _checked_save(programme)
        policy.programme = programme
        _checked_save(policy)
    return programme


def _checked_save(row: Programme | Policy) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise BadInput(" ".join(messages), field=field) from error
    row.save()
