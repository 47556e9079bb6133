"""The programmes on which the laws are tried: between them every model, rounding, duty and way of taking back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count

from ledger.models import Programme
from tests import builders
from tests.laws.dates import LONG_AGO, Rule, Stage

START = datetime(2020, 1, 6, 3, tzinfo=UTC)  # years in the past: the real clock never comes into it

EVERYDAY = Stage(
    (
        (LONG_AGO, "", Rule(count=20, floor=6, window=15, second_life=4)),
        (LONG_AGO, "promotion", Rule(count=7, rounding="day", floor=30)),
        (LONG_AGO, "compensation", Rule("never")),
        (LONG_AGO, "migration", Rule(count=5, rounding="day", duty=10, slack=3, floor=4, window=30)),
        # From here on purchases live longer and are promised first; what was granted before does not change (law 12).
        (START + timedelta(days=12), "", Rule(count=1, unit="months", rounding="week", floor=9, spendable_after=2)),
    )
)

TOLD = Stage(
    (
        (LONG_AGO, "", Rule("inactivity", 15, rounding="day", duty=7, slack=2, earliest=20, channels=2, floor=3)),
        (LONG_AGO, "promotion", Rule(count=8, spendable_after=3, duty=5, slack=1, waivers=True, floor=2, window=9)),
        (LONG_AGO, "compensation", Rule("fixed_day", 10, fixed=(1, 29), duty=4, slack=1, window=20, second_life=2)),
        (LONG_AGO, "migration", Rule("inactivity", 1, unit="months", floor=10, window=20, second_life=3)),
        (LONG_AGO, "adjustment", Rule(count=12, beyond="write_off", floor=1)),
    ),
    cooling_off=3,
    books_closed_until=date(2019, 12, 28),
)

TAKEN_BACK = Stage(
    (
        (LONG_AGO, "", Rule(count=1, unit="weeks", rounding="week", beyond="write_off", window=8, second_life=8)),
        (LONG_AGO, "promotion", Rule(count=9, floor=5, spendable_after=1)),
        (LONG_AGO, "compensation", Rule("fixed_day", 0, fixed=(2, 29), rounding="half_year", beyond="write_off")),
        (LONG_AGO, "migration", Rule("inactivity", 1, unit="weeks", floor=5, beyond="write_off", duty=2, slack=1)),
    ),
    cooling_off=6,
)

STAGES = [EVERYDAY, TOLD, TAKEN_BACK]

_numbers = count(1)


def programme_of(stage: Stage) -> Programme:
    """A programme in Seoul with the rules of this stage."""
    (since, _, rule), *others = sorted(stage.dated, key=lambda dated: (dated[0], dated[1]))
    made = builders.moa(f"laws-{next(_numbers)}", effective_from=since, **terms_of(rule))
    for since, origin, rule in others:
        builders.policy(made, effective_from=since, origin=origin, **terms_of(rule))
    made.cooling_off_days = stage.cooling_off
    made.books_closed_until = stage.books_closed_until
    made.save()
    return made


def terms_of(rule: Rule) -> dict[str, object]:
    """A rule in the words of a policy."""
    return {
        "model": rule.model,
        "count": 0 if rule.model == "never" else rule.count,
        "unit": rule.unit,
        "rounding": rule.rounding,
        "fixed_month": rule.fixed[0],
        "fixed_day": rule.fixed[1],
        "spendable_after_days": rule.spendable_after,
        "notice_days": rule.duty,
        "notice_slack": rule.slack,
        "notice_max_days": rule.earliest,
        "notice_channels": rule.channels,
        "accepts_waivers": rule.waivers,
        "restored_floor_days": rule.floor,
        "reinstate_window_days": rule.window,
        "reinstate_life_days": rule.second_life,
        "clawback_beyond": rule.beyond,
    }
