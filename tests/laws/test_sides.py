"""Each place where the lives cut acts down is really come by: a cut that nobody reaches would prove nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from ledger.errors import LedgerError
from tests.laws.sides import CUTS, CutDown, Sides, cut_down_at, inside_a_test
from tests.laws.stages import EVERYDAY, START, programme_of
from tests.laws.test_seeds import step

LATER = START + timedelta(days=30)

# Written at a glance, or under the lock: what is refused, and what is caught up for many accounts.
ACTS = {
    "a grant": ("grant", {"key": "g2", "points": 5}),
    "a refund": ("refund", {"key": "f", "points": 5, "undoes": "r"}),
    "a decline": ("redeem", {"key": "d", "points": 5_000}),
    "a refusal": ("refund", {"key": "u", "points": 5, "undoes": "nothing"}),
    "the sweep": ("sweep", {}),
}

COMES_BY = {
    "after a look": ["a grant", "a refund", "a decline", "a refusal"],
    "before the lock": ["a refusal", "the sweep"],
    "after the lock": ["a refusal", "the sweep"],
    "after all was read": ["a grant", "a refund", "a decline", "a refusal"],
    "before the clock's part": list(ACTS),
    "after the clock's part": list(ACTS),
    "before the write": ["a grant", "a refund", "a decline", "the sweep"],
    "after the write": ["a grant", "a refund", "a decline", "the sweep"],
}


def comes_by(cut: str, what: str, more: dict) -> bool:
    with inside_a_test():
        sides = Sides(programme_of(EVERYDAY), EVERYDAY)
        sides.grant(0, START, "g", 50)
        sides.redeem(0, START, "r", 20)
        try:
            with cut_down_at(cut):
                step(sides, what, LATER, more)
        except CutDown:
            return True
        except LedgerError:
            return False
        else:
            return False
        finally:
            transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_is_come_by(cut):
    assert [name for name, (what, more) in ACTS.items() if comes_by(cut, what, more)] == COMES_BY[cut]
