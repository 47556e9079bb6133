"""What each kind of entry should have done, by the rules, on the account as it was before it. Pure; for the auditor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ledger.allocation import Slice, clawback_payers, is_overdue, is_spendable, take
from ledger.book import Book
from ledger.drafts import Allocated, Draft
from ledger.kinds import Kind, Origin
from ledger.policies import (
    Beyond,
    can_be_reinstated,
    has_floor_left,
    reinstated_date,
    restored_date,
)
from ledger.undoing import ExtensionFacts, GrantFacts, NoticeFacts, SpendingFacts, first_points, last_points

# A law of `docs/domain.md` that is broken, and how.
Wrong = tuple[int, str]
Ended = Mapping[int, tuple[Draft, int]]


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


def check_kind(book: Book, entry: Draft, ended: Ended) -> Iterator[Wrong]:
    """What is wrong with the entry by the laws of its own kind; `ended` are the lots that the clock ended before."""
    if entry.kind == Kind.REINSTATE:
        yield from _reinstate(book, entry, ended)
    elif check := _CHECKS.get(entry.kind):
        yield from check(book, entry)


def check_lots_made(book: Book, entry: Draft) -> Iterator[Wrong]:
    """Law 12: a lot is dated by a policy of its programme that was in force, and keeps the duty of that policy."""
    if entry.made and entry.kind not in (Kind.GRANT, Kind.REFUND, Kind.RELEASE, Kind.REINSTATE):
        yield 6, f"a {entry.kind} made a lot"
    for lot in entry.made:
        found = [(since, origin, t) for since, origin, t in book.rules.dated if t.policy_id == lot.policy_id]
        if not found:
            yield 12, f"lot {lot.id} has policy {lot.policy_id}, which is none of the programme's"
            continue
        since, origin, terms = found[0]
        if origin not in ("", lot.origin) or (entry.kind == Kind.GRANT and since > entry.effective_at):
            yield 12, f"lot {lot.id} has policy {lot.policy_id}, which was not in force for it"
        duty = (terms.notice_days, terms.notice_slack) if terms.notice_days and lot.expires_at else (0, 0)
        if (lot.notice_days, lot.notice_slack) != duty:
            yield 12, f"lot {lot.id} has another notice duty than its policy"


def _spending(book: Book, entry: Draft) -> Iterator[Wrong]:
    at = entry.recorded_at
    for lot, *_ in entry.allocations:
        if is_overdue(lot, at) or lot.spendable_at > at:
            yield 2, f"lot {lot.id} could not be spent"
    if book.debt:
        yield 2, "the account was in debt"
    spendable = (lot for lot in book.live() if is_spendable(lot, at))
    yield from _compare(5, entry, take(spendable, -entry.amount))
    if entry.held and entry.held.lapses_at <= at:
        yield 5, "the hold lapsed before it was made"


def _decline(book: Book, entry: Draft) -> Iterator[Wrong]:
    asked = entry.asked or 0
    spendable = (lot for lot in book.live() if is_spendable(lot, book.at))
    there = 0 if book.debt else sum(part.points for part in take(spendable, asked))
    if entry.available != there or there >= asked:
        yield 5, f"{asked} were declined of {entry.available}, there were {there}"


def _refund(book: Book, entry: Draft) -> Iterator[Wrong]:
    spent = book.known.by_seq.get(entry.undoes_seq or 0)
    if not isinstance(spent, SpendingFacts):
        yield 5, f"entry {entry.undoes_seq} is no redemption"
        return
    left = spent.points - spent.refunded
    if entry.amount > left:
        yield 5, f"{entry.amount} were refunded of {left}"
        return
    yield from _compare_restored(book, entry, last_points(first_points(spent.slices, left), entry.amount))


def _release(book: Book, entry: Draft) -> Iterator[Wrong]:
    """A release of an open hold is whole; behind a capture it is what the capture left."""
    hold = book.holds.get(entry.undoes_seq or 0)
    if hold:
        slices = hold.slices
        if entry.actor == "system:clock" and entry.effective_at not in (hold.lapses_at, book.closes_at):
            yield 11, "the clock released it at another time than its lapse"
    else:
        slices = book.known.left.pop(entry.undoes_seq or 0, [])
    if sum(part.points for part in slices) != entry.amount:
        yield 5, f"{entry.amount} were released of {sum(part.points for part in slices)}"
        return
    yield from _compare_restored(book, entry, last_points(slices, entry.amount))


def _capture(book: Book, entry: Draft) -> Iterator[Wrong]:
    hold = book.holds.get(entry.undoes_seq or 0)
    if hold is None:
        yield 5, f"entry {entry.undoes_seq} is no open hold"
    elif entry.recorded_at >= hold.lapses_at:
        yield 5, "the hold had lapsed"
    elif not 1 <= (entry.asked or 0) <= hold.points:
        yield 5, f"{entry.asked} were captured of {hold.points}"


def _compare_restored(book: Book, entry: Draft, slices: Sequence[Slice]) -> Iterator[Wrong]:
    """Law 6: each slice is back in its lot, or in a lot of its own with the date that the floor gives."""
    at, made = entry.effective_at, list(entry.made)
    expected = []
    for lot, points in slices:
        terms, until = book.rules.terms(lot.policy_id), book.date_of(lot)
        if has_floor_left(terms, until, at):
            expected.append(Allocated(lot, points, until))
            continue
        assert until is not None
        until = restored_date(terms, until, at)
        own = made.pop(0) if made else None
        if own is None or (own.family_seq, own.origin, own.policy_id, own.expires_at, own.spendable_at) != (
            lot.family_seq,
            lot.origin,
            lot.policy_id,
            until,
            at,
        ):
            yield 6, f"{points} points of lot {lot.id} should have come back in a lot of their own until {until}"
            return
        expected.append(Allocated(own, points, until))
    if made or list(entry.allocations) != expected:
        yield 6, f"it gave {_said(entry.allocations)}, the rule says {_said(expected)}"


def _settle(book: Book, entry: Draft) -> Iterator[Wrong]:
    yield from _compare(8, entry, take(book.lots(), book.debt))


def _clawback(book: Book, entry: Draft) -> Iterator[Wrong]:
    grant = book.known.by_seq.get(entry.undoes_seq) if entry.undoes_seq else None
    counted = entry.written_off - entry.amount
    if entry.undoes_seq and not isinstance(grant, GrantFacts):
        yield 7, f"entry {entry.undoes_seq} is not a grant"
    if isinstance(grant, GrantFacts) and counted > grant.cap:
        yield 7, f"{counted} were clawed back, the cap was {grant.cap}"
    terms = (
        book.rules.terms(grant.policy_id)
        if isinstance(grant, GrantFacts)
        else book.rules.in_force(entry.recorded_at, Origin.ADJUSTMENT)
    )
    writes_off = terms.clawback_beyond == Beyond.WRITE_OFF
    if entry.debt_delta if writes_off else entry.written_off:
        yield 7, "what nobody could pay went the other way than its policy says"
    payers = clawback_payers(book.live(), entry.undoes_seq, book.at, family_only=writes_off and grant is not None)
    yield from _compare(7, entry, take(payers, counted))


def _expire(book: Book, entry: Draft) -> Iterator[Wrong]:
    for lot, delta, _ in entry.allocations:
        if delta != -lot.remaining:
            yield 9, f"lot {lot.id} had {lot.remaining} left, {-delta} expired"
        if lot.expires_at != entry.effective_at:
            yield 9, f"lot {lot.id} was to go at {lot.expires_at}"
        elif lot.notice_days and not book.is_announced(lot):
            yield 15, f"lot {lot.id} expired unannounced"


def _reinstate(book: Book, entry: Draft, ended: Ended) -> Iterator[Wrong]:
    """Expired points come back once per family, whole, within the window, with the life that the policy says."""
    (lot, points, _), *more = entry.allocations
    terms = book.rules.terms(lot.policy_id)
    family = book.known.by_seq.get(lot.family_seq)
    came = [
        (expire, of_lot)
        for expire, of_lot in ended.values()
        if expire.seq == entry.undoes_seq
        and of_lot == points
        and any(part.lot.family_seq == lot.family_seq for part in expire.allocations)
    ]
    if more or not came:
        yield 6, "it gives back other points than those that expired"
        return
    if not can_be_reinstated(terms, came[0][0].effective_at, book.at):
        yield 6, "the time to reinstate was over"
    if isinstance(family, GrantFacts) and family.reinstated:
        yield 6, "its family was reinstated before"
    if lot.expires_at != book.dated(terms, reinstated_date(terms, book.at)):
        yield 6, f"lot {lot.id} was reinstated until {lot.expires_at}"


def _moves(book: Book, entry: Draft) -> Iterator[Wrong]:
    """Dates move from where they were, and later; earlier only to undo an extension that nobody was told of."""
    undone = book.known.by_seq.get(entry.undoes_seq or 0)
    back = (
        {(move.lot.id, move.until, move.was) for move in undone.moves} if isinstance(undone, ExtensionFacts) else set()
    )
    for move in entry.moves:
        lot = move.lot
        is_later = move.until is not None and move.was is not None and move.until > move.was
        if entry.kind == Kind.POSTPONE:
            is_later = move.until == move.was or is_later
            if move.spendable_was != lot.spendable_at or not _is_after(move.spendable_until, lot.spendable_at):
                yield 13, f"the promise of lot {lot.id} did not move later"
        if lot.expires_at != move.was or not (is_later or (lot.id, move.was, move.until) in back):
            yield 13, f"lot {lot.id} moved from {move.was} to {move.until}, its date was {lot.expires_at}"


def _is_after(later: object, earlier: object) -> bool:
    return later is not None and later > earlier  # type: ignore[operator]  # both are instants


def _notify(book: Book, entry: Draft) -> Iterator[Wrong]:
    if entry.told is None and not isinstance(book.known.by_seq.get(entry.undoes_seq or 0), NoticeFacts):
        yield 13, "it withdraws no notice"


def _forfeit(book: Book, entry: Draft) -> Iterator[Wrong]:
    if book.closing is None or book.closing.closes_at != entry.effective_at:
        yield 13, "no closure took effect then"
    yield from _compare(9, entry, [Slice(lot, lot.remaining) for lot in book.lots()])


def _close(book: Book, entry: Draft) -> Iterator[Wrong]:
    if entry.closing and book.closing:
        yield 13, "the account was closing already"
    if entry.closing is None and (book.closing is None or book.closing.seq != entry.undoes_seq):
        yield 13, "it withdraws no closure"


def _compare(law: int, entry: Draft, due: Sequence[Slice]) -> Iterator[Wrong]:
    if list(entry.allocations) != [Allocated(lot, -points) for lot, points in due]:
        expected = _said([Allocated(lot, -points) for lot, points in due])
        yield law, f"it took {_said(entry.allocations)}, the rule says {expected}"


def _said(allocations: Sequence[Allocated]) -> str:
    return ", ".join(f"{delta:+d} of lot {lot.id}" for lot, delta, _ in allocations) or "nothing"


_CHECKS: dict[Kind, Callable[[Book, Draft], Iterator[Wrong]]] = {
    Kind.REDEEM: _spending,
    Kind.HOLD: _spending,
    Kind.DECLINE: _decline,
    Kind.REFUND: _refund,
    Kind.CAPTURE: _capture,
    Kind.RELEASE: _release,
    Kind.SETTLE: _settle,
    Kind.CLAWBACK: _clawback,
    Kind.EXPIRE: _expire,
    Kind.EXTEND: _moves,
    Kind.POSTPONE: _moves,
    Kind.NOTIFY: _notify,
    Kind.FORFEIT: _forfeit,
    Kind.CLOSE: _close,
}
