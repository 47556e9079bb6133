"""Every row of some accounts, put together as the entries that they tell: what the auditor reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db.models import F, Q

from ledger.allocation import LotState, Slice
from ledger.checking import Wrong
from ledger.drafts import Allocated, Closing, Draft, HoldState, Move, Told
from ledger.kinds import Kind
from ledger.models import Allocation, Closure, Entry, Extension, Hold, Lot, Notice
from ledger.retelling import EntryFacts

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of some accounts, by account; what belongs to an entry by the entry's id."""

    entries: Mapping[int, Sequence[Entry]]
    lots: Mapping[int, Sequence[Lot]]
    holds: Mapping[int, Mapping[int, Hold]]  # by account and seq
    closures: Mapping[int, Mapping[int, Closure]]
    allocations: Mapping[int, Sequence[Allocation]]
    extensions: Mapping[int, Sequence[Extension]]
    notices: Mapping[int, Sequence[Notice]]

    def facts(self, account_id: int, lots: Mapping[int, LotState]) -> Iterator[EntryFacts]:
        """The account's entries in `seq` order; `lots` are its lots as made, by id, with those of these rows."""
        made: dict[int, list[LotState]] = defaultdict(list)
        for lot in self.lots[account_id]:
            made[lot.seq].append(lots[lot.pk])
        for entry in self.entries[account_id]:
            yield self._facts(entry, lots, made[entry.seq])

    def lots_named(self) -> set[int]:
        """The ids of all lots that these entries name."""
        given = {part.lot_id for parts in self.allocations.values() for part in parts}
        moved = {part.lot_id for parts in self.extensions.values() for part in parts}
        return given | moved | self.lots_told()

    def lots_told(self) -> set[int]:
        """The ids of those that their notices name."""
        return {lot_id for notices in self.notices.values() for notice in notices for lot_id in notice.lots}

    def _facts(self, entry: Entry, lots: Mapping[int, LotState], made: Sequence[LotState]) -> EntryFacts:
        allocations, extensions = self.allocations.get(entry.pk, ()), self.extensions.get(entry.pk, ())
        notices = self.notices.get(entry.pk, ())
        named = [*(a.lot_id for a in allocations), *(x.lot_id for x in extensions)]
        named += [lot_id for notice in notices for lot_id in notice.lots]
        slices = [Allocated(lots[a.lot_id], a.delta, a.until) for a in allocations if a.lot_id in lots]
        hold = self.holds[entry.account_id].get(entry.seq)
        closure = self.closures[entry.account_id].get(entry.seq)
        draft = Draft(
            account_id=entry.account_id,
            programme_id=entry.programme_id,
            seq=entry.seq,
            kind=Kind(entry.kind) if entry.kind in Kind else Kind.NOTE,
            amount=entry.amount,
            debt_delta=entry.debt_delta,
            written_off=entry.written_off,
            balance_after=entry.balance_after,
            debt_after=entry.debt_after,
            key=entry.key,
            body_hash=bytes(entry.body_hash) if entry.body_hash is not None else None,
            actor=entry.actor,
            reason=entry.reason,
            reference=entry.reference,
            undoes_seq=entry.undoes_seq,
            asked=entry.asked,
            available=entry.available,
            effective_at=entry.effective_at,
            recorded_at=entry.recorded_at,
            allocations=slices,
            made=made,
            moves=[
                Move(lots[x.lot_id], x.was, x.until, x.spendable_was, x.spendable_until)
                for x in extensions
                if x.lot_id in lots
            ],
            told=_told(notices, lots),
            held=_held(hold, entry, slices) if hold else None,
            closing=Closing(closure.seq, closure.closes_at, closure.points, id=closure.pk) if closure else None,
            hash=bytes(entry.hash),
        )
        return EntryFacts(draft, entry.hash_version, list(_strays(entry, draft, hold, named, lots)))


def _strays(
    entry: Entry, draft: Draft, hold: Hold | None, named: Sequence[int], lots: Mapping[int, LotState]
) -> Iterator[Wrong]:
    """What the rows of an entry say and a draft cannot."""
    if entry.kind not in Kind:
        yield 13, f"there is no kind {entry.kind}"
    if unknown := [lot_id for lot_id in named if lot_id not in lots]:
        yield 3, f"it names lots {unknown} that are not the account's, or not made before it"
    if hold and draft.held and hold.points != draft.held.points:
        yield 5, f"the hold is said to be of {hold.points} points, {draft.held.points} were taken"


def read_rows(account_ids: Sequence[int], *, after: int = 0, through: int | None = None) -> Rows:
    """The facts of these accounts: of all entries, or of those with a `seq` after one and up to another.

    The caller sees to it that all is of one moment.
    """
    return _read(Q(account__in=account_ids, seq__gt=after) & (Q(seq__lte=through) if through is not None else Q()))


def read_rows_since(account_ids: Sequence[int]) -> Rows:
    """The facts of these accounts behind the entries up to which they were last told clean."""
    return _read(Q(account__in=account_ids, seq__gt=F("account__audited__seq")))


def read_rows_of(names: Iterable[tuple[int, int]]) -> Rows:
    """The facts of these entries, (account, seq), alone."""
    by_account: dict[int, set[int]] = defaultdict(set)
    for account_id, seq in names:
        by_account[account_id].add(seq)
    if not by_account:
        return _read(Q(pk__in=[]))
    return _read(reduce(or_, (Q(account=account_id, seq__in=seqs) for account_id, seqs in by_account.items())))


def _read(window: Q) -> Rows:
    entries = list(Entry.objects.filter(window).order_by("account", "seq"))
    of_entries = {"entry__in": [entry.pk for entry in entries]}
    return Rows(
        entries=_by(entries, lambda entry: entry.account_id),
        lots=_by(Lot.objects.filter(window).order_by("account", "seq", "number"), lambda lot: lot.account_id),
        holds=_by_seq(Hold.objects.filter(window)),
        closures=_by_seq(Closure.objects.filter(window)),
        allocations=_by(Allocation.objects.filter(**of_entries).order_by("pk"), lambda a: a.entry_id),
        extensions=_by(Extension.objects.filter(**of_entries).order_by("pk"), lambda x: x.entry_id),
        notices=_by(Notice.objects.filter(**of_entries), lambda notice: notice.entry_id),
    )


def _by(rows: Iterable[Row], name: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    grouped: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[name(row)].append(row)
    return grouped


def _by_seq(rows: Iterable[Any]) -> dict[int, dict[int, Any]]:
    grouped: dict[int, dict[int, Any]] = defaultdict(dict)
    for row in rows:
        grouped[row.account_id][row.seq] = row
    return grouped


def _told(notices: Sequence[Notice], lots: Mapping[int, LotState]) -> Told | None:
    for notice in notices:
        named = [lots[lot_id] for lot_id in notice.lots if lot_id in lots]
        return Told(
            expires_at=notice.expires_at,
            expires_on=notice.expires_on,
            told_on=notice.told_on,
            channel=notice.channel,
            evidence=notice.evidence,
            lots=named,
            waiver=notice.waiver,
        )
    return None


def _held(hold: Hold, entry: Entry, took: Sequence[Allocated]) -> HoldState:
    slices = [Slice(lot, -delta) for lot, delta, _ in took]
    return HoldState(hold.seq, entry.key or "", hold.lapses_at, slices, id=hold.pk)
