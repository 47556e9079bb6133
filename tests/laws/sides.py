"""Both sides of the laws: each act done to the real ledger and to the plain model, and the whole of both compared.

An act is named by its method here and carries its own key; entries to undo and holds are named by their keys, lots by
(number of the entry that made them, number there). An act can be cut down at a named point of the pen first: nothing of
it may be left, and the same key then does it once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Self
from unittest import mock

from django.db import connection, transaction

from ledger import (
    adjustments,
    clawbacks,
    closures,
    extensions,
    grants,
    holds,
    notices,
    posting,
    promises,
    redemptions,
    refunds,
    reinstatements,
    statements,
    writing,
)
from ledger.errors import InsufficientPoints, LedgerError
from ledger.expiry import sweep
from ledger.kinds import Origin, Waiver
from ledger.models import Account, Lot, Programme
from ledger.receipts import Receipt
from tests import builders
from tests.builders import SHOP
from tests.laws import reading
from tests.laws.dates import Stage
from tests.laws.model import Answer, Model, No
from tests.laws.wallet import Name

# Where an act can be cut down: what the pen calls there, and whether it has been done by then.
CUTS: dict[str, tuple[object, str, bool]] = {
    "after a look": (posting, "look_at", True),
    "before the lock": (posting, "lock_accounts", False),
    "after the lock": (posting, "lock_accounts", True),
    "after all was read": (posting, "recall", True),
    "before the clock's part": (posting, "catch_up", False),
    "after the clock's part": (posting, "catch_up", True),
    "before the write": (writing, "write", False),
    "after the write": (writing, "write", True),
}

Call = Callable[[datetime, bool], Receipt]  # at a time, and whether with another content


class CutDown(BaseException):
    """The process was killed here; nothing in its way may catch this."""


class Sides:
    """Some accounts of one programme, and a model of each."""

    def __init__(self, programme: Programme, stage: Stage) -> None:
        self.programme, self.stage = programme, stage
        self.accounts = [builders.minji(programme), builders.jun(programme)]
        self.wallets = [Model(stage), Model(stage)]
        self.compared = [0, 0]  # up to which entry each account was compared
        self.touched = True
        self.calls: list[tuple[Call, Receipt]] = []
        self.cut: str | None = None  # where the next act is cut down
        self.was_cut_down = False  # whether the last one was
        self.last_outcome = ""
        self.last_kind = ""  # that the last act was answered with; none of one that was refused

    # --- acts: points

    def grant(
        self,
        who: int,
        now: datetime,
        key: str,
        points: int,
        origin: str = "purchase",
        since: datetime | None = None,
        expires: datetime | None = None,
        spendable: datetime | None = None,
    ) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return grants.grant_order(
                **self.head(who, now, key),
                points=77_777 if other else points,
                origin=Origin(origin),
                effective_at=since,
                expires_at=expires,
                spendable_at=spendable,
            )

        model = self.wallets[who]
        self.same(who, now, order, lambda: model.grant(key, points, origin, now, since, expires, spendable))

    def adjust_up(self, who: int, now: datetime, key: str, points: int) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return adjustments.adjust_up_order(
                **self.head(who, now, key), points=77_777 if other else points, reason="counted anew"
            )

        self.same(who, now, order, lambda: self.wallets[who].grant(key, points, "adjustment", now))

    def adjust_down(self, who: int, now: datetime, key: str, points: int) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            head = self.head(who, now, key)
            return adjustments.adjust_down_order(**head, points=77_777 if other else points, reason="counted anew")

        self.same(who, now, order, lambda: self.wallets[who].clawback(points, None, now))

    def redeem(self, who: int, now: datetime, key: str, points: int) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return redemptions.redeem_order(**self.head(who, now, key), points=77_777 if other else points)

        self.same(who, now, order, lambda: self.wallets[who].redeem(key, points, now))

    def refund(self, who: int, now: datetime, key: str, points: int, undoes: str) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return refunds.refund_order(**self.head(who, now, key), points=77_777 if other else points, undoes=undoes)

        self.same(who, now, order, lambda: self.wallets[who].refund(points, undoes, now))

    def clawback(self, who: int, now: datetime, key: str, points: int, undoes: str | None = None) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return clawbacks.clawback_order(
                **self.head(who, now, key), points=77_777 if other else points, undoes=undoes
            )

        self.same(who, now, order, lambda: self.wallets[who].clawback(points, undoes, now))

    def hold(self, who: int, now: datetime, key: str, points: int, lapses: datetime) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return holds.hold_order(**self.head(who, now, key), points=77_777 if other else points, lapses_at=lapses)

        self.same(who, now, order, lambda: self.wallets[who].hold(key, points, lapses, now))

    def capture(self, who: int, now: datetime, key: str, hold: str, points: int | None = None) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return holds.capture_order(**self.head(who, now, key), hold=hold + "x" * other, points=points)

        self.same(who, now, order, lambda: self.wallets[who].capture(key, hold, points, now))

    def release(self, who: int, now: datetime, key: str, hold: str) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return holds.release_order(**self.head(who, now, key), hold=hold + "x" * other)

        self.same(who, now, order, lambda: self.wallets[who].release(hold, now))

    def reinstate(self, who: int, now: datetime, key: str, lot: Name) -> None:
        (lot_id,) = self.ids(who, [lot])

        def order(now: datetime, other: bool) -> posting.Order:
            return reinstatements.reinstate_order(**self.head(who, now, key), lot=lot_id, reason=why(other))

        self.same(who, now, order, lambda: self.wallets[who].reinstate(lot, now))

    # --- acts: dates

    def extend(self, who: int, now: datetime, key: str, lots: Iterable[Name], until: date) -> None:
        names, ids = set(lots), self.ids(who, lots)

        def order(now: datetime, other: bool) -> posting.Order:
            return extensions.extend_order(**self.head(who, now, key), lots=ids, until=until, reason=why(other))

        self.same(who, now, order, lambda: self.wallets[who].extend(key, names, until, now))

    def undo(self, who: int, now: datetime, key: str, extension: str) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return extensions.undo_order(**self.head(who, now, key), extension=extension, reason=why(other))

        self.same(who, now, order, lambda: self.wallets[who].undo(extension, now))

    def postpone(self, who: int, now: datetime, key: str, lots: Iterable[Name], spendable: datetime) -> None:
        names, ids = set(lots), self.ids(who, lots)

        def order(now: datetime, other: bool) -> posting.Order:
            head = self.head(who, now, key)
            return promises.postpone_order(**head, lots=ids, spendable_at=spendable, reason=why(other))

        self.same(who, now, order, lambda: self.wallets[who].postpone(names, spendable, now))

    def notify(
        self, who: int, now: datetime, key: str, lots: Iterable[Name], ends: datetime, on: date, channel: str = "email"
    ) -> None:
        names, ids = set(lots), self.ids(who, lots)

        def call(now: datetime, other: bool) -> Receipt:
            evidence = f"delivery:{other}"
            head = self.act_head(who, now, key)
            told: dict = {"lots": ids, "expires_at": ends, "told_on": on}
            return notices.record(**head, **told, channel="letter" if other else channel, evidence=evidence)

        self.same_call(who, now, call, lambda: self.wallets[who].notify(key, names, ends, on, now, channel=channel))

    def waive(
        self,
        who: int,
        now: datetime,
        key: str,
        lots: Iterable[Name],
        ends: datetime,
        on: date,
        waiver: str = "opted_out",
    ) -> None:
        names, ids = set(lots), self.ids(who, lots)

        def call(now: datetime, other: bool) -> Receipt:
            head = self.act_head(who, now, key)
            waived: dict = {"lots": ids, "expires_at": ends, "told_on": on}
            reason = Waiver.BELOW_LEAST if other else Waiver(waiver)
            return notices.waive(**head, **waived, waiver=reason, evidence="contacts:1")

        self.same_call(who, now, call, lambda: self.wallets[who].notify(key, names, ends, on, now, waiver=waiver))

    def withdraw_notice(self, who: int, now: datetime, key: str, notice: str) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return notices.withdraw_order(**self.head(who, now, key), notice=notice, reason=why(other))

        self.same(who, now, order, lambda: self.wallets[who].withdraw_notice(notice, now))

    def extend_untold(self, who: int, now: datetime, key: str, lots: Iterable[Name], again: bool = False) -> None:
        names, ids = set(lots), self.ids(who, lots)

        def order(now: datetime, other: bool) -> posting.Order:
            head = self.head(who, now, key)
            return notices.extend_untold_order(**head, lots=ids * 2 if other else ids, again=again)

        self.same(who, now, order, lambda: self.wallets[who].extend_untold(key, names, now, again))

    # --- acts: the end, and what is no act

    def close(self, who: int, now: datetime, key: str) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return closures.close_order(**self.head(who, now, key), reason=why(other))

        self.same(who, now, order, lambda: self.wallets[who].close(now))

    def stay(self, who: int, now: datetime, key: str) -> None:
        def order(now: datetime, other: bool) -> posting.Order:
            return closures.withdraw_order(**self.head(who, now, key), reason=why(other))

        self.same(who, now, order, lambda: self.wallets[who].stay(now))

    def sweep(self, now: datetime, limit: int = 1000) -> int:
        """Returns how many entries were written; the model has no sweep, it is told which accounts were caught up."""
        self.touched = True
        self.cut_down_first(lambda: sweep(now=now, limit=limit, programme_id=self.programme.pk))
        before = [len(wallet.log) for wallet in self.wallets]
        done = sweep(now=now, limit=limit, programme_id=self.programme.pk)
        for wallet, account in zip(self.wallets, self.accounts, strict=True):
            if Account.objects.get(pk=account.pk).seq > len(wallet.log):
                wallet.catch_up(now)
        written = sum(len(wallet.log) for wallet in self.wallets) - sum(before)
        assert done.entries == written
        return written

    def again(self, now: datetime, number: int, another_body: bool = False) -> None:
        """Law 1: the first answer again, whatever the time and the balance are now; for another body a refusal."""
        call, first = self.calls[number]
        self.touched = True
        expected = "KeyReused" if another_body else replace(first, replayed=True)
        found = outcome(lambda: call(now, another_body))
        assert found == expected, f"answered {found}, expected {expected}"

    # --- the comparison

    def compare(self) -> None:
        """All that is written is what the model says; and the laws, in the database's own words."""
        if not self.touched:
            return
        self.touched = False
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")  # as a commit would
            for index, (account, wallet) in enumerate(zip(self.accounts, self.wallets, strict=True)):
                since = self.compared[index]
                written, expected = (
                    reading.of_the_ledger(cursor, account.pk, since),
                    reading.of_the_model(wallet, since),
                )
                assert written == expected, reading.differences(written, expected)
                self.compared[index] = len(wallet.log)
            reading.ask_the_laws(cursor, self.programme.pk)

    def compare_what_is_seen(self, who: int, now: datetime) -> None:
        """Law 2, and law 11: swept or not."""
        wallet = self.wallets[who]
        at = max(now, wallet.last or now)
        live, spendable, promised, debt = wallet.seen(at)
        seen = statements.balance(self.accounts[who], at=at)
        said = (seen.live, seen.spendable, seen.promised, seen.debt)
        assert said == (live, spendable, promised, debt), f"seen {seen}, expected {wallet.seen(at)}"
        assert not (debt and live)  # law 4

    # --- how

    def head(self, who: int, now: datetime, key: str) -> dict:
        return {"account_id": self.accounts[who].pk, "now": now, "key": key, "by": SHOP}

    def act_head(self, who: int, now: datetime, key: str) -> dict:
        return {"account": self.accounts[who], "now": now, "key": key, "by": SHOP}

    def ids(self, who: int, names: Iterable[Name]) -> list[int]:
        rows = Lot.objects.filter(account=self.accounts[who]).values_list("seq", "number", "pk")
        known = {(seq, number): pk for seq, number, pk in rows}
        return [known[name] for name in sorted(set(names))]

    def same(
        self,
        who: int,
        now: datetime,
        order: Callable[[datetime, bool], posting.Order],
        model: Callable[[], Answer],
    ) -> None:
        self.same_call(who, now, lambda now, other: posting.act(order(now, other)), model)

    def same_call(self, who: int, now: datetime, call: Call, model: Callable[[], Answer]) -> None:
        """The ledger and the model answer the same; what was answered is kept, to be asked again.

        What is refused leaves nothing behind, not even what the clock has done; so the model forgets it, too.
        """
        self.touched = True
        self.cut_down_first(lambda: call(now, False))
        found = outcome(lambda: call(now, False))
        before = self.wallets[who].copy()
        try:
            expected: Answer | No = model()
        except No as refusal:
            expected = refusal
        if isinstance(expected, No):
            self.wallets[who] = before
            assert found in expected.names, f"found {found!r}, expected a refusal: {expected.names}"
            self.last_outcome, self.last_kind = f"refused: {found}", ""
            return
        assert isinstance(found, Receipt), f"refused with {found!r}, expected {expected}"
        said = asdict(found) | {"kind": found.kind.value, "restored": [tuple(part) for part in found.restored]}
        said = {name: said[name] for name in asdict(expected)}
        assert said == asdict(expected), f"answered {said}, expected {asdict(expected)}"
        assert found.spendable == sum(points for points, _ in expected.restored) - expected.settled
        assert found.replayed is False
        self.calls.append((call, found))
        self.last_outcome, self.last_kind = f"done: {found.kind}", found.kind.value

    def cut_down_first(self, call: Callable[[], object]) -> None:
        """If the next act is to be cut down: it is, and nothing of it is left."""
        cut, self.cut = self.cut, None
        self.was_cut_down = False
        if cut is None:
            return
        before = reading.fingerprint(self.programme.pk)
        with inside_a_test(), cut_down_at(cut):
            try:
                call()
            except CutDown:
                self.was_cut_down = True
            except LedgerError:
                transaction.set_rollback(True)  # refused before it got there, or declined
            else:
                transaction.set_rollback(True)  # it never came by there
        assert reading.fingerprint(self.programme.pk) == before, f"something was left of an act that ended {cut}"


def inside_a_test() -> transaction.Atomic:
    """A transaction in which acts may believe that theirs is the outermost one."""
    atomic = transaction.atomic()
    atomic._from_testcase = True  # type: ignore[attr-defined]
    return atomic


@contextmanager
def cut_down_at(name: str) -> Iterator[None]:
    room, function, done = CUTS[name]
    whole = getattr(room, function)

    def cut(*args: object, **kwargs: object) -> None:
        if done:
            whole(*args, **kwargs)
        raise CutDown(name)

    with mock.patch.object(room, function, cut):
        yield


def outcome(call: Callable[[], Receipt]) -> Receipt | str:
    """The receipt, that of a decline too, or the name of the refusal."""
    try:
        return call()
    except InsufficientPoints as declined:
        return declined.receipt
    except LedgerError as refusal:
        return Refusal(type(refusal).__name__, str(refusal))


class Refusal(str):
    """The name of an error; its words are shown where nobody expected it."""

    words: str

    def __new__(cls, name: str, words: str) -> Self:
        made = super().__new__(cls, name)
        made.words = words
        return made

    def __repr__(self) -> str:
        return f"{self}({self.words})"


def why(other: bool) -> str:
    return "another reason" if other else "a reason"
