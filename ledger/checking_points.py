"""What entries that move points should have moved, by the rules, on the account as it was before them. Pure.

For the auditor. Each check yields the law of `docs/domain.md` that is broken, and how.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.allocation import LotState, Slice, clawback_payers, is_overdue, is_spendable, take
from ledger.book import Book
from ledger.drafts import Allocated, Draft
from ledger.errors import NoPolicy
from ledger.kinds import Origin
from ledger.policies import (
    Beyond,
    Terms,
    can_be_reinstated,
    has_floor_left,
    reinstated_date,
    restored_date,
)
from ledger.undoing import GrantFacts, SpendingFacts, first_points, last_points

Wrong = tuple[int, str]

# A grant's own clock may have run so far from that of a policy that came into force in the same moment.
SAME_MOMENT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Ended:
    """An expiry: when, and the points of each lot that it ended."""

    at: datetime
    points: Mapping[LotState, int]


def grant(book: Book, entry: Draft) -> Iterator[Wrong]:
    """A grant makes one lot of its own and gives it all its points, by the policy in force then."""
    if len(entry.made) != 1:
        yield 3, f"a grant made {len(entry.made)} lots"
        return
    (lot,) = entry.made
    if (lot.number, lot.family_seq, lot.granted) != (0, entry.seq, entry.amount):
        yield 3, f"lot {lot.id} is not that of a grant of {entry.amount}"
    if list(entry.allocations) != [Allocated(lot, entry.amount)]:
        yield 3, f"it gave {said(entry.allocations)} instead of all to its own lot"
    if lot.spendable_at < entry.effective_at or (lot.expires_at and lot.expires_at <= lot.spendable_at):
        yield 12, f"lot {lot.id} was dated before its points, or was over before it could be spent"
    if lot.policy_id not in _in_force(book, entry.effective_at, lot.origin):
        yield 12, f"lot {lot.id} has policy {lot.policy_id}, which was not in force for it"


def _in_force(book: Book, at: datetime, origin: str) -> Iterator[int]:
    for instant in (at, at - SAME_MOMENT):
        try:
            yield book.rules.in_force(instant, origin).policy_id
        except NoPolicy:
            return


def spending(book: Book, entry: Draft) -> Iterator[Wrong]:
    at = entry.recorded_at
    for lot, *_ in entry.allocations:
        if is_overdue(lot, at) or lot.spendable_at > at:
            yield 2, f"lot {lot.id} could not be spent"
    if book.debt:
        yield 2, "the account was in debt"
    spendable = (lot for lot in book.live() if is_spendable(lot, at))
    yield from compare(5, entry, take(spendable, -entry.amount))
    if entry.held and entry.held.lapses_at <= at:
        yield 5, "the hold lapsed before it was made"


def decline(book: Book, entry: Draft) -> Iterator[Wrong]:
    asked = entry.asked or 0
    spendable = (lot for lot in book.live() if is_spendable(lot, book.at))
    there = 0 if book.debt else sum(part.points for part in take(spendable, asked))
    if entry.available != there or there >= asked:
        yield 5, f"{asked} were declined of {entry.available}, there were {there}"


def refund(book: Book, entry: Draft) -> Iterator[Wrong]:
    spent = book.known.by_seq.get(entry.undoes_seq or 0)
    if not isinstance(spent, SpendingFacts):
        yield 5, f"entry {entry.undoes_seq} is no redemption"
        return
    left = spent.points - spent.refunded
    if entry.amount > left:
        yield 5, f"{entry.amount} were refunded of {left}"
        return
    yield from _compare_restored(book, entry, last_points(first_points(spent.slices, left), entry.amount))


def release(book: Book, entry: Draft) -> Iterator[Wrong]:
    """A release of an open hold is whole; behind a capture it is what the capture left."""
    hold = book.holds.get(entry.undoes_seq or 0)
    slices = hold.slices if hold else book.known.left.pop(entry.undoes_seq or 0, [])
    if sum(part.points for part in slices) != entry.amount:
        yield 5, f"{entry.amount} were released of {sum(part.points for part in slices)}"
        return
    yield from _compare_restored(book, entry, last_points(slices, entry.amount))


def capture(book: Book, entry: Draft) -> Iterator[Wrong]:
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
    expected: list[Allocated] = []
    expected_of_own: list[LotState] = []
    for lot, points in slices:
        terms, until = book.rules.terms(lot.policy_id), book.date_of(lot)
        if has_floor_left(terms, until, at):
            expected.append(Allocated(lot, points, until))
            continue
        assert until is not None
        until = restored_date(terms, until, at)
        own = made.pop(0) if made else None
        if own is None or not _is_of_family(own, lot, points, len(expected_of_own), until, at):
            yield 6, f"{points} points of lot {lot.id} should have come back in a lot of their own until {until}"
            return
        expected_of_own.append(own)
        expected.append(Allocated(own, points, until))
    if made or list(entry.allocations) != expected:
        yield 6, f"it gave {said(entry.allocations)}, the rule says {said(expected)}"


def _is_of_family(own: LotState, lot: LotState, points: int, number: int, until: datetime | None, at: datetime) -> bool:
    """Whether `own` is the lot that points of `lot` come back in."""
    name = (own.family_seq, own.origin, own.policy_id, own.granted, own.number)
    return name == (lot.family_seq, lot.origin, lot.policy_id, points, number) and (
        (own.expires_at, own.spendable_at) == (until, at)
    )


def settle(book: Book, entry: Draft) -> Iterator[Wrong]:
    yield from compare(8, entry, take(book.lots(), book.debt))


def clawback(book: Book, entry: Draft) -> Iterator[Wrong]:
    known = book.known.by_seq.get(entry.undoes_seq) if entry.undoes_seq else None
    grant = known if isinstance(known, GrantFacts) else None
    counted, asked = entry.written_off - entry.amount, entry.asked or 0
    if entry.undoes_seq and grant is None:
        yield 7, f"entry {entry.undoes_seq} is not a grant"
        return
    due = min(asked, grant.cap) if grant else asked
    if counted != due or entry.available != (grant.cap if grant else None):
        yield 7, f"{counted} were clawed back of {asked} asked for, the cap was {grant.cap if grant else 'none'}"
    terms = _clawback_terms(book, entry, grant)
    writes_off = terms.clawback_beyond == Beyond.WRITE_OFF
    if entry.debt_delta if writes_off else entry.written_off:
        yield 7, "what nobody could pay went the other way than its policy says"
    own, others = book.family(entry.undoes_seq), book.others(entry.undoes_seq)
    payers = clawback_payers(own, others, book.at, family_only=writes_off and grant is not None)
    yield from compare(7, entry, take(payers, counted))


def _clawback_terms(book: Book, entry: Draft, grant: GrantFacts | None) -> Terms:
    return book.rules.terms(grant.policy_id) if grant else book.rules.in_force(entry.recorded_at, Origin.ADJUSTMENT)


def expire(book: Book, entry: Draft) -> Iterator[Wrong]:
    for lot, delta, _ in entry.allocations:
        if delta != -lot.remaining:
            yield 9, f"lot {lot.id} had {lot.remaining} left, {-delta} expired"
        if lot.expires_at != entry.effective_at:
            yield 9, f"lot {lot.id} was to go at {lot.expires_at}"
        elif lot.notice_days and not book.is_announced(lot):
            yield 15, f"lot {lot.id} expired unannounced"


def reinstate(book: Book, entry: Draft, ended: Mapping[int, Ended]) -> Iterator[Wrong]:
    """Expired points come back once per family, whole, within the window, with the life that the policy says."""
    expiry = ended.get(entry.undoes_seq or 0)
    if len(entry.made) != 1 or expiry is None:
        yield 6, "it does not give points back that expired, in one lot"
        return
    (own,), at = entry.made, book.at
    terms = book.rules.terms(own.policy_id)
    until = book.dated(terms, reinstated_date(terms, at))
    if not any(_is_of_family(own, lot, points, 0, until, at) for lot, points in expiry.points.items()):
        yield 6, f"lot {own.id} until {own.expires_at} is not what its policy gives back of those that expired"
    if list(entry.allocations) != [Allocated(own, own.granted, own.expires_at)]:
        yield 6, f"it gave {said(entry.allocations)} instead of all to its own lot"
    if not can_be_reinstated(terms, expiry.at, at):
        yield 6, "the time to reinstate was over"
    family = book.known.by_seq.get(own.family_seq)
    if isinstance(family, GrantFacts) and family.reinstated:
        yield 6, "its family was reinstated before"


def forfeit(book: Book, entry: Draft) -> Iterator[Wrong]:
    if book.closing is None or book.closing.closes_at != entry.effective_at:
        yield 13, "no closure took effect then"
    yield from compare(9, entry, [Slice(lot, lot.remaining) for lot in book.lots()])


def compare(law: int, entry: Draft, due: Sequence[Slice]) -> Iterator[Wrong]:
    """The entry took exactly these slices, in this order."""
    if list(entry.allocations) != [Allocated(lot, -points) for lot, points in due]:
        expected = said([Allocated(lot, -points) for lot, points in due])
        yield law, f"it took {said(entry.allocations)}, the rule says {expected}"


def said(allocations: Sequence[Allocated]) -> str:
    return ", ".join(f"{delta:+d} of lot {lot.id}" for lot, delta, _ in allocations) or "nothing"
