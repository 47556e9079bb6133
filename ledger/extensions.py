"""Moving the dates of live lots later. Every move is a recorded fact, and makes an earlier notice stale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ledger.actors import Actor
from ledger.allocation import LotState
from ledger.book import Book
from ledger.drafts import Draft, Move, Signature
from ledger.errors import BadInput, CannotUndo, EarlierDate, LedgerError, LotNotLive, NotAnExtension, PastExpiry
from ledger.inputs import LONGEST, check_key, check_reason
from ledger.kinds import Kind
from ledger.models import Account, Lot, Programme
from ledger.moving import moved_together
from ledger.policies import end_of_day, last_day
from ledger.posting import Order, act, post
from ledger.receipts import Receipt
from ledger.undoing import ExtensionFacts

NewDate = Callable[[Book, LotState], datetime]

# Lots that one bulk extension may name: it is one transaction, and somebody reads its preview.
MOST_LOTS = 1_000


@dataclass(frozen=True, slots=True)
class Planned:
    """What an extension would do to one lot; `refusal` says why it cannot be moved, if it cannot."""

    lot: Lot  # with its account, member and programme
    was: date | None  # its last day now
    until: date
    refusal: LedgerError | None


@dataclass(frozen=True, slots=True)
class Extended:
    """What a bulk extension did."""

    lots: int  # moved, by this call or by an earlier one with the same key
    accounts: int
    replayed: bool  # the key was known: nothing was written now
    refused: Sequence[tuple[int, LedgerError]]  # (account, why): none of its lots moved


def extend(
    *, account: Account, lots: Sequence[int], until: date, now: datetime, key: str, by: Actor, reason: str
) -> Receipt:
    """Make the lots with these ids valid through `until`, a day in the programme's zone.

    Raises BadInput without a reason or lots, PastExpiry, LotNotLive, EarlierDate (all or none), BadKey, KeyReused.
    """
    return act(extend_order(account_id=account.pk, lots=lots, until=until, now=now, key=key, by=by, reason=reason))


def extend_order(
    *, account_id: int, lots: Sequence[int], until: date, now: datetime, key: str, by: Actor, reason: str
) -> Order:
    """An extension to a day as an order for the pen."""

    def new_date(book: Book, lot: LotState) -> datetime:
        return new_expiry(until, book.rules.zone, now)

    asked = {"kind": "extend", "lots": sorted(lots), "until": until, "reason": reason}
    return _order(account_id, lots, new_date, now, key, by, reason, asked)


def new_expiry(until: date, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant from which points that are to be valid through `until` are gone. Raises PastExpiry, BadInput."""
    if until > (now + timedelta(days=LONGEST)).date():
        raise BadInput("The new last day can lie at most a hundred years ahead.", field="until")
    expires_at = end_of_day(until, zone)
    if expires_at <= now:
        raise PastExpiry(field="until")
    return expires_at


def preview(*, lots: Sequence[int], until: date, now: datetime) -> list[Planned]:
    """What extending these lots through `until` would do, by programme, account and date; writes nothing.

    Raises PastExpiry and BadInput where no lot at all could be moved so.
    """
    _check_number(lots)
    named = Lot.objects.filter(pk__in=lots).select_related("account__member", "account__programme")
    live = set(Lot.objects.filter(pk__in=lots).live(now).values_list("pk", flat=True))
    planned = []
    for lot in named.order_by("programme_id", "account_id", "expires_at", "seq", "number"):
        zone = lot.account.programme.tz
        expires_at = new_expiry(until, zone, now)
        refusal: LedgerError | None = None
        if lot.pk not in live:
            refusal = LotNotLive(field="lots")
        elif lot.expires_at is None or not _is_later(expires_at, lot.expires_at, now):
            refusal = EarlierDate(field="until")
        planned.append(Planned(lot, last_day(lot.expires_at, zone) if lot.expires_at else None, until, refusal))
    return planned


def extend_many(*, lots: Sequence[int], until: date, now: datetime, key: str, by: Actor, reason: str) -> Extended:
    """Make the lots with these ids valid through `until`, a day in each programme's zone: one act per account.

    The key of each act is `key`, a colon and the account's id: the same call again moves nothing twice. What one
    account is refused stops no other. Raises BadInput, PastExpiry, BadKey, LotNotLive (none exists), AccountBusy:
    then nothing was written.
    """
    _check_number(lots)
    by_account: dict[tuple[int, int], list[int]] = defaultdict(list)
    named = Lot.objects.filter(pk__in=lots).values_list("programme_id", "account_id", "pk")
    for programme_id, account_id, lot in named:
        by_account[programme_id, account_id].append(lot)
    if not by_account:
        raise LotNotLive(field="lots")
    for programme in Programme.objects.filter(pk__in={programme_id for programme_id, _ in by_account}):
        new_expiry(until, programme.tz, now)  # a date that no lot could have is refused for all of them at once
    orders = [
        extend_order(
            account_id=account_id,
            lots=ids,
            until=until,
            now=now,
            key=f"{key}:{account_id}",
            by=by,
            reason=reason,
        )
        for (_, account_id), ids in sorted(by_account.items())
    ]
    outcomes = list(zip(orders, post(orders), strict=True))
    receipts = {order.account_id: outcome for order, outcome in outcomes if isinstance(outcome, Receipt)}
    return Extended(
        lots=sum(len(ids) for (_, account_id), ids in by_account.items() if account_id in receipts),
        accounts=len(receipts),
        replayed=bool(receipts) and all(receipt.replayed for receipt in receipts.values()),
        refused=[(order.account_id, outcome) for order, outcome in outcomes if isinstance(outcome, LedgerError)],
    )


def _check_number(lots: Sequence[int]) -> None:
    if not lots:
        raise BadInput("Name at least one lot.", field="lots")
    if len(lots) > MOST_LOTS:
        raise BadInput(f"At most {MOST_LOTS} lots can be extended at once.", field="lots")


def extend_by_days_order(
    *,
    account_id: int,
    lots: Sequence[int],
    was: datetime,
    days: int,
    now: datetime,
    key: str,
    by: Actor,
    reason: str,
) -> Order:
    """An extension by `days` of lots that all still go at `was`, as an order for the pen; LotNotLive if one has moved.

    Two that found the same lots at once cannot both move them: the second finds another date.
    """
    if days < 1:
        raise BadInput("An extension is by at least one day.", field="days")

    def later(book: Book, lot: LotState) -> datetime:
        if lot.expires_at != was:
            raise LotNotLive("A lot has moved since it was found.", field="lots")
        return end_of_day(last_day(was, book.rules.zone) + timedelta(days=days), book.rules.zone)

    asked = {"kind": "extend", "lots": sorted(lots), "days": days, "reason": reason}
    return _order(account_id, lots, later, now, key, by, reason, asked)


def _order(
    account_id: int,
    lots: Sequence[int],
    new_date: NewDate,
    now: datetime,
    key: str,
    by: Actor,
    reason: str,
    asked: dict[str, object],
) -> Order:
    check_reason(reason)
    if not lots:
        raise BadInput("Name at least one lot.", field="lots")

    def decide(book: Book, signature: Signature) -> Draft:
        return book.write(Kind.EXTEND, signature, moves=moves_of(book, lots, new_date), reason=reason)

    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide)


def moves_of(book: Book, lots: Sequence[int], new_date: NewDate) -> list[Move]:
    """The moves of these live lots to their new dates. Raises LotNotLive, EarlierDate: then none is moved.

    Points under inactivity policies go together: extending one extends those that would go earlier.
    """
    wanted = set(lots)
    found = [lot for lot in book.live() if lot.id in wanted]
    if len(found) < len(wanted):
        raise LotNotLive(field="lots")
    moves = [Move(lot, lot.expires_at, new_date(book, lot)) for lot in found]
    for move in moves:
        if move.was is None or move.until is None or not _is_later(move.until, move.was, book.at):
            raise EarlierDate(field="until")
    return moved_together(book, moves)


def _is_later(until: datetime, was: datetime, at: datetime) -> bool:
    return until > max(was, at)


def undo(*, account: Account, extension: str, now: datetime, key: str, by: Actor, reason: str) -> Receipt:
    """Move the dates back that the extension under the key `extension` moved.

    Once, and only while every earlier date still lies ahead, every lot still has the later one, and nobody was told of
    it; never of points that go by inactivity. Raises BadInput without a reason, NotAnExtension, CannotUndo, BadKey,
    KeyReused, FutureAct, AccountClosed.
    """
    return act(undo_order(account_id=account.pk, extension=extension, now=now, key=key, by=by, reason=reason))


def undo_order(*, account_id: int, extension: str, now: datetime, key: str, by: Actor, reason: str) -> Order:
    """The undoing of an extension as an order for the pen."""
    check_reason(reason)
    check_key(extension, field="extension")

    def decide(book: Book, signature: Signature) -> Draft:
        done = book.known.by_key.get(extension)
        if not isinstance(done, ExtensionFacts):
            raise NotAnExtension(field="extension")
        if done.undone:
            # An extension since may have given the lots the same date: that one is not meant.
            raise CannotUndo("The date has moved again, or the points are gone.", field="extension")
        moves = [Move(move.lot, move.until, move.was) for move in done.moves]
        for move in moves:
            _check_can_go_back(book, move)
        return book.write(Kind.EXTEND, signature, moves=moves, undoes_seq=done.seq, reason=reason)

    asked: dict[str, object] = {"kind": "extend", "undoes": extension, "reason": reason}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide, undoes=extension)


def _check_can_go_back(book: Book, move: Move) -> None:
    lot = move.lot
    if lot.expires_at != move.was or not lot.remaining:
        raise CannotUndo("The date has moved again, or the points are gone.", field="extension")
    if move.until is None or move.until <= book.at:
        raise CannotUndo("The earlier date lies in the past.", field="extension")
    if book.is_inactivity(lot):
        raise CannotUndo("Points that go by inactivity keep the later date.", field="extension")
    name = lot.seq, lot.number
    told = book.known.notices.get(move.was, ()) if move.was else ()
    if any(name in notice.lots and not notice.waiver and not notice.withdrawn for notice in told):
        raise CannotUndo("The member was told of the later date.", field="extension")
