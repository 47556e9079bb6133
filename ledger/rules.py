"""Reading a programme's rules: its zone and its policies, as plain values.

Policies are only ever added and never change, so their number says whether rules that were read before still hold.
"""

from __future__ import annotations

from functools import lru_cache

from ledger.models import Policy, Programme
from ledger.policies import Rules


def rules_of(programme_id: int) -> Rules:
    """The rules of a programme, read now."""
    programme = Programme.objects.get(pk=programme_id)
    dated = []
    for policy in Policy.objects.filter(programme=programme).order_by("-effective_from", "-pk"):
        policy.programme = programme
        dated.append((policy.effective_from, policy.origin, policy.terms()))
    return Rules(zone=programme.tz, dated=dated)


@lru_cache(maxsize=1000)
def rules_with(programme_id: int, policies: int) -> Rules:
    """The rules of a programme that has so many policies; kept, for they cannot change without getting more."""
    rules = rules_of(programme_id)
    if len(rules.dated) != policies:
        # Another policy was committed since they were counted; these rules are right, and kept under their own number.
        return rules_with(programme_id, len(rules.dated))
    return rules
