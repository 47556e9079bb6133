"""What every entry should be, and what its kind should have done, on the account as it was before it. Pure.

For the auditor: `checking_points.py` has the rules of the kinds that move points, `checking_dates.py` of the others.
Everything here is worked out again from the entries before; a hash chain that somebody computed anew proves nothing
to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ledger import catchup, checking_dates, checking_points
from ledger.actors import CLOCK
from ledger.book import Book
from ledger.checking_points import Ended, compare
from ledger.drafts import Draft
from ledger.effects import is_end_of_an_empty_account
from ledger.kinds import Kind

# A law of `docs/domain.md` that is broken, and how.
Wrong = tuple[int, str]

MAKES_LOTS = (Kind.GRANT, Kind.REFUND, Kind.RELEASE, Kind.REINSTATE)
MOVES_POINTS = (*MAKES_LOTS, Kind.SETTLE, Kind.REDEEM, Kind.CLAWBACK, Kind.HOLD, Kind.EXPIRE, Kind.FORFEIT)
BY_ITSELF = (Kind.SETTLE, Kind.EXPIRE, Kind.FORFEIT)  # written by the clock alone, without a key


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not add up: the law of `docs/domain.md` that it breaks, and where."""

    law: int
    account_id: int | None
    seq: int | None
    what: str

    def __str__(self) -> str:
        everywhere = "seals" if self.law == 13 else "programme"
        where = f"account {self.account_id}" if self.account_id else everywhere
        return f"law {self.law}: {where}{f', entry {self.seq}' if self.seq else ''}: {self.what}"


def check_kind(book: Book, entry: Draft, ended: Mapping[int, Ended]) -> Iterator[Wrong]:
    """What is wrong with the entry by the laws of its own kind; `ended` are the expiries before it, by seq."""
    if entry.kind == Kind.REINSTATE:
        yield from checking_points.reinstate(book, entry, ended)
    else:
        yield from _CHECKS[entry.kind](book, entry)


_CHECKS: dict[Kind, Callable[[Book, Draft], Iterator[Wrong]]] = {
    Kind.GRANT: checking_points.grant,
    Kind.REDEEM: checking_points.spending,
    Kind.HOLD: checking_points.spending,
    Kind.DECLINE: checking_points.decline,
    Kind.REFUND: checking_points.refund,
    Kind.CAPTURE: checking_points.capture,
    Kind.RELEASE: checking_points.release,
    Kind.SETTLE: checking_points.settle,
    Kind.CLAWBACK: checking_points.clawback,
    Kind.EXPIRE: checking_points.expire,
    Kind.FORFEIT: checking_points.forfeit,
    Kind.EXTEND: checking_dates.extend,
    Kind.POSTPONE: checking_dates.postpone,
    Kind.NOTIFY: checking_dates.notify,
    Kind.CLOSE: checking_dates.close,
    Kind.NOTE: checking_dates.note,
}


def check_shape(entry: Draft) -> Iterator[Wrong]:
    """What no entry of its kind has: points that a kind without any moves, debt, written-off points, other rows."""
    kind = entry.kind
    if entry.allocations and kind not in MOVES_POINTS:
        yield 3, f"a {kind} moved points of lots"
    if entry.made and kind not in MAKES_LOTS:
        yield 6, f"a {kind} made a lot"
    if (entry.debt_delta > 0 and kind != Kind.CLAWBACK) or (entry.debt_delta < 0 and kind != Kind.SETTLE):
        yield 8, f"a {kind} changed the debt by {entry.debt_delta}"
    if entry.written_off and kind != Kind.CLAWBACK:
        yield 7, f"a {kind} wrote points off"
    if any(until is not None for _, delta, until in entry.allocations if delta < 0):
        yield 6, "points that were taken have a date of coming back"
    belongs = {
        "dates": bool(entry.moves) == (kind in (Kind.EXTEND, Kind.POSTPONE)),
        "a notice": not entry.told or kind == Kind.NOTIFY,
        "a hold": bool(entry.held) == (kind == Kind.HOLD),
        "a closure": not entry.closing or kind == Kind.CLOSE,
    }
    for what, is_right in belongs.items():
        if not is_right:
            yield 13, f"{what}: a {kind} with none, or another kind with some"


def check_actor(book: Book, entry: Draft) -> Iterator[Wrong]:
    """Law 1: an act has a key and its content; what the clock does by itself has neither, and is signed as its own."""
    by_clock = entry.kind in BY_ITSELF or is_end_of_an_empty_account(entry)
    by_clock = by_clock or (entry.kind == Kind.RELEASE and entry.key is None)
    if by_clock != (entry.key is None) or (entry.key is None) != (entry.body_hash is None):
        yield 1, "an act without its key or its content, or a companion of one with them"
    if (entry.actor == str(CLOCK)) != by_clock:
        yield 1, f"a {entry.kind} by {entry.actor}"


def check_clock(book: Book, entry: Draft, before: Draft | None) -> Iterator[Wrong]:
    """Law 11: what the clock does has its own instant and comes before anything else; acts have the time of the act.

    `before` is the entry before this one.
    """
    due = catchup.next_due(book)
    if entry.kind == Kind.SETTLE:
        if before is None or entry.effective_at not in (entry.recorded_at, before.effective_at):
            yield 11, "debt was settled as of another time than the points came"
    elif due is None:
        rest = book.known.left.get(entry.undoes_seq or 0) if entry.kind == Kind.RELEASE else None
        if (entry.key is None and not rest) or entry.kind in BY_ITSELF:
            yield 11, "the clock did what was not due"
        if entry.kind != Kind.GRANT and entry.effective_at != entry.recorded_at:
            yield 11, "it took effect at another time than that of the act"
    else:
        yield from _check_due(book, entry, *due)
    if any(book.known.left.values()) and not (entry.kind == Kind.RELEASE and entry.undoes_seq in book.known.left):
        yield 5, "what a capture left of its hold was not released with it"


def _check_due(book: Book, entry: Draft, instant: datetime, happen: catchup.Happen) -> Iterator[Wrong]:
    """Whether this entry is what the clock had to do first."""
    held = book.holds.get(entry.undoes_seq or 0) if entry.kind == Kind.RELEASE and entry.key is None else None
    if happen is catchup.expire and entry.kind == Kind.EXPIRE and entry.effective_at == instant:
        yield from compare(9, entry, catchup.ended_at(book, instant))
        return
    is_due = entry.effective_at == instant and (
        (happen is catchup.lapse and held is not None and held.lapses_at == instant)
        or (happen is catchup.close and held is not None)
        or (happen is catchup.close and not book.holds and entry.kind in (Kind.FORFEIT, Kind.NOTE))
    )
    if not is_due:
        yield 11, f"the clock had to {happen.__name__} as of {instant} before it"


def check_lots_made(book: Book, entry: Draft) -> Iterator[Wrong]:
    """Law 12: a lot has a policy of its programme and origin, and keeps the duty of that policy."""
    for lot in entry.made:
        found = [(origin, terms) for _, origin, terms in book.rules.dated if terms.policy_id == lot.policy_id]
        if not found:
            yield 12, f"lot {lot.id} has policy {lot.policy_id}, which is none of the programme's"
            continue
        origin, terms = found[0]
        if origin not in ("", lot.origin):
            yield 12, f"lot {lot.id} has policy {lot.policy_id}, which is for another origin"
        duty = (terms.notice_days, terms.notice_slack) if terms.notice_days and lot.expires_at else (0, 0)
        if (lot.notice_days, lot.notice_slack) != duty:
            yield 12, f"lot {lot.id} has another notice duty than its policy"
