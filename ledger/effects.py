"""What an entry does to an account's page. Pure; the pen's book and the auditor's story both go this way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.allocation import is_overdue
from ledger.drafts import Closing, Draft, HoldState, Move
from ledger.kinds import ACTIVITY, RESTORING, Kind
from ledger.undoing import NoticeFacts, SpendingFacts, first_points, last_points

if TYPE_CHECKING:
    from datetime import date, datetime

    from ledger.allocation import LotState
    from ledger.book import Book

UNTOLD = "untold"  # the reference of an extension that gives the full notice again
NOTHING_LEFT = "closed with nothing left"  # the reason of the note that ends an empty account


def take_effect(book: Book, draft: Draft) -> None:
    """Change the page as the entry says: numbers, lots and their dates and gates, holds, closure, what is known."""
    book.seq, book.head_hash, book.last_recorded_at = draft.seq, draft.hash, draft.recorded_at
    book.balance, book.debt = draft.balance_after, draft.debt_after
    for lot in draft.made:
        lot.first_spendable_at, lot.first_expires_at = lot.spendable_at, lot.expires_at
    for lot, delta, _ in draft.allocations:
        if draft.kind in RESTORING and not lot.remaining:
            _redate(book, lot)
        _put(book, lot, delta)
    for move in draft.moves:
        _move(book, move)
    if draft.moves:
        book.put_in_order()
    _follow_holds(book, draft)
    _follow_closing(book, draft)
    if draft.kind in ACTIVITY:
        _be_active(book, draft.effective_at)
    book.known.follow(draft)
    _set_gates(book, draft)


def _put(book: Book, lot: LotState, delta: int) -> None:
    was_empty = not lot.remaining
    lot.remaining += delta
    book.touch(lot)
    if was_empty and delta > 0:
        book.open_lot(lot)
    elif not lot.remaining:
        book.end_lot(lot)


def _move(book: Book, move: Move) -> None:
    lot = move.lot
    lot.spendable_at = move.spendable_until or lot.spendable_at
    if move.until != move.was:
        if book.is_inactivity(lot) and move.until and move.spendable_until is None:  # a promise is of its own lot alone
            book.not_before = max(book.not_before or move.until, move.until)
        lot.expires_at = move.until
        lot.gated = lot.notice_days > 0  # a notice is for one date only: this one is stale now
        lot.moved_untold = False
    book.touch(lot)


def _follow_holds(book: Book, draft: Draft) -> None:
    if draft.held:
        book.holds[draft.seq] = draft.held
    elif draft.kind in (Kind.CAPTURE, Kind.RELEASE) and draft.undoes_seq in book.holds:
        hold = book.holds.pop(draft.undoes_seq)
        _end(book, hold)
        if draft.kind == Kind.CAPTURE:
            captured = draft.asked or 0
            book.known.learn(draft.key, SpendingFacts(draft.seq, first_points(hold.slices, captured)))
            book.known.left[hold.seq] = last_points(hold.slices, hold.points - captured)[::-1]
    else:
        return
    book.lapses_at = min((hold.lapses_at for hold in book.holds.values()), default=None)


def _follow_closing(book: Book, draft: Draft) -> None:
    if draft.closing:
        book.closing, book.closes_at = draft.closing, draft.closing.closes_at
    elif book.closing is None:
        return
    elif draft.kind == Kind.CLOSE:  # withdrawn
        _end(book, book.closing)
        book.closing, book.closes_at = None, None
    elif draft.kind == Kind.FORFEIT or is_end_of_an_empty_account(draft):
        _end(book, book.closing)
        book.closing, book.closed = None, True


def is_end_of_an_empty_account(draft: Draft) -> bool:
    """Whether this is the note that stands in the place of a forfeiture."""
    return draft.kind == Kind.NOTE and draft.key is None and draft.reason == NOTHING_LEFT


def _end(book: Book, pending: HoldState | Closing) -> None:
    pending.open = False
    if pending.id is not None:
        book.ended.append(pending)


def _be_active(book: Book, effective_at: datetime) -> None:
    """Activity moves all points under an inactivity policy; a notice of their earlier date is stale."""
    book.active_at = max(book.active_at or effective_at, effective_at)
    if not book.rules.has_inactivity:
        return
    for lot in [lot for lot in book.lots() if book.is_inactivity(lot)]:
        _redate(book, lot)
    book.put_in_order()


def _redate(book: Book, lot: LotState) -> None:
    """Give a lot under an inactivity policy the date that is counted from activity; one that a postponed promise has
    moved further stays."""
    first, kept = lot.first_expires_at, lot.expires_at
    if first is None or kept is None or not book.is_inactivity(lot):
        return
    if book.dated(book.rules.terms(lot.policy_id), first) > kept:
        book.redate(lot)


def _set_gates(book: Book, draft: Draft) -> None:
    """Notices, and dates that moved back or because nobody was told, say whether lots wait for a notice."""
    if draft.told:
        for lot in draft.told.lots:
            book.set_gate(lot)
            lot.moved_untold = lot.moved_untold and bool(draft.told.waiver)  # somebody could be told, if too late
    elif draft.kind == Kind.NOTIFY:
        said = book.known.by_seq.get(draft.undoes_seq or 0)
        for lot in said_of(book, said) if isinstance(said, NoticeFacts) else ():
            book.set_gate(lot)
    elif draft.kind == Kind.EXTEND:
        for move in draft.moves:
            if draft.undoes_seq is not None:
                book.set_gate(move.lot)
            move.lot.moved_untold = draft.reference == UNTOLD


def said_of(book: Book, said: NoticeFacts) -> list[LotState]:
    """The lots that a notice is still about: named by it, of the date that it told, and not ended by the clock.

    Empty ones too: points can come back to them, and then that notice would let them go.
    """
    named = book.named(said.lots)
    return [lot for lot in named if lot.expires_at == said.expires_at and not is_overdue(lot, book.at)]


def known_since(book: Book, lot: LotState) -> date:
    """The day on which the lot came to be: nobody can have been told of it before."""
    return book.known.made_at.get(lot.seq, lot.spendable_at).astimezone(book.rules.zone).date()
