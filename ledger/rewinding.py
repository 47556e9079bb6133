"""An account's page as it was some entries ago, worked out backwards from what is kept of it now. Pure; for the audit.

What the entries since did is undone: points, dates, gates, ends of holds and closures. That is a guess. Not all of it
follows from those entries, and a kept number that somebody changed goes into it as it is. So nobody may believe it: the
auditor compares the hash of this page with the one it kept when it last told the account, and where they differ it
tells the whole story.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.allocation import LotState, redemption_order
from ledger.book import Book
from ledger.checking_points import Ended
from ledger.drafts import Draft
from ledger.effects import UNTOLD, is_end_of_an_empty_account
from ledger.kinds import ACTIVITY, Kind
from ledger.policies import Model, Rules, inactivity_date
from ledger.undoing import Known, NoticeFacts, SpendingFacts, first_points


@dataclass(frozen=True, slots=True)
class LastMove:
    """The last extension or postponement of a lot up to the entry that is gone back to."""

    seq: int
    reference: str
    until: datetime | None


@dataclass(slots=True)
class Since:
    """What is needed to go back: the entries `since`, the account's `last` entry before them, and what was read of the
    `earlier` ones that those name. `lots` are the account's as they are now, those that the entries since made as made.
    """

    last: Draft
    since: Sequence[Draft]
    earlier: Sequence[Draft]
    lots: Mapping[int, LotState]
    active_at: datetime | None  # as it was after `last`
    not_before: datetime | None
    open_now: frozenset[int]  # holds and closures made up to `last` that are open now, by seq
    moved: Mapping[int, LastMove]  # by lot


def rewind(page: Since, rules: Rules) -> Book:
    """The account's page as it was after `page.last`; its lots go back to what they were then."""
    last = page.last
    book = Book(
        account_id=last.account_id,
        programme_id=last.programme_id,
        balance=last.balance_after,
        debt=last.debt_after,
        seq=last.seq,
        head_hash=last.hash,
        last_recorded_at=last.recorded_at,
        rules=rules,
        active_at=page.active_at,
        not_before=page.not_before,
    )
    book.known = known_of(page.earlier)
    _undo_points(page)
    dated = _undo_dates(book, page)
    for lot in dated:
        _undo_gate(book, lot, page.moved.get(lot.id or 0))
    _fill(book, [lot for lot in page.lots.values() if lot.seq <= last.seq])
    _reopen(book, page)
    return book


def known_of(earlier: Sequence[Draft]) -> Known:
    """What these entries, in their order, leave to undo; of each, all that undo it must be among them."""
    known = Known()
    held = {draft.seq: draft.held for draft in earlier if draft.held}
    for draft in earlier:
        hold = held.get(draft.undoes_seq or 0)
        if draft.kind == Kind.CAPTURE and hold:
            known.learn(None, SpendingFacts(draft.seq, first_points(hold.slices, draft.asked or 0)))
        known.follow(draft)
    return known


def ended_of(earlier: Sequence[Draft]) -> dict[int, Ended]:
    """The expiries among these entries, by seq."""
    return {
        draft.seq: Ended(draft.effective_at, {lot: -delta for lot, delta, _ in draft.allocations})
        for draft in earlier
        if draft.kind == Kind.EXPIRE
    }


def lots_in_doubt(since: Iterable[Draft], lots: Iterable[LotState], rules: Rules) -> set[LotState]:
    """Lots of which it must be known which notices they had: those whose dates these entries move and, under a notice
    duty, those of which they tell or which they end."""
    moved: set[LotState] = set()
    found: set[LotState] = set()
    for draft in since:
        moved |= {move.lot for move in draft.moves}
        found |= set(draft.told.lots if draft.told else ())
        if draft.kind == Kind.EXPIRE:
            found |= {lot for lot, *_ in draft.allocations}
    if _redates(since, rules):
        inactivity = {terms.policy_id for _, _, terms in rules.dated if terms.model == Model.INACTIVITY}
        found |= {lot for lot in lots if lot.policy_id in inactivity}
    # That an extension is not undone of which the member was told holds without a duty, too.
    return moved | {lot for lot in found if lot.notice_days}


def _redates(since: Iterable[Draft], rules: Rules) -> bool:
    return rules.has_inactivity and any(draft.kind in ACTIVITY for draft in since)


def _undo_points(page: Since) -> None:
    for draft in page.since:
        for lot, delta, _ in draft.allocations:
            if lot.seq <= page.last.seq:
                lot.remaining -= delta


def _undo_dates(book: Book, page: Since) -> list[LotState]:
    """Returns the lots of whose dates or notices the entries since spoke."""
    first_move: dict[LotState, int] = {}
    spoken_of: dict[LotState, None] = {}
    for draft in reversed(page.since):
        for move in draft.moves:
            if move.lot.seq <= page.last.seq:
                move.lot.expires_at = move.was
                move.lot.spendable_at = move.spendable_was or move.lot.spendable_at
                first_move[move.lot] = draft.seq
        spoken_of |= dict.fromkeys(draft.told.lots if draft.told else _named_by_withdrawn(book, draft, page))
    activity = min((draft.seq for draft in page.since if draft.kind in ACTIVITY), default=None)
    if _redates(page.since, book.rules) and activity:
        for lot in page.lots.values():
            # A move before the first activity has said already what the date was. Of an empty lot nobody knows.
            if lot.remaining and lot.seq <= page.last.seq and first_move.get(lot, activity) >= activity:
                spoken_of |= dict.fromkeys(_by_inactivity(book, lot))
    return [lot for lot in {**first_move, **spoken_of} if lot.seq <= page.last.seq]


def _named_by_withdrawn(book: Book, draft: Draft, page: Since) -> list[LotState]:
    notice = book.known.by_seq.get(draft.undoes_seq or 0) if draft.kind == Kind.NOTIFY else None
    names = notice.lots if isinstance(notice, NoticeFacts) else ()
    return [lot for lot in page.lots.values() if (lot.seq, lot.number) in names]


def _by_inactivity(book: Book, lot: LotState) -> list[LotState]:
    if not (book.is_inactivity(lot) and book.active_at and lot.first_expires_at):
        return []
    terms = book.rules.terms(lot.policy_id)
    lot.expires_at = inactivity_date(terms, book.active_at, book.not_before, lot.first_expires_at)
    return [lot]


def _undo_gate(book: Book, lot: LotState, moved: LastMove | None) -> None:
    if not lot.notice_days:
        return
    lot.gated = not book.is_announced(lot)
    lot.moved_untold = (
        moved is not None
        and moved.reference == UNTOLD
        and moved.until is not None
        and moved.until == lot.expires_at
        and not any(
            (lot.seq, lot.number) in notice.lots and notice.seq > moved.seq and not notice.waiver
            for notice in book.known.notices.get(moved.until, ())
        )
    )


def _fill(book: Book, lots: Sequence[LotState]) -> None:
    book.fill(sorted((lot for lot in lots if lot.remaining), key=redemption_order))
    for lot in lots:
        if not lot.remaining:
            book.same(lot)


def _reopen(book: Book, page: Since) -> None:
    """Holds and closures that are open now, or that an entry since has ended."""
    open_then = set(page.open_now)
    ends = (Kind.CAPTURE, Kind.RELEASE, Kind.CLOSE)
    open_then |= {draft.undoes_seq for draft in page.since if draft.kind in ends and draft.undoes_seq}
    closes = any(draft.kind == Kind.FORFEIT or is_end_of_an_empty_account(draft) for draft in page.since)
    closes = closes and not any(draft.closing for draft in page.since)
    for draft in page.earlier:
        if draft.held and draft.seq in open_then:
            book.holds[draft.seq] = draft.held
        if draft.closing and (draft.seq in open_then or closes):
            book.closing, book.closes_at = draft.closing, draft.closing.closes_at
    book.lapses_at = min((hold.lapses_at for hold in book.holds.values()), default=None)
