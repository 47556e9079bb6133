"""An entry of the ledger as a line of the member's history: title, points, day, and its explanation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger.effects import NOTHING_LEFT
from ledger.kinds import Kind
from ledger.models import Entry
from ledger.policies import last_day
from portal.explaining import explain
from portal.stories import Story


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history. `points` is signed; zero for what only changed dates or told something."""

    seq: int
    kind: str
    title: str
    points: int
    on: date
    recorded_on: date | None  # where it was written down on another day than it counts from
    balance_after: int
    debt_after: int
    details: list[str] = field(default_factory=list)


TITLES = {
    Kind.GRANT: gettext_lazy("Points received"),
    Kind.SETTLE: gettext_lazy("Debt settled"),
    Kind.REDEEM: gettext_lazy("Points used"),
    Kind.REFUND: gettext_lazy("Points given back"),
    Kind.CLAWBACK: gettext_lazy("Points taken back"),
    Kind.HOLD: gettext_lazy("Points put on hold"),
    Kind.CAPTURE: gettext_lazy("Points on hold used"),
    Kind.RELEASE: gettext_lazy("Points on hold returned"),
    Kind.EXPIRE: gettext_lazy("Points expired"),
    Kind.REINSTATE: gettext_lazy("Expired points given back"),
    Kind.EXTEND: gettext_lazy("Last day moved later"),
    Kind.POSTPONE: gettext_lazy("First day of use moved later"),
    Kind.NOTIFY: gettext_lazy("Notice of expiry sent"),
    Kind.CLOSE: gettext_lazy("Closing of the account asked for"),
    Kind.FORFEIT: gettext_lazy("Account closed"),
    Kind.DECLINE: gettext_lazy("Not enough points"),
    Kind.NOTE: gettext_lazy("Nothing changed"),
}

# The titles of entries that take back an earlier one of their own kind.
WITHDRAWN = {
    Kind.EXTEND: gettext_lazy("Last day moved back"),
    Kind.NOTIFY: gettext_lazy("Notice of expiry withdrawn"),
    Kind.CLOSE: gettext_lazy("Closing of the account withdrawn"),
}


def line(story: Story) -> Line:
    """The line that tells this story."""
    entry = story.entry
    on, recorded_on = (at.astimezone(story.zone).date() for at in (entry.effective_at, entry.recorded_at))
    if entry.kind in (Kind.EXPIRE, Kind.FORFEIT) or _ended_empty(entry):
        # It counts from midnight, which to a member is the end of the last day and not the day after.
        on = recorded_on = last_day(entry.effective_at, story.zone)
    return Line(
        seq=entry.seq,
        kind=Kind.FORFEIT.value if _ended_empty(entry) else entry.kind,
        title=_title(story),
        points=entry.amount,
        on=on,
        recorded_on=recorded_on if recorded_on != on else None,
        balance_after=entry.balance_after,
        debt_after=entry.debt_after,
        details=[*explain(story), *_reference(entry)],
    )


def _title(story: Story) -> str:
    kind = Kind(story.entry.kind)
    if story.withdraws and kind in WITHDRAWN:
        return str(WITHDRAWN[kind])
    if kind == Kind.NOTIFY and story.entry.notice.waiver:
        return _("No notice of expiry sent")
    if kind == Kind.CLAWBACK and not story.entry.amount:
        return _("Points not taken back")  # all of it was written off
    return str(TITLES[Kind.FORFEIT if _ended_empty(story.entry) else kind])


def _ended_empty(entry: Entry) -> bool:
    """The note that ends an account without points stands in the place of a forfeiture."""
    return entry.kind == Kind.NOTE and entry.key is None and entry.reason == NOTHING_LEFT


def _reference(entry: Entry) -> list[str]:
    # An extension's and a companion's reference are names for machines.
    if not entry.reference or entry.kind == Kind.EXTEND:
        return []
    return [_("Reference: %(reference)s") % {"reference": entry.reference}]
