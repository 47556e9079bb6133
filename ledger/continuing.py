"""Telling accounts on from the entry up to which they were last told clean, reading what happened since.

The page of that moment is not stored: it is worked out backwards from the present one (`rewinding.py`), and counts only
if it hashes to what was kept of it then. So a kept number that somebody changed meanwhile is not carried over, and an
entry that was cut off or written anew is noticed. Then the entries since are told on that page with the same rules as
in a whole story. Of older entries those are read that the new ones undo or speak of, as an act would read them; that
nobody changed such an old fact in place is believed here, and checked by a full run.

Whoever cannot be told on without the least doubt is told whole: nothing is ever found here, and a wrong guess costs
time only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F, Q

from ledger.allocation import LotState
from ledger.audit import ENTRIES_AT_ONCE, Told
from ledger.book import Book
from ledger.drafts import Draft
from ledger.effects import is_end_of_an_empty_account
from ledger.kept import Columns, Earlier, kept_then
from ledger.kinds import Kind
from ledger.models import Account, AccountVerdict, Closure, Hold, Lot
from ledger.policies import Model, Rules
from ledger.rereading import activity_of, earlier_entries, last_moves, not_before_of
from ledger.retelling import KEPT_OF_ACCOUNT, KEPT_OF_LOT, EntryFacts, Story
from ledger.rewinding import LastMove, Since, ended_of, lots_in_doubt, rewind
from ledger.rows import read_rows_of, read_rows_since
from ledger.rules import rules_of


def tell_on(before: Mapping[int, AccountVerdict], seqs: Mapping[int, int]) -> list[Told]:
    """Tell on those of these accounts that moved since they were told clean; returns whom it could, all of them clean.

    `seqs` are their numbers of entries now. To be called inside one snapshot.
    """
    moved = [pk for pk, row in before.items() if row.seq and not row.findings and _is_little(seqs.get(pk, 0) - row.seq)]
    return _tell_on(moved, before) if moved else []


def _is_little(entries: int) -> bool:
    return 0 < entries <= ENTRIES_AT_ONCE


def _tell_on(account_ids: Sequence[int], before: Mapping[int, AccountVerdict]) -> list[Told]:
    pages = _read(account_ids, before)
    books: dict[int, Book] = {}
    for pk, page in pages.items():
        # Where the facts make so little sense that it cannot be done, the whole story says what is wrong.
        with suppress(Exception):
            books[pk] = page.rewind()
    then = kept_then(pages[pk].as_it_was(book) for pk, book in books.items())
    told = []
    for pk, book in books.items():
        if then[pk] == bytes(before[pk].kept_hash) and pages[pk].is_clean(book):
            told.append(Told(pk, book.seq, book.head_hash, len(pages[pk].since), 0, whole=False))
    return told


@dataclass(slots=True)
class _Page:
    """What was read of one account; `seq` is the entry up to which it was told clean."""

    account: Account
    rules: Rules
    seq: int
    rows: dict[int, Lot] = field(default_factory=dict)  # as kept now: open lots, those that entries name, new ones
    lots: dict[int, LotState] = field(default_factory=dict)  # the same; those made since as they were made
    since: list[EntryFacts] = field(default_factory=list)
    earlier: list[EntryFacts] = field(default_factory=list)
    holds: dict[int, Hold] = field(default_factory=dict)  # by seq
    closures: dict[int, Closure] = field(default_factory=dict)
    active_at: datetime | None = None
    not_before: datetime | None = None
    moved: Mapping[int, LastMove] = field(default_factory=dict)

    @property
    def pk(self) -> int:
        return self.account.pk

    @property
    def drafts(self) -> list[Draft]:
        return [facts.draft for facts in self.since]

    def lay(self, lot: Lot) -> None:
        """Lay a lot open that was read, if it is not yet."""
        if lot.pk not in self.lots:
            self.rows[lot.pk] = lot
            self.lots[lot.pk] = lot.as_made() if lot.seq > self.seq else lot.state()

    def asked(self) -> set[int]:
        """The earlier entries, by seq, that must be known: the last one, what the entries since undo, how the points
        came to be that they tell of, what made the holds and closures that were open."""
        drafts = self.drafts
        seqs = {self.seq, *(draft.undoes_seq or 0 for draft in drafts)}
        seqs |= {lot.seq for draft in drafts if draft.told for lot in draft.told.lots}
        seqs |= {seq for seq, hold in self.holds.items() if hold.open}
        closes = any(draft.kind == Kind.FORFEIT or is_end_of_an_empty_account(draft) for draft in drafts)
        seqs |= {seq for seq, closure in self.closures.items() if closure.open or closes}
        return {seq for seq in seqs | self.families() if 0 < seq <= self.seq}

    def families(self) -> set[int]:
        """The grants, by seq, of which it must be known what expired and was reinstated."""
        taken = {draft.undoes_seq for draft in self.drafts if draft.kind in (Kind.CLAWBACK, Kind.NOTE)}
        given = {lot.family_seq for draft in self.drafts if draft.kind == Kind.REINSTATE for lot in draft.made}
        return {seq for seq in taken | given if seq and seq <= self.seq}

    def doubted(self) -> set[int]:
        """The lots, by id, whose notices must be known."""
        return {lot.id for lot in lots_in_doubt(self.drafts, self.lots.values(), self.rules) if lot.id}

    @property
    def last(self) -> EntryFacts:
        (last,) = [facts for facts in self.earlier if facts.draft.seq == self.seq]
        return last

    def rewind(self) -> Book:
        pending: list[tuple[int, Hold | Closure]] = [*self.holds.items(), *self.closures.items()]
        since = Since(
            last=self.last.draft,
            since=self.drafts,
            earlier=[facts.draft for facts in self.earlier],
            lots=self.lots,
            active_at=self.active_at,
            not_before=self.not_before,
            open_now=frozenset(seq for seq, one in pending if one.open),
            moved=self.moved,
        )
        return rewind(since, self.rules)

    def as_it_was(self, book: Book) -> Earlier:
        """The columns of its rows, with the page gone back to this book."""
        account = {name: getattr(book, name) for name in KEPT_OF_ACCOUNT}
        lots = {}
        for pk, lot in self.lots.items():
            columns = {name: getattr(lot, name) for name in KEPT_OF_LOT}
            if any(getattr(self.rows[pk], name) != value for name, value in columns.items()):
                lots[pk] = {**columns, "open": lot.remaining > 0}
        closing = [book.closing.seq] if book.closing else []
        return Earlier(self.pk, self.seq, account, lots, _open(self.holds, book.holds), _open(self.closures, closing))

    def is_clean(self, book: Book) -> bool:
        """Tell the entries since; whether all adds up, in them and in what is kept now."""
        seqs = {draft.seq for draft in self.drafts}
        story = Story(
            self.pk,
            book,
            {pk: lot for pk, lot in self.lots.items() if lot.seq <= self.seq or lot.seq in seqs},
            ended=ended_of([facts.draft for facts in self.earlier]),
            before=self.last.draft,
            version=self.last.hash_version,
        )
        return next(self._wrong(story), None) is None

    def _wrong(self, story: Story) -> Iterator[object]:
        for facts in self.since:
            yield from story.tell(facts)
        yield from story.close()
        yield from story.account_differs(self.account)
        for lot in self.rows.values():
            yield from story.lot_differs(lot)
        holds = {seq: hold.open for seq, hold in self.holds.items()}
        yield from story.pending_differs(holds, {seq: closure.open for seq, closure in self.closures.items()})


def _open(rows: Mapping[int, Hold] | Mapping[int, Closure], seqs: Iterable[int]) -> dict[int, Columns]:
    """Whether these were open, by id: those made by `seqs` were."""
    return {row.pk: {"open": seq in seqs} for seq, row in rows.items()}


def _read(account_ids: Sequence[int], before: Mapping[int, AccountVerdict]) -> dict[int, _Page]:
    accounts = Account.objects.in_bulk(account_ids)
    rules = {programme_id: rules_of(programme_id) for programme_id in {a.programme_id for a in accounts.values()}}
    pages = {pk: _Page(account, rules[account.programme_id], before[pk].seq) for pk, account in accounts.items()}
    since = read_rows_since(account_ids)
    _lay(pages, Q(open=True) | Q(seq__gt=F("account__audited__seq")) | Q(pk__in=since.lots_named()))
    for hold in Hold.objects.filter(Q(open=True) | Q(seq__gt=F("account__audited__seq")), account__in=account_ids):
        pages[hold.account_id].holds[hold.seq] = hold
    for closure in Closure.objects.filter(account__in=account_ids).order_by("seq"):
        pages[closure.account_id].closures[closure.seq] = closure
    for pk, page in pages.items():
        page.since = list(since.facts(pk, page.lots))
    _read_earlier(pages)
    return pages


def _lay(pages: Mapping[int, _Page], wanted: Q) -> None:
    for lot in Lot.objects.filter(wanted, account__in=pages).order_by("account", "seq", "number"):
        pages[lot.account_id].lay(lot)


def _read_earlier(pages: Mapping[int, _Page]) -> None:
    """What must be known of earlier entries, now that it is known what the entries since speak of."""
    doubted = [(pk, lot) for pk, page in pages.items() for lot in page.doubted()]
    earlier = read_rows_of(
        earlier_entries(
            list(pages),
            [(pk, seq) for pk, page in pages.items() for seq in page.asked()],
            doubted,
            [(pk, seq) for pk, page in pages.items() for seq in page.families()],
        )
    )
    made = {lot.pk for lots in earlier.lots.values() for lot in lots}
    _lay(pages, Q(pk__in=made | earlier.lots_named()))
    moved = last_moves({lot for _, lot in doubted} | earlier.lots_told())
    active = activity_of(list(pages))
    for pk, page in pages.items():
        page.earlier = list(earlier.facts(pk, page.lots))
        page.moved, page.active_at, page.not_before = moved, active[pk], page.account.not_before
        for seq, hold in earlier.holds[pk].items():
            page.holds[seq] = hold
        inactivity = [terms.policy_id for _, _, terms in page.rules.dated if terms.model == Model.INACTIVITY]
        if inactivity and any(draft.moves for draft in page.drafts):
            page.not_before = not_before_of([pk], inactivity).get(pk)
