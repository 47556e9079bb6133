"""An entry of the ledger in a member's words: what happened, why, how many points, until when. Looks at no table."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger.kinds import Kind, Origin
from ledger.models import Entry
from ledger.policies import last_day
from portal import words


@dataclass(frozen=True, slots=True)
class Moved:
    """Points whose last day an extension moved."""

    points: int
    was: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Given:
    """Points that a grant brought: their origin, their last day as given then, and as it is now."""

    origin: str
    until: date | None
    now: date | None


@dataclass(frozen=True, slots=True)
class Story:
    """An entry with the facts around it that its explanation needs."""

    entry: Entry
    zone: ZoneInfo
    unit: str
    given: Given | None = None
    moved: Sequence[Moved] = ()

    def points(self, number: int) -> str:
        return words.points(abs(number), self.unit)


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
    Kind.CLAWBACK: gettext_lazy("Points taken back"),
    Kind.EXPIRE: gettext_lazy("Points expired"),
    Kind.EXTEND: gettext_lazy("Last day moved later"),
    Kind.NOTIFY: gettext_lazy("Notice of expiry sent"),
    Kind.DECLINE: gettext_lazy("Not enough points"),
    Kind.NOTE: gettext_lazy("Nothing changed"),
}

SOURCES = {
    Origin.PURCHASE: gettext_lazy("For a purchase."),
    Origin.PROMOTION: gettext_lazy("From a promotion."),
    Origin.COMPENSATION: gettext_lazy("As a compensation."),
    Origin.MIGRATION: gettext_lazy("Taken over from an earlier programme."),
    Origin.ADJUSTMENT: gettext_lazy("A correction in your favour."),
}

# What the ledger, the feed and the rules write as a reason themselves. Any other reason was written by a person, and
# is shown as it was written.
REASONS = (
    (r"nobody was told in time", gettext_lazy("We had not told you in time, so your points stay longer.")),
    (r"told in time after all", gettext_lazy("You had been told in time; the last day stays.")),
    (
        r"the lots of this notice have moved or gone",
        gettext_lazy("A message about expiring points was no longer true: the points had moved or gone."),
    ),
    (
        r"active in the last (?P<days>\d+) days",
        gettext_lazy("You were active in the last %(days)s days, so your points stay longer."),
    ),
    (r"a purchase of (?P<amount>[\d.]+) is worth no point", gettext_lazy("The purchase was too small for a point.")),
    (r"a return of (?P<amount>[\d.]+) is worth no point", gettext_lazy("The return was too small for a point.")),
    (r"return", gettext_lazy("Goods were returned.")),
)

CHANNELS = {
    "email": gettext_lazy("by e-mail"),
    "sms": gettext_lazy("by text message"),
    "alimtalk": gettext_lazy("by AlimTalk"),
}


def line(story: Story) -> Line:
    """The line that tells this story."""
    entry = story.entry
    kind = Kind(entry.kind)
    on, recorded_on = (at.astimezone(story.zone).date() for at in (entry.effective_at, entry.recorded_at))
    if kind == Kind.EXPIRE:
        # It counts from midnight, which to a member is the end of the last day and not the day after.
        on = recorded_on = last_day(entry.effective_at, story.zone)
    return Line(
        seq=entry.seq,
        kind=kind.value,
        title=str(TITLES[kind]),
        points=entry.amount,
        on=on,
        recorded_on=recorded_on if recorded_on != on else None,
        balance_after=entry.balance_after,
        debt_after=entry.debt_after,
        details=[*_EXPLAIN[kind](story), *_reference(entry)],
    )


def _grant(story: Story) -> list[str]:
    said = [str(SOURCES[Origin(story.given.origin)])] if story.given else []
    said += _reason(story.entry)
    if story.given:
        said.append(_valid(story.given))
    return said


def _valid(given: Given) -> str:
    if given.until is None:
        return _("These points do not expire.")
    if given.now and given.now != given.until:
        days = {"was": words.day(given.until), "day": words.day(given.now)}
        return _("Valid through %(was)s at first, now through %(day)s.") % days
    return _("Valid through %(day)s.") % {"day": words.day(given.until)}


def _settle(story: Story) -> list[str]:
    paid = story.points(story.entry.debt_delta)
    return [_("%(points)s of the points you received settled your debt.") % {"points": paid}]


def _redeem(story: Story) -> list[str]:
    return [*_reason(story.entry), _("The points closest to their last day were used first.")]


def _clawback(story: Story) -> list[str]:
    entry = story.entry
    said = _reason(entry)
    if entry.undoes_seq is not None:
        said.append(_("This undoes no. %(number)d of your history.") % {"number": entry.undoes_seq})
    taken = -entry.amount
    if entry.asked is not None and entry.asked > taken:
        asked = {"asked": story.points(entry.asked), "points": story.points(taken)}
        said.append(_("%(asked)s were to be taken back; no more than %(points)s could be.") % asked)
    if entry.debt_delta > 0:
        parts = {"points": story.points(taken - entry.debt_delta), "debt": story.points(entry.debt_delta)}
        said.append(_("%(points)s came from your points; %(debt)s are now a debt.") % parts)
    return said


def _expire(story: Story) -> list[str]:
    ended = last_day(story.entry.effective_at, story.zone)
    return [_("%(day)s was the last day to use these points.") % {"day": words.day(ended)}]


def _extend(story: Story) -> list[str]:
    said = _reason(story.entry)
    for moved in story.moved:
        if moved.was and moved.until:
            days = {"points": story.points(moved.points), "was": words.day(moved.was), "day": words.day(moved.until)}
            said.append(_("%(points)s: valid through %(day)s instead of %(was)s.") % days)
    return said


def _notify(story: Story) -> list[str]:
    notice = story.entry.notice
    channel = CHANNELS.get(notice.channel)
    days = {"told": words.day(notice.told_on), "day": words.day(notice.expires_on), "channel": channel or ""}
    if channel:
        return [_("On %(told)s we told you %(channel)s about points whose last day is %(day)s.") % days]
    return [_("On %(told)s we told you about points whose last day is %(day)s.") % days]


def _decline(story: Story) -> list[str]:
    asked = {"asked": story.points(story.entry.asked or 0), "points": story.points(story.entry.available or 0)}
    return [_("You wanted to use %(asked)s, and there were %(points)s. Nothing was taken.") % asked]


def _note(story: Story) -> list[str]:
    if story.entry.asked:
        asked = {"asked": story.points(story.entry.asked)}
        undone = _("%(asked)s were to be taken back, but of these points nothing was left to take back.") % asked
        return [*_reason(story.entry), undone]
    return _reason(story.entry)


_EXPLAIN: dict[Kind, Callable[[Story], list[str]]] = {
    Kind.GRANT: _grant,
    Kind.SETTLE: _settle,
    Kind.REDEEM: _redeem,
    Kind.CLAWBACK: _clawback,
    Kind.EXPIRE: _expire,
    Kind.EXTEND: _extend,
    Kind.NOTIFY: _notify,
    Kind.DECLINE: _decline,
    Kind.NOTE: _note,
}


def _reason(entry: Entry) -> list[str]:
    for pattern, text in () if entry.actor.startswith("staff:") else REASONS:
        if found := re.fullmatch(pattern, entry.reason):
            return [str(text) % found.groupdict()]
    return [_("Reason: %(reason)s") % {"reason": entry.reason}] if entry.reason else []


def _reference(entry: Entry) -> list[str]:
    return [_("Reference: %(reference)s") % {"reference": entry.reference}] if entry.reference else []
