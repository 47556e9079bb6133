"""What entries that move dates, tell, or end an account should have done, by the rules. Pure; for the auditor.

Each check yields the law of `docs/domain.md` that is broken, and how.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ledger.allocation import LotState, is_live
from ledger.book import Book
from ledger.drafts import Draft, Move, Told
from ledger.effects import UNTOLD, is_end_of_an_empty_account, known_since, said_of
from ledger.kinds import Waiver
from ledger.policies import date_with_full_notice, is_good_day, last_day, postponed_date
from ledger.undoing import ExtensionFacts, GrantFacts, NoticeFacts

Wrong = tuple[int, str]


def extend(book: Book, entry: Draft) -> Iterator[Wrong]:
    """Dates of live lots move later; back only to undo an extension that nobody was told of."""
    yield from _from_where_they_were(book, entry)
    if entry.undoes_seq is not None:
        yield from _undo(book, entry)
        return
    for move in entry.moves:
        if not _is_later(move, book.at):
            yield 13, f"lot {move.lot.id} moved from {move.was} to {move.until}, which is not later"
    if entry.reference == UNTOLD:
        yield from _untold_moves(book, entry)
    yield from _together(book, entry)


def _from_where_they_were(book: Book, entry: Draft) -> Iterator[Wrong]:
    if not entry.moves:
        yield 13, "it moves no date"
    for move in entry.moves:
        lot = move.lot
        if lot.expires_at != move.was:
            yield 13, f"lot {lot.id} moved from {move.was}, its date was {lot.expires_at}"
        if not is_live(lot, book.at):
            yield 13, f"lot {lot.id} moved and was not live"


def _is_later(move: Move, at: datetime) -> bool:
    return move.until is not None and move.was is not None and move.until > max(move.was, at)


def _undo(book: Book, entry: Draft) -> Iterator[Wrong]:
    """An extension is undone whole, while its earlier dates lie ahead and nobody was told of the later ones."""
    undone = book.known.by_seq.get(entry.undoes_seq or 0)
    if not isinstance(undone, ExtensionFacts):
        yield 13, f"entry {entry.undoes_seq} is no extension"
        return
    if undone.undone:
        yield 13, f"extension {entry.undoes_seq} was undone before"
    back = [(move.lot, move.until, move.was) for move in undone.moves]
    if [(move.lot, move.was, move.until) for move in entry.moves] != back:
        yield 13, "it does not move the dates back that the extension moved"
    for move in entry.moves:
        if move.until is None or move.until <= book.at or book.is_inactivity(move.lot):
            yield 13, f"lot {move.lot.id} could not go back to {move.until}"
        name, told = (move.lot.seq, move.lot.number), book.known.notices.get(move.was, ()) if move.was else ()
        if any(name in notice.lots and not notice.waiver and not notice.withdrawn for notice in told):
            yield 15, f"the member was told that lot {move.lot.id} goes at {move.was}, and it goes earlier"


def _untold_moves(book: Book, entry: Draft) -> Iterator[Wrong]:
    """Each lot that moves waits for its notice, but for points under an inactivity policy: they go with one that
    does.
    """
    alone = [move for move in entry.moves if not book.is_inactivity(move.lot)]
    together = [move for move in entry.moves if book.is_inactivity(move.lot)]
    for move in alone:
        yield from _untold(book, move)
    if together:
        yield from min((list(_untold(book, move)) for move in together), key=len)


def _untold(book: Book, move: Move) -> Iterator[Wrong]:
    """The full notice again is for lots that still wait for one, and can no longer be told of in time."""
    lot, zone = move.lot, book.rules.zone
    today = book.at.astimezone(zone).date()
    if not lot.gated or (move.was and is_good_day(today, last_day(move.was, zone), lot.notice_days)):
        yield 15, f"lot {lot.id} got a new notice though it was told of, or could be"
    if move.until != date_with_full_notice(book.rules.terms(lot.policy_id), book.at):
        yield 15, f"lot {lot.id} got another date than the full notice gives"


def _together(book: Book, entry: Draft) -> Iterator[Wrong]:
    """Points under inactivity policies go together: extending one extends those that would go earlier."""
    latest = max((move.until for move in entry.moves if move.until and book.is_inactivity(move.lot)), default=None)
    if latest is None:
        return
    moved = {move.lot: move.until for move in entry.moves}
    for lot in book.live():
        if book.is_inactivity(lot) and lot.expires_at and lot.expires_at < latest and moved.get(lot) != latest:
            yield 13, f"lot {lot.id} did not move together with the others"


def postpone(book: Book, entry: Draft) -> Iterator[Wrong]:
    """Promises of live lots move later, their dates by the same policy, never earlier."""
    yield from _from_where_they_were(book, entry)
    for move in entry.moves:
        lot, later = move.lot, move.spendable_until
        if move.spendable_was != lot.spendable_at or later is None or not book.at < lot.spendable_at < later:
            yield 13, f"the promise of lot {lot.id} did not move later"
        elif move.until != _postponed_date(book, lot, later):
            yield 12, f"lot {lot.id} was postponed until {move.until}, its policy says otherwise"


def _postponed_date(book: Book, lot: LotState, spendable_at: datetime) -> datetime | None:
    if lot.expires_at is None:
        return None
    return postponed_date(book.rules.terms(lot.policy_id), lot.expires_at, lot.spendable_at, spendable_at)


def notify(book: Book, entry: Draft) -> Iterator[Wrong]:
    """A notice is of live lots, of their present date, and of a day on which it could be given."""
    if entry.told:
        yield from _told(book, entry.told)
        return
    said = book.known.by_seq.get(entry.undoes_seq or 0)
    if not isinstance(said, NoticeFacts):
        yield 15, "it withdraws no notice"
    elif said.withdrawn or not said_of(book, said):
        yield 15, "the notice was withdrawn before, or is about nothing that is left"


def _told(book: Book, told: Told) -> Iterator[Wrong]:
    zone = book.rules.zone
    if not told.lots or any(lot.expires_at != told.expires_at or not is_live(lot, book.at) for lot in told.lots):
        yield 15, "it tells of lots that are not live, or of another date than theirs"
    if told.expires_on != last_day(told.expires_at, zone):
        yield 15, f"it says that the last day is {told.expires_on}"
    if told.told_on > book.at.astimezone(zone).date():
        yield 15, f"it was recorded before the day of telling, {told.told_on}"
    if any(told.told_on < known_since(book, lot) for lot in told.lots):
        yield 15, f"nobody could be told on {told.told_on}: the points were not there"
    if not told.evidence or (told.waiver not in Waiver if told.waiver else not told.channel):
        yield 15, "a notice needs its channel and its evidence, a waiver its reason"


def close(book: Book, entry: Draft) -> Iterator[Wrong]:
    if entry.closing is None:
        if book.closing is None or book.closing.seq != entry.undoes_seq:
            yield 13, "it withdraws no closure"
        return
    if book.closing:
        yield 13, "the account was closing already"
    if entry.closing.closes_at <= book.at:
        yield 13, "the closure was to take effect before it was asked for"
    live = sum(lot.remaining for lot in book.live())
    if entry.closing.points != live:
        yield 13, f"the member was told that {entry.closing.points} points would go, there were {live}"


def note(book: Book, entry: Draft) -> Iterator[Wrong]:
    """A note stands for an act that changed nothing: of a clawback that asked for points only where the cap was 0."""
    grant = book.known.by_seq.get(entry.undoes_seq or 0)
    if isinstance(grant, GrantFacts) and grant.cap and entry.asked is not None:
        yield 7, f"nothing was clawed back, the cap was {grant.cap}"
    if is_end_of_an_empty_account(entry):
        if book.closing is None or book.closing.closes_at != entry.effective_at:
            yield 13, "no closure took effect then"
        if left := sum(lot.remaining for lot in book.lots()):
            yield 9, f"the account was closed as if empty, with {left} points left"
