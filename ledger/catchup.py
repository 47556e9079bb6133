"""What the clock has done to an account, written as entries of its own before any act. Pure.

Balances are true by the clock whether this has run or not; catch-up is bookkeeping. The sweep is catch-up for
accounts where nobody acts. Everything is written in the order of its own instant, so no number ever depends on when
the sweep ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from ledger.allocation import Slice, is_overdue
from ledger.book import Book
from ledger.drafts import BY_CLOCK, HoldState
from ledger.effects import NOTHING_LEFT
from ledger.kinds import Kind
from ledger.restoring import give_back
from ledger.undoing import last_points

# The reasons of a release by the clock: the hold's own time was up, or its account ended before.
LAPSED, ENDED = "lapsed", "the account was closed"


Happen = Callable[[Book, datetime], None]


def catch_up(book: Book) -> int:
    """Write all that the clock has done up to the act's one time; returns how many entries that were."""
    before = len(book.drafts)
    while due := next_due(book):
        instant, happen = due
        happen(book, instant)
    return len(book.drafts) - before


def next_due(book: Book) -> tuple[datetime, Happen] | None:
    """What the clock has to do first, and as of when: `expire`, `lapse` or `close`."""
    due = min(_due(book), default=None, key=lambda event: event[:2])
    return (due[0], due[2]) if due else None


def _due(book: Book) -> Iterator[tuple[datetime, int, Happen]]:
    """The next thing of each kind that the clock has to do: at one instant lots end before holds lapse, before the
    account closes."""
    if book.closed:
        return
    for lot in book.lots():
        if lot.expires_at is None or lot.expires_at > book.at:
            break  # the order is by date: everything behind is later
        if is_overdue(lot, book.at):
            yield lot.expires_at, 0, expire
            break
    lapses_at = min((hold.lapses_at for hold in book.holds.values()), default=None)
    if lapses_at and lapses_at <= book.at:
        yield lapses_at, 1, lapse
    if book.closing and book.closing.closes_at <= book.at:
        yield book.closing.closes_at, 2, close


def expire(book: Book, instant: datetime) -> None:
    """One entry for all lots that ended at this instant: each its exact remainder."""
    book.write(Kind.EXPIRE, BY_CLOCK, take=ended_at(book, instant), effective_at=instant)


def ended_at(book: Book, instant: datetime) -> list[Slice]:
    """What the clock ends at this instant."""
    return [Slice(lot, lot.remaining) for lot in _until(book, instant) if is_overdue(lot, instant)]


def _until(book: Book, instant: datetime) -> Iterator:
    for lot in book.lots():
        if lot.expires_at is None or lot.expires_at > instant:
            return
        yield lot


def lapse(book: Book, instant: datetime) -> None:
    """Holds whose time is up come back whole."""
    for hold in [hold for hold in book.holds.values() if hold.lapses_at == instant]:
        _release(book, hold, instant, LAPSED)


def _release(book: Book, hold: HoldState, instant: datetime, reason: str) -> None:
    slices = last_points(hold.slices, hold.points)
    give_back(book, Kind.RELEASE, BY_CLOCK, slices, undoes_seq=hold.seq, at=instant, reason=reason)


def close(book: Book, instant: datetime) -> None:
    """The account ends: open holds come back, then everything that is left goes, promised and gated too."""
    for hold in list(book.holds.values()):
        _release(book, hold, instant, ENDED)
    left = [Slice(lot, lot.remaining) for lot in book.lots()]
    if left:
        book.write(Kind.FORFEIT, BY_CLOCK, take=left, effective_at=instant)
    else:
        book.write(Kind.NOTE, BY_CLOCK, reason=NOTHING_LEFT, effective_at=instant)
