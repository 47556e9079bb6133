"""What a process asks for next: any act, on a shared account, in words that often fit and sometimes do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from django.db import connection

from hammer.journal import Ask
from ledger.kinds import Origin, Waiver

Words = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LotSeen:
    id: int
    expires_at: datetime | None
    spendable_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """What an account shows to somebody who is going to act on it: by the time they do, it may have changed."""

    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)  # the newest keys, by kind of entry
    open: Sequence[LotSeen] = ()
    ended: Sequence[int] = ()  # ids of lots that the clock has ended


def look(account: int) -> Seen:
    """Look without a lock: what is chosen by it is meant to be stale now and then."""
    keys: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, key FROM ledger_entry WHERE account_id = %s AND key IS NOT NULL ORDER BY seq DESC LIMIT 60",
            [account],
        )
        for kind, key in cursor.fetchall():
            keys.setdefault(kind, []).append(key)
        cursor.execute(
            "SELECT id, expires_at, spendable_at FROM ledger_lot WHERE account_id = %s AND open ORDER BY id LIMIT 20",
            [account],
        )
        open_lots = [LotSeen(*row) for row in cursor.fetchall()]
        cursor.execute(
            """SELECT a.lot_id FROM ledger_entry e JOIN ledger_allocation a ON a.entry_id = e.id
                WHERE e.account_id = %s AND e.kind = 'expire' ORDER BY e.seq DESC LIMIT 5""",
            [account],
        )
        return Seen(keys, open_lots, [lot for (lot,) in cursor.fetchall()])


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice in the making. Instants and days are texts here: a journal holds them."""

    rng: Random
    seen: Seen
    now: datetime

    def points(self, most: int = 120) -> int:
        return self.rng.randint(1, most)

    def at(self, least: float, most: float) -> str:
        """An instant so many days from now."""
        return _text(self.now + timedelta(days=self.rng.uniform(least, most)))

    def day(self, least: int, most: int) -> str:
        return (self.now + timedelta(days=self.rng.randint(least, most))).date().isoformat()

    def key(self, *kinds: str, newest: int = 60) -> str:
        """The key of one of the newest entries of these kinds; now and then of any other, or of none."""
        keys = [key for kind in kinds for key in self.seen.keys.get(kind, ())][:newest]
        if not keys or self.rng.random() < 0.03:
            keys = ["of-nothing", *(key for all_ in self.seen.keys.values() for key in all_)]
        return self.rng.choice(keys)

    def lots(self) -> list[int]:
        if not self.seen.open:
            return [*self.seen.ended[:1]] or [1]
        return sorted(
            lot.id for lot in self.rng.sample(self.seen.open, min(len(self.seen.open), self.rng.randint(1, 3)))
        )

    def of_one_date(self) -> Words:
        """Lots that go at the same instant: what a notice is about."""
        dates = [lot.expires_at for lot in self.seen.open if lot.expires_at]
        date = self.rng.choice(dates) if dates else self.now
        lots = [lot.id for lot in self.seen.open if lot.expires_at == date]
        return {"lots": lots or self.lots(), "expires_at": _text(date)}


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _grant(one: Choice) -> Words:
    words: Words = {"points": one.points(), "origin": one.rng.choice(Origin.values)}
    if one.rng.random() < 0.15:
        words["effective_at"] = one.at(-6, 0)
    if one.rng.random() < 0.1:
        words["expires_at"] = one.at(0.5, 15)
    if one.rng.random() < 0.2:
        words["spendable_at"] = one.at(0.5, 10)
    return words


def _clawback(one: Choice) -> Words:
    return {"points": one.points(), "undoes": one.key("grant") if one.rng.random() < 0.85 else None}


def _capture(one: Choice) -> Words:
    return {"hold": one.key("hold", newest=3), "points": one.points(60) if one.rng.random() < 0.6 else None}


def _reinstate(one: Choice) -> Words:
    """A lot that the clock has ended, written or not; of nothing that ever was, where none has."""
    over = [lot.id for lot in one.seen.open if lot.expires_at and lot.expires_at <= one.now]
    return {"lot": one.rng.choice([*one.seen.ended, *over] or [1]), "reason": "hammer"}


def _postpone(one: Choice) -> Words:
    promised = [lot.id for lot in one.seen.open if lot.spendable_at > one.now]
    return {"lots": promised[:1] or one.lots()[:1], "spendable_at": one.at(1, 14), "reason": "hammer"}


def _extend_by_days(one: Choice) -> Words:
    words = one.of_one_date()
    return {"lots": words["lots"], "was": words["expires_at"], "days": one.rng.randint(1, 4), "reason": "hammer"}


def _tell(one: Choice) -> Words:
    channel = one.rng.choice(["email", "sms"])
    return {**one.of_one_date(), "told_on": one.day(-1, 0), "channel": channel, "evidence": f"m{one.points()}"}


def _waive(one: Choice) -> Words:
    return {
        **one.of_one_date(),
        "told_on": one.day(-1, 0),
        "waiver": one.rng.choice(Waiver.values),
        "evidence": "nobody",
    }


WHEN_ENDED = 25  # how often a reinstatement is asked for where a lot has ended

# How an act's words are chosen, and how often it is asked for.
ACTS: dict[str, tuple[float, Callable[[Choice], Words]]] = {
    "grant": (22, _grant),
    "redeem": (15, lambda one: {"points": one.points(80), "reference": f"order {one.points()}"}),
    "refund": (12, lambda one: {"points": one.points(60), "undoes": one.key("redeem", "capture")}),
    "clawback": (4, _clawback),
    "hold": (8, lambda one: {"points": one.points(80), "lapses_at": one.at(0.1, 12)}),
    "capture": (7, _capture),
    "release": (3, lambda one: {"hold": one.key("hold", newest=3)}),
    "reinstate": (1, _reinstate),
    "extend": (3, lambda one: {"lots": one.lots(), "until": one.day(3, 25), "reason": "hammer"}),
    "extend_by_days": (2, _extend_by_days),
    "extend_untold": (3, lambda one: {"lots": one.lots(), "again": one.rng.random() < 0.3}),
    "undo": (2, lambda one: {"extension": one.key("extend"), "reason": "hammer"}),
    "postpone": (3, _postpone),
    "tell": (9, _tell),
    "waive": (2, _waive),
    "take_back": (2, lambda one: {"notice": one.key("notify"), "reason": "came back"}),
    "close": (0.5, lambda one: {"reason": "hammer"}),
    "stay": (0.7, lambda one: {"reason": "hammer"}),
    "adjust_up": (2, lambda one: {"points": one.points(40), "reason": "hammer"}),
    "adjust_down": (2, lambda one: {"points": one.points(40), "reason": "hammer"}),
    "note": (1, lambda one: {"reason": "hammer"}),
}


def choose(rng: Random, account: int, seen: Seen, key: str, now: datetime, *, among: Sequence[str] = ()) -> Ask:
    """A random act on this account, as it was seen."""
    names = list(among or ACTS)
    (act,) = rng.choices(names, [_odds(name, seen) for name in names])
    return Ask(act, account, key, now, ACTS[act][1](Choice(rng, seen, now)))


def _odds(act: str, seen: Seen) -> float:
    """What can seldom be done is asked for the more often when it can: a lot is reinstated soon after its end."""
    return WHEN_ENDED if act == "reinstate" and seen.ended else ACTS[act][0]


# Acts whose words hang on nothing that was seen: processes that choose alike ask for the very same.
ALIKE = ("grant", "redeem", "hold", "adjust_up", "adjust_down", "note", "close", "stay")
