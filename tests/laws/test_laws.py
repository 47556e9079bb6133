"""The laws of the ledger, tried with random lives against the plain model of `model.py`.

Two members of one programme; every step is an act of the real ledger and the same act of the model, and after every
step the whole of both is compared, and the laws are asked of the database in its own words. Nobody sweeps in the
model: it knows what the clock has done; so whether and when the sweep ran changes no number (law 11).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger import clawbacks, extensions, grants, notices, redemptions, statements
from ledger.audit import audit
from ledger.errors import InsufficientPoints, KeyReused, LedgerError
from ledger.expiry import sweep
from ledger.kinds import Origin
from ledger.models import Account, Lot, Programme
from ledger.policies import Model, Rounding, Unit
from ledger.posting import act
from ledger.programmes import rules_of
from ledger.receipts import Receipt
from tests import builders
from tests.builders import SHOP
from tests.laws.model import POLICIES, Answer, No, Wallet, day_of

START = datetime(2020, 1, 6, 3, tzinfo=UTC)  # years in the past: the real clock never comes into it
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"

points = st.one_of(st.integers(1, 60), st.sampled_from([1, 40, 100, 150, 10**12]))
few_points = st.integers(1, 60)
who = st.integers(0, 1)
# Mostly on time; now and then an act comes late, with a time before what is already on record.
lateness = st.sampled_from([timedelta(0)] * 6 + [timedelta(minutes=1), timedelta(hours=5), timedelta(days=2)])
names = itertools.count(1)


class Lives(RuleBasedStateMachine):
    """Two members' lives. Everything happens inside one transaction that is rolled back at the end."""

    programme: Programme  # set by the test, the same for all lives

    def __init__(self) -> None:
        super().__init__()
        self.whole = transaction.atomic()
        self.whole._from_testcase = True  # type: ignore[attr-defined]  # acts insist on the outermost one otherwise
        self.whole.__enter__()
        self.now = START
        self.in_force = rules_of(self.programme.pk)
        self.accounts = [builders.minji(self.programme), builders.jun(self.programme)]
        self.wallets = [Wallet(), Wallet()]
        self.compared = [0, 0]  # up to which entry each account was compared
        self.touched, self.asked_again = True, False
        self.looked_at = 0
        self.swept_at = START
        self.calls: list[tuple[Callable[..., Receipt], Receipt]] = []

    def teardown(self) -> None:
        try:
            assert [str(finding) for finding in audit(programme_id=self.programme.pk)] == []
        finally:
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)

    # --- the steps

    @initialize(first=st.lists(st.tuples(who, few_points, st.sampled_from(list(POLICIES))), min_size=1, max_size=4))
    def everybody_starts_with_some_points(self, first) -> None:
        for index, amount, origin in first:
            self.grant(index, amount, origin, timedelta(0), None)

    @precondition(lambda self: any(wallet.debt for wallet in self.wallets))
    @rule(origin=st.sampled_from(list(POLICIES)), amount=points)
    def grant_to_one_in_debt(self, origin, amount) -> None:
        index = 0 if self.wallets[0].debt else 1
        self.grant(index, amount, origin, timedelta(0), None)

    @rule(
        index=who,
        amount=points,
        origin=st.sampled_from(list(POLICIES)),
        late=lateness,
        back=st.sampled_from([None] * 4 + [timedelta(hours=1), timedelta(days=3), timedelta(days=30)]),
    )
    def grant(self, index, amount, origin, late, back) -> None:
        now = self.time(late)
        since = now - back if back else None
        key = self.key()

        def call(now: datetime, amount: int = amount) -> Receipt:
            return act(
                grants.grant_order(
                    account_id=self.accounts[index].pk,
                    rules=self.in_force,
                    points=amount,
                    now=now,
                    key=key,
                    by=SHOP,
                    origin=Origin(origin),
                    effective_at=since,
                )
            )

        self.same(index, call, now, lambda: self.wallets[index].grant(key, amount, origin, now, since))

    @rule(index=who, share=st.sampled_from([0.1, 0.3, 0.3, 0.6, 0.6, 1, 1, 1.2]), late=lateness)
    def redeem(self, index, share, late) -> None:
        """A share of what is there, sometimes just more than there is."""
        there = self.wallets[index].points(self.now)
        if not there:
            index, there = 1 - index, self.wallets[1 - index].points(self.now)
        self.redeemed(index, min(int(there * share) + 1, 10**12), late)

    def redeemed(self, index: int, amount: int, late: timedelta) -> None:
        now, key = self.time(late), self.key()

        def call(now: datetime, amount: int = amount) -> Receipt:
            return redemptions.redeem(account=self.accounts[index], points=amount, now=now, key=key, by=SHOP)

        self.same(index, call, now, lambda: self.wallets[index].redeem(amount, now))

    @rule(index=who, share=st.sampled_from([0.3, 0.7, 1, 1.5]), late=lateness, data=st.data())
    def clawback(self, index, share, late, data) -> None:
        now, key = self.time(late), self.key()
        own, others = self.wallets[index].grants, list(self.wallets[1 - index].grants)
        undoes = data.draw(st.sampled_from([None, *own, *own, *own, *others[:1], "unknown"]), label="undoes")
        given = own[undoes].points if undoes in own else self.wallets[index].points(self.now)
        amount = min(int(given * share) + 1, 10**12)

        def call(now: datetime, amount: int = amount) -> Receipt:
            return clawbacks.clawback(
                account=self.accounts[index], points=amount, now=now, key=key, by=SHOP, undoes=undoes
            )

        self.same(index, call, now, lambda: self.wallets[index].clawback(amount, now, undoes))

    @precondition(lambda self: any(wallet.lots for wallet in self.wallets))
    @rule(index=who, ahead=st.sampled_from([-1, 3, 22, 30, 45, 90]), late=lateness, data=st.data())
    def extend(self, index, ahead, late, data) -> None:
        self.extended(index, self.some_lots(index, data), ahead, late)

    @precondition(lambda self: any(self.told_of(index) for index in (0, 1)))
    @rule(ahead=st.sampled_from([3, 22, 45]))
    def extend_what_was_told_of(self, ahead) -> None:
        index = 0 if self.told_of(0) else 1
        self.extended(index, self.told_of(index), ahead, timedelta(0))

    def extended(self, index: int, seqs: set[int], ahead: int, late: timedelta) -> None:
        if not seqs:
            return
        now, key = self.time(late), self.key()
        until = day_of(self.now) + timedelta(days=ahead)
        ids = self.ids(index, seqs)

        def call(now: datetime, amount: int = 0) -> Receipt:
            return act(
                extensions.extend_order(
                    account_id=self.accounts[index].pk,
                    rules=self.in_force,
                    lots=ids,
                    until=until,
                    now=now,
                    key=key,
                    by=SHOP,
                    reason=f"why {amount}",
                )
            )

        self.same(index, call, now, lambda: self.wallets[index].extend(seqs, until, now))

    @precondition(lambda self: any(lot.duty for wallet in self.wallets for lot in wallet.lots))
    @rule(index=who, ago=st.sampled_from([0, 0, 1, 3, 12]), stale=st.sampled_from([False] * 4 + [True]), data=st.data())
    def notify(self, index, ago, stale, data) -> None:
        left = [lot for lot in self.wallets[index].lots if lot.left and lot.ends]
        dated = [lot for lot in left if lot.gated] or left
        if not dated:
            return
        ends = data.draw(st.sampled_from(sorted({lot.ends for lot in dated if lot.ends})), label="ends")
        seqs = {lot.seq for lot in dated if lot.ends == ends}
        ids = self.ids(index, seqs)
        ends += timedelta(days=1) if stale else timedelta(0)
        told_on, now, key = day_of(self.now) - timedelta(days=ago), self.now, self.key()

        def call(now: datetime, amount: int = 0) -> Receipt:
            return notices.record(
                account=self.accounts[index],
                lots=ids,
                expires_at=ends,
                told_on=told_on,
                channel="email",
                evidence=f"delivery:{amount}",
                now=now,
                key=key,
                by=SHOP,
            )

        self.same(index, call, now, lambda: self.wallets[index].notify(seqs, ends, told_on, now))

    @precondition(lambda self: any(lot.duty for wallet in self.wallets for lot in wallet.lots))
    @rule(index=who, data=st.data())
    def extend_untold(self, index, data) -> None:
        seqs = self.some_lots(index, data)
        if not seqs:
            return
        now, key, ids = self.now, self.key(), self.ids(index, seqs)

        def call(now: datetime, amount: int = 0) -> Receipt:
            return act(
                notices.extend_untold_order(
                    account_id=self.accounts[index].pk,
                    rules=self.in_force,
                    lots=ids if not amount else ids * 2,
                    now=now,
                    key=key,
                    by=SHOP,
                )
            )

        self.same(index, call, now, lambda: self.wallets[index].extend_untold(seqs, now))

    @rule(hours=st.sampled_from([1, 7, 24, 70, 24 * 9, 24 * 16]))
    def time_passes(self, hours) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: any(lot.left and lot.ends for wallet in self.wallets for lot in wallet.lots))
    @rule(data=st.data(), off=st.sampled_from([-1, 0, 1]))
    def time_passes_to_the_instant_of_a_lot(self, data, off) -> None:
        ends = sorted({lot.ends for wallet in self.wallets for lot in wallet.lots if lot.left and lot.ends})
        instant = data.draw(st.sampled_from(ends), label="instant") + timedelta(microseconds=off)
        self.now = max(self.now, instant)

    @precondition(lambda self: self.has_overdue())
    @rule(limit=st.sampled_from([1, 2, 1000]))
    def sweep(self, limit) -> None:
        self.touched = True
        before = [len(wallet.log) for wallet in self.wallets]
        done = sweep(now=self.now, limit=limit, programme_id=self.programme.pk)
        for wallet, account in zip(self.wallets, self.accounts, strict=True):
            if Account.objects.get(pk=account.pk).seq > len(wallet.log):
                wallet.catch_up(self.now)
        written = sum(len(wallet.log) for wallet in self.wallets) - sum(before)
        assert done.entries == written > 0
        self.swept_at = self.now

    @precondition(lambda self: self.calls and not self.asked_again)
    @rule(another_body=st.booleans(), data=st.data())
    def a_key_comes_again(self, another_body, data) -> None:
        """Law 1: the first answer again, whatever the time and the balance are now; for another body a refusal."""
        settled = [kept for kept in self.calls if kept[1].settled]  # few, and the answers most easily got wrong
        call, first = data.draw(st.sampled_from([*self.calls, *settled * 4]), label="call")
        self.touched = self.asked_again = True
        if another_body:
            assert outcome(lambda: call(self.now, amount=77_777)) == "KeyReused"
        else:
            assert outcome(lambda: call(self.now)) == replace(first, replayed=True)

    # --- after every step

    @invariant()
    def all_that_is_written_is_what_the_model_says(self) -> None:
        if not self.touched:
            return
        self.touched = False
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")  # as a commit would
            for index, (account, wallet) in enumerate(zip(self.accounts, self.wallets, strict=True)):
                cursor.execute(ACCOUNT, [account.pk])
                assert cursor.fetchall() == [(wallet.written, wallet.debt, len(wallet.log), wallet.last)]
                cursor.execute(LOTS, [account.pk])
                assert cursor.fetchall() == [
                    (lot.seq, lot.granted, lot.left, lot.ends, lot.gated and lot.ends is not None)
                    for lot in wallet.lots
                ]
                since = self.compared[index]
                cursor.execute(ENTRIES, [account.pk, since])
                assert cursor.fetchall() == [
                    (n, h.kind, h.amount, h.debt_delta, h.effective, h.recorded, h.balance, h.debt, h.lots, h.deltas)
                    for n, h in enumerate(wallet.log[since:], start=since + 1)
                ]
                self.compared[index] = len(wallet.log)
            cursor.execute(LAWS, {"programme": self.programme.pk})
            assert cursor.fetchone() == (0, 0, False, 0)  # laws 3, 4, 14 and 15, over all rows

    @invariant()
    def what_a_member_sees_goes_by_the_clock(self) -> None:
        """Law 2, and law 11: swept or not. One member after the other, for it takes the time of an act."""
        self.looked_at = 1 - self.looked_at
        account, wallet = self.accounts[self.looked_at], self.wallets[self.looked_at]
        at = max(self.now, wallet.last or self.now)
        live = wallet.points(at)
        seen = statements.balance(account, at=at)
        assert (seen.live, seen.debt, seen.promised) == (live, wallet.debt, 0)
        assert seen.spendable == (0 if wallet.debt else live)
        assert not (wallet.debt and live)  # law 4

    # --- how

    def told_of(self, index: int) -> set[int]:
        return {lot.seq for lot in self.wallets[index].live(self.now) if lot.announced}

    def has_overdue(self) -> bool:
        return any(lot.left and lot.ended(self.now) for wallet in self.wallets for lot in wallet.lots)

    def key(self) -> str:
        return f"law:{next(names)}"

    def time(self, late: timedelta) -> datetime:
        """Now, or somewhat before; never before the last sweep, which has made that moment history."""
        return max(self.now - late, self.swept_at, START)

    def some_lots(self, index: int, data) -> set[int]:
        """Mostly live lots with a date, sometimes any."""
        wallet = self.wallets[index]
        any_at_all = [lot.seq for lot in wallet.lots]
        dated = [lot.seq for lot in wallet.live(self.now) if lot.ends] or any_at_all
        if not any_at_all:
            return set()
        seqs = data.draw(st.sampled_from([dated, dated, dated, any_at_all]), label="of")
        return set(data.draw(st.lists(st.sampled_from(seqs), min_size=1, max_size=2), label="lots"))

    def ids(self, index: int, seqs: set[int]) -> list[int]:
        rows = Lot.objects.filter(account=self.accounts[index], seq__in=seqs).order_by("seq")
        return list(rows.values_list("pk", flat=True))

    def same(self, index: int, call: Callable[..., Receipt], now: datetime, model: Callable[[], Answer]) -> None:
        """The ledger and the model answer the same; what was answered is kept, to be asked again.

        What is refused leaves nothing behind, not even what the clock has done; so the model forgets it, too.
        """
        self.touched, self.asked_again = True, False
        before = deepcopy(self.wallets[index])
        try:
            expected: Answer | str = model()
        except No as refusal:
            expected = str(refusal)
            self.wallets[index] = before
        found = outcome(lambda: call(now))
        if isinstance(found, str) or isinstance(expected, str):
            event(f"refused: {found}")
            assert found == expected
            return
        event(f"done: {found.kind}")
        said = asdict(found) | {"kind": found.kind.value}
        assert {name: said[name] for name in asdict(expected)} == asdict(expected)
        assert found.replayed is False
        self.calls.append((call, found))


def outcome(call: Callable[[], Receipt]) -> Receipt | str:
    """The receipt, that of a decline too, or the name of the refusal."""
    try:
        return call()
    except InsufficientPoints as declined:
        return declined.receipt
    except LedgerError as refusal:
        return type(refusal).__name__


ACCOUNT = "SELECT balance, debt, seq, last_recorded_at FROM ledger_account WHERE id = %s"
LOTS = "SELECT seq, granted, remaining, expires_at, gated FROM ledger_lot WHERE account_id = %s ORDER BY seq"
ENTRIES = """
SELECT e.seq, e.kind, e.amount, e.debt_delta, e.effective_at, e.recorded_at, e.balance_after, e.debt_after,
       coalesce(array_agg(l.seq ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL), '{}'),
       coalesce(array_agg(a.delta ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL), '{}')
  FROM ledger_entry e
  LEFT JOIN ledger_allocation a ON a.entry_id = e.id
  LEFT JOIN ledger_lot l ON l.id = a.lot_id
 WHERE e.account_id = %s AND e.seq > %s
 GROUP BY e.id ORDER BY e.seq
"""
LAWS = """
SELECT (SELECT count(*) FROM ledger_lot l WHERE l.programme_id = %(programme)s AND l.remaining <> (
               SELECT coalesce(sum(a.delta), 0) FROM ledger_allocation a WHERE a.lot_id = l.id)),
       (SELECT count(*) FROM ledger_account a WHERE a.programme_id = %(programme)s AND a.balance <> (
               SELECT coalesce(sum(l.remaining), 0) FROM ledger_lot l WHERE l.account_id = a.id)),
       (SELECT coalesce(sum(amount), 0) FROM ledger_entry WHERE programme_id = %(programme)s)
         <> (SELECT coalesce(sum(balance - debt), 0) FROM ledger_account WHERE programme_id = %(programme)s),
       (SELECT count(*)
          FROM ledger_entry e
          JOIN ledger_allocation a ON a.entry_id = e.id
          JOIN ledger_lot l ON l.id = a.lot_id
         WHERE e.programme_id = %(programme)s AND e.kind = 'expire' AND l.notice_days > 0
           AND NOT EXISTS (SELECT 1 FROM ledger_notice n
                            WHERE n.account_id = e.account_id AND n.expires_at = e.effective_at AND l.id = ANY (n.lots)
                              AND n.told_on <= n.expires_on - l.notice_days))
"""


def programme():
    """A programme in Seoul with a policy for each origin, those of `model.POLICIES`."""
    life, _, duty, slack = POLICIES["purchase"]
    made = builders.moa(
        f"laws-{next(names)}",
        effective_from=builders.LONG_AGO,
        count=life,
        unit=Unit.DAYS,
        rounding=Rounding.NONE,
        notice_days=duty,
        notice_slack=slack,
    )
    for origin, (life, to_the_end, duty, slack) in POLICIES.items():
        if origin != "purchase":
            builders.policy(
                made,
                effective_from=builders.LONG_AGO,
                origin=origin,
                model=Model.NEVER if life is None else Model.ROLLING,
                count=life or 0,
                unit=Unit.DAYS,
                rounding=Rounding.DAY if to_the_end else Rounding.NONE,
                notice_days=duty,
                notice_slack=slack,
            )
    return made


@pytest.mark.django_db
def test_every_life_keeps_the_laws():
    Lives.programme = programme()
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=1500 if LONG else 60,
            stateful_step_count=80 if LONG else 40,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_reused_key_has_a_name_that_the_rules_above_wait_for():
    assert KeyReused.__name__ == "KeyReused"
