"""What happened, kind by kind, in a member's words: why, how many points, until when. Looks at no table."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from ledger.kinds import Kind, Origin, Waiver
from ledger.policies import last_day
from portal import words
from portal.reasons import CHANNELS, SOURCES, WAIVERS, reason_of
from portal.stories import Given, Story


def explain(story: Story) -> list[str]:
    """The sentences below the title of a line."""
    return EXPLAIN[Kind(story.entry.kind)](story)


def _grant(story: Story) -> list[str]:
    said = [str(SOURCES[Origin(story.given.origin)])] if story.given else []
    said += reason_of(story.entry)
    if story.given:
        if story.given.usable_from:
            said.append(_("To be used from %(day)s on.") % {"day": words.day(story.given.usable_from)})
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
    return [*reason_of(story.entry), _("The points closest to their last day were used first.")]


def _refund(story: Story) -> list[str]:
    used = _("They had been used in no. %(number)d of your history.") % {"number": story.entry.undoes_seq}
    return [*reason_of(story.entry), used, *_returned(story)]


def _hold(story: Story) -> list[str]:
    said = reason_of(story.entry)
    if story.lapses_at:
        until = {"moment": words.moment(story.lapses_at.astimezone(story.zone))}
        said.append(_("They are set aside until %(moment)s. If they are not used by then, you get them back.") % until)
    return said


def _capture(story: Story) -> list[str]:
    used = {"points": story.points(story.entry.asked or 0), "number": story.entry.undoes_seq}
    return [*reason_of(story.entry), _("%(points)s of those put on hold in no. %(number)d are used now.") % used]


def _release(story: Story) -> list[str]:
    held = _("They had been put on hold in no. %(number)d of your history.") % {"number": story.entry.undoes_seq}
    return [*reason_of(story.entry), held, *_returned(story)]


def _reinstate(story: Story) -> list[str]:
    ended = _("They had expired in no. %(number)d of your history.") % {"number": story.entry.undoes_seq}
    return [*reason_of(story.entry), ended, *_returned(story)]


def _returned(story: Story) -> list[str]:
    """Until when what came back can be used, the same days together."""
    said = []
    for part in story.returned:
        points = story.points(part.points)
        if part.until is None:
            said.append(_("%(points)s: these do not expire.") % {"points": points})
        else:
            said.append(_("%(points)s: valid through %(day)s.") % {"points": points, "day": words.day(part.until)})
    return said


def _clawback(story: Story) -> list[str]:
    entry = story.entry
    said = [*reason_of(entry), *_undoes(story)]
    taken = entry.written_off - entry.amount
    if entry.asked is not None and entry.asked > taken:
        asked = {"asked": story.points(entry.asked), "points": story.points(taken)}
        said.append(_("%(asked)s were to be taken back; no more than %(points)s could be.") % asked)
    if entry.debt_delta > 0:
        paid = -entry.amount - entry.debt_delta
        parts = {"points": story.points(paid), "debt": story.points(entry.debt_delta)}
        said.append(_("%(points)s came from your points; %(debt)s are now a debt.") % parts)
    if entry.written_off:
        waived = {"points": story.points(entry.written_off)}
        said.append(_("%(points)s more were not there any more. You do not owe them.") % waived)
    return said


def _expire(story: Story) -> list[str]:
    ended = last_day(story.entry.effective_at, story.zone)
    return [_("%(day)s was the last day to use these points.") % {"day": words.day(ended)}]


def _extend(story: Story) -> list[str]:
    return [*reason_of(story.entry), *_undoes(story), *_moves(story)]


def _postpone(story: Story) -> list[str]:
    said = reason_of(story.entry)
    for moved in story.moved:
        if moved.usable_was and moved.usable_from:
            days = {"was": words.day(moved.usable_was), "day": words.day(moved.usable_from)}
            points = {"points": story.points(moved.points)}
            said.append(_("%(points)s: to be used from %(day)s on, instead of %(was)s.") % (days | points))
    return [*said, *_moves(story)]


def _moves(story: Story) -> list[str]:
    return [
        _("%(points)s: valid through %(day)s instead of %(was)s.")
        % {"points": story.points(moved.points), "was": words.day(moved.was), "day": words.day(moved.until)}
        for moved in story.moved
        if moved.was and moved.until and moved.was != moved.until
    ]


def _notify(story: Story) -> list[str]:
    if story.withdraws:
        kept = _("The points of that notice expire only after we have told you anew, in good time.")
        return [*reason_of(story.entry), *_undoes(story), kept]
    notice = story.entry.notice
    channel = CHANNELS.get(notice.channel)
    days = {"told": words.day(notice.told_on), "day": words.day(notice.expires_on), "channel": channel or ""}
    if notice.waiver:
        return [str(WAIVERS[Waiver(notice.waiver)]) % days]
    if channel:
        return [_("On %(told)s we told you %(channel)s about points whose last day is %(day)s.") % days]
    return [_("On %(told)s we told you about points whose last day is %(day)s.") % days]


def _close(story: Story) -> list[str]:
    said = reason_of(story.entry)
    if story.withdraws:
        return [*said, *_undoes(story), _("Your account stays open, and no points were lost.")]
    if story.ending:
        until = {"day": words.day(story.ending.last_day)}
        said.append(_("The account closes at the end of %(day)s. Until then this can be withdrawn.") % until)
        if story.ending.points:
            lost = {"points": story.points(story.ending.points)}
            said.append(_("You had %(points)s then. What is left of your points on that day is lost.") % lost)
    return said


def _forfeit(story: Story) -> list[str]:
    return [_("The account was closed. The points that were left in it are lost, as had been told before.")]


def _decline(story: Story) -> list[str]:
    asked = {"asked": story.points(story.entry.asked or 0), "points": story.points(story.entry.available or 0)}
    return [_("You wanted to use %(asked)s, and there were %(points)s. Nothing was taken.") % asked]


def _note(story: Story) -> list[str]:
    if story.entry.asked:
        asked = {"asked": story.points(story.entry.asked)}
        undone = _("%(asked)s were to be taken back, but of these points nothing was left to take back.") % asked
        return [*reason_of(story.entry), undone]
    return reason_of(story.entry)


def _undoes(story: Story) -> list[str]:
    number = story.entry.undoes_seq
    return [] if number is None else [_("This undoes no. %(number)d of your history.") % {"number": number}]


EXPLAIN: dict[Kind, Callable[[Story], list[str]]] = {
    Kind.GRANT: _grant,
    Kind.SETTLE: _settle,
    Kind.REDEEM: _redeem,
    Kind.REFUND: _refund,
    Kind.CLAWBACK: _clawback,
    Kind.HOLD: _hold,
    Kind.CAPTURE: _capture,
    Kind.RELEASE: _release,
    Kind.EXPIRE: _expire,
    Kind.REINSTATE: _reinstate,
    Kind.EXTEND: _extend,
    Kind.POSTPONE: _postpone,
    Kind.NOTIFY: _notify,
    Kind.CLOSE: _close,
    Kind.FORFEIT: _forfeit,
    Kind.DECLINE: _decline,
    Kind.NOTE: _note,
}
