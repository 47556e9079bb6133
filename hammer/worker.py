"""One process of a run: it asks and asks, until the time is over or somebody kills it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from io import StringIO
from itertools import count
from pathlib import Path
from random import Random

from django.db import Error, InterfaceError, OperationalError, connection
from psycopg import errors as pg

from hammer.acts import FEED, ORDERS, do, order_of, programme_of
from hammer.choosing import ALIKE, choose, look
from hammer.journal import Answer, Ask, Asked, Journal
from hammer.stage import Stage
from ledger.errors import InsufficientPoints, LedgerBroken, LedgerError
from ledger.expiry import sweep
from ledger.feed import COLUMNS, Feed, FeedRow
from ledger.imports import Import, Rejected
from ledger.models import Member
from ledger.posting import post
from ledger.receipts import Receipt

ALIKE_SECONDS = 0.15  # so long all processes share one key


def answer_to(call: Callable[[], Receipt]) -> Answer | None:
    """What a call was told; None: the connection went before it was told anything."""
    try:
        return Answer.of(call())
    except LedgerError as error:
        return refusal(error)
    except Exception as error:
        return cut(error)


def refusal(error: LedgerError) -> Answer:
    """A decline is an answer like any other: it is on record."""
    if isinstance(error, InsufficientPoints):
        return Answer.of(error.receipt)
    if isinstance(error, LedgerBroken):
        return Answer(broken=repr(error))
    return Answer(refused=error.code)


def cut(error: Exception) -> Answer | None:
    """None when the connection went; anything else must not happen, a deadlock either."""
    lost = isinstance(error, OperationalError | InterfaceError)
    connection.close()
    return None if lost and not isinstance(error.__cause__, pg.DeadlockDetected) else Answer(broken=repr(error))


class Worker:
    """Its name, journal and chance are its own; accounts, time and some of its keys are everybody's."""

    def __init__(self, name: str, stage: Stage, folder: Path) -> None:
        self.stage, self.name = stage, name
        self.journal = Journal(folder / f"{name}.jsonl")
        self.known: list[Asked] = self.journal.known
        self.crowds = [1 / (1 + slot) ** 2 for slot in range(stage.slots)]
        self.rng = Random(f"{stage.seed}:{name}:{self.journal.lines}")
        self.keys = (f"{name}:{self.journal.lines}:{n}" for n in count(1))

    def run(self, *, most: int) -> None:
        """Ask until the time is over, or `most` acts have been asked for."""
        unanswered = [asked.ask for asked in self.known[-5:] if asked.answer is None]
        if unanswered and self.rng.random() < 0.5:
            self.try_(lambda: self.perform(unanswered[-1]))  # as a client does that starts again
        steps = (self.single, self.again, self.alike, self.batch, self.feed, self.sweep)
        while not self.stage.clock.is_over and len(self.known) < most:
            (step,) = self.rng.choices(steps, (80, 5, 8, 4, 2, 2))
            self.try_(step)
        self.journal.close()
        connection.close()

    def try_(self, step: Callable[[], None]) -> None:
        """Looks and sweeps have no answer to keep: where the connection goes meanwhile, go on."""
        try:
            step()
        except (OperationalError, InterfaceError) as error:
            if cut(error):
                raise

    def now(self) -> datetime:
        """The run's time; one in five clocks is behind."""
        late = self.rng.uniform(0, 0.5) if self.rng.random() < 0.2 else 0
        return self.stage.clock.now() - timedelta(days=late)

    def account(self) -> int:
        """Any of the shared accounts: mostly of now, sometimes of before; of the last slots seldom.

        Where everybody acts all the time nothing is left for the clock: on the others points run out.
        """
        passed = self.stage.clock.passed
        if self.rng.random() < 0.1:
            passed = self.rng.uniform(0, passed)
        (slot,) = self.rng.choices(range(self.stage.slots), self.crowds)
        return self.stage.account(self.rng.choice(self.stage.programmes), slot, passed)

    def single(self) -> None:
        account = self.account()
        self.perform(choose(self.rng, account, look(account), next(self.keys), self.now()))

    def again(self) -> None:
        """What was asked before, once more: mostly as it was, sometimes with another content."""
        if self.known:
            ask = self.rng.choice(self.known[-300:]).ask
            if ask.act == FEED:
                return
            words = {**ask.words, "points": 121} if self.rng.random() < 0.1 and "points" in ask.words else ask.words
            self.perform(Ask(ask.act, ask.account, ask.key, self.now(), words))

    def alike(self) -> None:
        """What all processes ask for in this moment, under one key; some on another account, or with other points."""
        number = int(self.stage.clock.passed / ALIKE_SECONDS)
        began = number * ALIKE_SECONDS
        shared = Random(f"{self.stage.seed}:{number}")
        programme, slot = shared.choice(self.stage.programmes), shared.randrange(self.stage.slots)
        differs = self.rng.random()
        account = self.stage.account(programme, (slot + (differs < 0.1)) % self.stage.slots, began)
        at = self.stage.clock.at(began)
        ask = choose(shared, account, look(0), f"alike:{number}", at, among=ALIKE)
        words = {**ask.words, "points": 122} if differs > 0.9 and "points" in ask.words else ask.words
        self.perform(Ask(ask.act, account, ask.key, self.now(), words))

    def perform(self, ask: Ask) -> None:
        """Ask, as often as the connection goes and a client would try again."""
        while True:
            number = self.ask(ask)
            answer = answer_to(lambda: do(ask))
            if answer:
                self.answer([number], [answer])
            if answer or self.rng.random() < 0.3:
                return

    def ask(self, ask: Ask) -> int:
        number = self.journal.ask(ask)
        self.known.append(Asked(ask))
        return number

    def answer(self, numbers: Sequence[int], answers: Sequence[Answer]) -> None:
        for number, answer in zip(numbers, answers, strict=True):
            self.journal.answer(number, answer)

    def batch(self) -> None:
        """Several acts in one transaction, on several accounts, in any order; sometimes one of them twice."""
        asks: list[Ask] = []
        for account in [self.account() for _ in range(self.rng.randint(1, 4))]:
            seen = look(account)
            asks += [
                choose(self.rng, account, seen, next(self.keys), self.now(), among=list(ORDERS))
                for _ in range(self.rng.randint(1, 3))
            ]
        if self.rng.random() < 0.3:
            asks.append(self.rng.choice(asks))
        self.rng.shuffle(asks)
        orders = []
        for ask in asks:
            with suppress(LedgerError):  # words that no order can be made of are asked for one by one
                orders.append((ask, order_of(ask)))
        numbers = [self.ask(ask) for ask, _ in orders]
        try:
            outcomes = post([order for _, order in orders])
        except LedgerError as error:
            self.answer(numbers, [refusal(error)] * len(numbers))
        except Error as error:
            if broken := cut(error):
                self.answer(numbers, [broken] * len(numbers))
        else:
            self.answer(numbers, [Answer.of(one) if isinstance(one, Receipt) else refusal(one) for one in outcomes])

    def feed(self) -> None:
        """A few rows of a feed; some say the same as rows before, and some of those something else."""
        account = self.account()
        programme = programme_of(account)
        member = Member.objects.get(account=account).reference
        local = self.now().astimezone(programme.tz)
        before = [asked.ask for asked in self.known[-200:] if asked.ask.act == FEED and asked.ask.account == account]
        rows = []
        for n in range(self.rng.randint(1, 8)):
            if before and self.rng.random() < 0.3:
                rows.append(dict(self.rng.choice(before).words))
                continue
            kind = self.rng.choice(["purchase", "purchase", "return", "redeem"])
            row = dict.fromkeys(COLUMNS, "") | {"type": kind, "customer_id": member, "event_id": next(self.keys)}
            at = local - timedelta(minutes=60 - n)
            row |= {"occurred_at": f"{at:%Y-%m-%d %H:%M:%S}"}
            row |= {"points": str(self.rng.randint(1, 50))} if kind == "redeem" else {"amount_gbp": self._amount()}
            if kind == "return" and before:
                row["original_event_id"] = self.rng.choice(before).words["event_id"]
            rows.append(row)
        self._import(rows, account)

    def _amount(self) -> str:
        return f"{self.rng.uniform(0.2, 80):.2f}"

    def _import(self, rows: Sequence[dict[str, str]], account: int) -> None:
        programme = programme_of(account)
        text = "\n".join(",".join(row[column] for column in COLUMNS) for row in rows)
        lines = list(Feed(StringIO(f"{','.join(COLUMNS)}\n{text}\n"), programme.tz))
        asks = [
            Ask(FEED, account, f"feed:{line.outcome.event_id}", line.outcome.occurred_at, line.outcome.content)
            for line in lines
            if isinstance(line.outcome, FeedRow)
        ]
        assert len(asks) == len(rows)
        numbers = [self.ask(ask) for ask in asks]
        rejected: dict[int, Rejected] = {}
        work = Import(programme, self.now(), lambda one: rejected.update({one.line: one}))
        try:
            for _ in work.run(iter(lines)):
                pass
        except LedgerError as error:
            self.answer(numbers, [refusal(error)] * len(numbers))
        except Error as error:
            if broken := cut(error):
                self.answer(numbers, [broken] * len(numbers))
        else:
            told = [Answer(refused="rejected") if line.number in rejected else Answer(done=True) for line in lines]
            self.answer(numbers, told)

    def sweep(self) -> None:
        with suppress(LedgerError):
            sweep(now=self.now(), limit=self.rng.choice([3, 1000]), programme_id=self.rng.choice(self.stage.programmes))
