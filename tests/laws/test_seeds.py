"""Lives that once failed, and hard stories written by hand: each is done on both sides again, step by step.

A step is the act's name in `sides.py`, when it happens (days after the start), and its arguments; what is named `a`,
`b`, `c` … is the key of that step. Times among the arguments are days after the start, too.
`sweep` and `look` are steps.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import transaction

from ledger.audit import audit
from tests.laws.dates import LONG_AGO, Rule, Stage, day_of
from tests.laws.sides import Sides, inside_a_test
from tests.laws.stages import EVERYDAY, START, TAKEN_BACK, TOLD, programme_of

IDLE = Stage(((LONG_AGO, "", Rule("inactivity", 10, rounding="day", duty=4, slack=2, floor=3)),))

Step = tuple[str, float, dict]

STORIES: dict[str, tuple[Stage, list[Step]]] = {
    "points refunded after their expiry pay what the clawback left as a debt; the hold lapses into that debt": (
        EVERYDAY,
        [
            ("grant", 0, {"key": "a", "points": 100}),
            ("redeem", 1, {"key": "b", "points": 60}),
            ("hold", 2, {"key": "c", "points": 30, "lapses": 24}),
            ("clawback", 3, {"key": "d", "points": 100, "undoes": "a"}),
            ("refund", 21, {"key": "e", "points": 25, "undoes": "b"}),
            ("look", 24, {}),
            ("sweep", 30, {}),
            ("refund", 31, {"key": "f", "points": 35, "undoes": "b"}),
            ("look", 40, {}),
        ],
    ),
    "what lapsed unseen lives for the floor from its lapse, and is gone when somebody looks": (
        EVERYDAY,
        [
            ("grant", 0, {"key": "a", "points": 50}),
            ("hold", 1, {"key": "b", "points": 50, "lapses": 18}),
            ("look", 22, {}),
            ("redeem", 60, {"key": "c", "points": 1}),
        ],
    ),
    "an account ends with an open hold, promised and gated points": (
        TOLD,
        [
            ("grant", 0, {"key": "a", "points": 50, "origin": "promotion"}),
            ("grant", 0, {"key": "b", "points": 20}),
            ("hold", 1, {"key": "c", "points": 15, "lapses": 90}),
            ("close", 1, {"key": "d"}),
            ("grant", 2, {"key": "e", "points": 7, "origin": "promotion", "spendable": 9}),
            ("look", 10, {}),
            ("redeem", 10, {"key": "f", "points": 1}),
            ("sweep", 11, {}),
            ("refund", 12, {"key": "g", "points": 1, "undoes": "c"}),
        ],
    ),
    "an account whose hold lapses at the very instant at which it ends": (
        TAKEN_BACK,
        [
            ("grant", 0, {"key": "a", "points": 50, "origin": "promotion"}),
            ("hold", 1.5, {"key": "b", "points": 15, "lapses": 7.5}),
            ("close", 0.5, {"key": "c"}),
            ("stay", 1.6, {"key": "d"}),
            ("close", 1.7, {"key": "e"}),
            ("look", 9, {}),
            ("sweep", 9, {}),
        ],
    ),
    "an extension of idle points makes their notice stale, and activity moves them all": (
        IDLE,
        [
            ("grant", 0, {"key": "a", "points": 50}),
            ("grant", 1, {"key": "b", "points": 5}),
            ("notify", 2, {"key": "c", "lots": [(1, 0), (2, 0)], "ends": "of 1", "on": 2}),
            ("extend", 3, {"key": "d", "lots": [(2, 0)], "until": 30}),
            ("undo", 3, {"key": "e", "extension": "d"}),
            ("redeem", 4, {"key": "f", "points": 50}),
            ("hold", 25, {"key": "g", "points": 2, "lapses": 27}),
            ("refund", 28, {"key": "h", "points": 20, "undoes": "f"}),
            ("extend_untold", 60, {"key": "i", "lots": [(2, 0)]}),
            ("look", 61, {}),
        ],
    ),
    "part of a partial capture is refunded: its last points first, to live and dying lots": (
        EVERYDAY,
        [
            ("grant", 0, {"key": "a", "points": 30, "origin": "promotion"}),
            ("grant", 0, {"key": "b", "points": 30}),
            ("hold", 1, {"key": "c", "points": 50, "lapses": 9}),
            ("capture", 3, {"key": "d", "hold": "c", "points": 40}),
            ("refund", 5, {"key": "e", "points": 15, "undoes": "d"}),
            ("refund", 13, {"key": "f", "points": 20, "undoes": "d"}),
            ("refund", 13, {"key": "g", "points": 6, "undoes": "d"}),
            ("release", 13, {"key": "h", "hold": "c"}),
            ("refund", 25, {"key": "i", "points": 5, "undoes": "d"}),
        ],
    ),
    "a message comes back after its points were spent: what is refunded waits to be told again": (
        TOLD,
        [
            ("grant", 0, {"key": "a", "points": 30, "origin": "compensation"}),
            ("notify", 1, {"key": "b", "lots": [(1, 0)], "ends": "of 1", "on": 1}),
            ("redeem", 2, {"key": "c", "points": 30}),
            ("withdraw_notice", 3, {"key": "d", "notice": "b"}),
            ("refund", 4, {"key": "e", "points": 30, "undoes": "c"}),
            ("look", 40, {}),
            ("redeem", 40, {"key": "f", "points": 30}),
        ],
    ),
    "expired points are reinstated into a debt, clawed back, and expire again": (
        EVERYDAY,
        [
            ("grant", 0, {"key": "a", "points": 30}),
            ("clawback", 22, {"key": "b", "points": 10}),
            ("reinstate", 23, {"key": "c", "lot": (1, 0)}),
            ("clawback", 24, {"key": "d", "points": 50, "undoes": "a"}),
            ("reinstate", 24, {"key": "e", "lot": (1, 0)}),
            ("look", 60, {}),
            ("clawback", 60, {"key": "f", "points": 1, "undoes": "a"}),
        ],
    ),
    "a promise is postponed after its notice, and paid for by a write-off": (
        TOLD,
        [
            ("grant", 0, {"key": "a", "points": 30, "origin": "promotion", "spendable": 6}),
            ("notify", 1, {"key": "b", "lots": [(1, 0)], "ends": "of 1", "on": 1}),
            ("postpone", 2, {"key": "c", "lots": [(1, 0)], "spendable": 12}),
            ("clawback", 3, {"key": "d", "points": 40}),
            ("adjust_down", 3, {"key": "e", "points": 40}),
            ("look", 30, {}),
        ],
    ),
    "an extension cannot be undone when its points are gone": (
        EVERYDAY,
        [
            ("grant", 0, {"key": "a", "points": 1, "origin": "migration"}),
            ("extend", 1, {"key": "b", "lots": [(1, 0)], "until": 45}),
            ("redeem", 1, {"key": "c", "points": 1}),
            ("undo", 1, {"key": "d", "extension": "b"}),
            ("refund", 2, {"key": "e", "points": 1, "undoes": "c"}),
            ("undo", 2, {"key": "f", "extension": "b"}),
        ],
    ),
    "an extension is undone once, though another one has moved the date to the same day": (
        EVERYDAY,
        [
            ("grant", 0, {"key": "a", "points": 23}),
            ("extend", 1, {"key": "b", "lots": [(1, 0)], "until": 45}),
            ("undo", 1, {"key": "c", "extension": "b"}),
            ("extend", 2, {"key": "d", "lots": [(1, 0)], "until": 45}),
            ("undo", 2, {"key": "e", "extension": "b"}),
            ("undo", 2, {"key": "f", "extension": "d"}),
            ("look", 30, {}),
        ],
    ),
    "a message comes back after the date of points that were gone before it: there is nothing to withdraw": (
        EVERYDAY,
        [
            ("grant", 0, {"key": "a", "points": 30, "origin": "migration"}),
            ("notify", 1, {"key": "b", "lots": [(1, 0)], "ends": "of 1", "on": 1}),
            ("clawback", 2, {"key": "c", "points": 30, "undoes": "a"}),
            ("withdraw_notice", 40, {"key": "d", "notice": "b"}),
            ("withdraw_notice", 40, {"key": "e", "notice": "b"}),
        ],
    ),
    "an extension is undone though a waiver speaks of its date: nobody was told": (
        TOLD,
        [
            ("grant", 0, {"key": "a", "points": 30, "origin": "promotion"}),
            ("extend", 1, {"key": "b", "lots": [(1, 0)], "until": 60}),
            ("waive", 2, {"key": "c", "lots": [(1, 0)], "ends": "of 1", "on": 2}),
            ("undo", 3, {"key": "d", "extension": "b"}),
            ("look", 20, {}),
        ],
    ),
    "points that were moved once because nobody was told are waived, and the waiver is withdrawn: not moved again": (
        TOLD,
        [
            ("grant", 0, {"key": "a", "points": 30, "origin": "promotion"}),
            ("extend_untold", 7, {"key": "b", "lots": [(1, 0)]}),
            ("extend_untold", 9, {"key": "c", "lots": [(1, 0)]}),
            ("waive", 9, {"key": "d", "lots": [(1, 0)], "ends": "of 1", "on": 7}),
            ("withdraw_notice", 10, {"key": "e", "notice": "d"}),
            ("extend_untold", 40, {"key": "f", "lots": [(1, 0)]}),
            ("look", 41, {}),
        ],
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("story", STORIES)
def test_a_story_is_the_same_on_both_sides(story):
    stage, steps = STORIES[story]
    with inside_a_test():
        sides = Sides(programme_of(stage), stage)
        for what, day, more in steps:
            step(sides, what, START + timedelta(days=day), more)
            sides.compare()
        assert [str(finding) for finding in audit(programme_id=sides.programme.pk)] == []
        transaction.set_rollback(True)


def step(sides: Sides, what: str, now: datetime, more: dict) -> None:
    if what == "sweep":
        sides.sweep(now)
    elif what == "look":
        sides.compare_what_is_seen(0, now)
    else:
        getattr(sides, what)(0, now, **{name: spelled_out(sides, name, value) for name, value in more.items()})


def spelled_out(sides: Sides, name: str, value: object) -> object:
    """Days after the start as the instant or the date that they stand for."""
    if isinstance(value, str) and value.startswith("of "):
        lot = sides.wallets[0].lot((int(value[3:]), 0))
        return lot.ends if lot else None
    if name in ("lapses", "spendable", "since", "expires") and isinstance(value, int | float):
        return START + timedelta(days=value)
    if name in ("until", "on") and isinstance(value, int):
        return a_day(value)
    return value


def a_day(days: int) -> date:
    return day_of(START + timedelta(days=days))
