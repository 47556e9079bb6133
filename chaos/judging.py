"""Whether every message is accounted for. Pure: what the line says and what the provider took in, a judgement out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

TOLD = frozenset({"accepted", "delivered"})
# Ends, and one way of waiting, that say that nobody knows, or that it was given up: a person finds them by name.
NAMED = frozenset({"unknown", "dead", "failed", "undelivered"})
NEVER_SENT = frozenset({"skipped", "cancelled", "superseded", "too_late"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery as the line has it. `unknown`: so many calls of it ended without anybody knowing."""

    key: str
    member: str
    status: str
    why: str = ""
    unknown: int = 0


@dataclass(slots=True)
class Judgement:
    """`sent`: members of whom the provider took a message. The others name a message, or a member, once each."""

    sent: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unaccounted: list[str] = field(default_factory=list)
    repeated: int = 0  # messages that went out again after an outcome nobody knew, where that is what is wanted


def judge(
    members: Collection[str], deliveries: Iterable[Sent], taken: Mapping[str, int], *, exactly_once: bool
) -> Judgement:
    """Compare the deliveries with how often the provider took each key.

    `exactly_once`: the provider knows a key again, or can be asked: then every message that was due must have been
    taken once. Otherwise a message may go out again after each outcome that nobody knew, and may be given up by name.
    """
    found = Judgement()
    known: set[str] = set()
    reached: Counter[str] = Counter()
    told_by_name: set[str] = set()  # members of whom some delivery says what became of it
    for one in deliveries:
        known.add(one.key)
        times = taken.get(one.key, 0)
        reached[one.member] += times
        if one.status in TOLD | NAMED:
            told_by_name.add(one.member)
        _put(found, one, times, exactly_once)
    found.unaccounted += [f"{key}: the provider took what no delivery is about" for key in sorted(set(taken) - known)]
    found.unaccounted += [f"{member}: nobody meant to tell them" for member in sorted(set(members) - set(reached))]
    untold = {member for member, times in reached.items() if not times} - told_by_name
    found.lost += [f"{member}: none of their messages was ever sent" for member in sorted(untold)]
    found.sent = sum(reached[member] > 0 for member in members)
    return found


def _put(found: Judgement, one: Sent, times: int, exactly_once: bool) -> None:
    """One delivery under at most one heading."""
    what = f"{one.key}: {one.status} {one.why}".rstrip() + f", taken {times} times, {one.unknown} unknown"
    most = 1 if exactly_once else 1 + one.unknown
    if times > most:
        found.doubled.append(what)
    elif one.status not in TOLD | NAMED | NEVER_SENT:
        found.unaccounted.append(f"{what}: it neither ended nor waits for anybody")
    elif times and one.status in NEVER_SENT:
        found.unaccounted.append(f"{what}: it says that it was never sent")
    elif times and one.status in NAMED and not one.unknown:
        found.unaccounted.append(f"{what}: it says that it was refused")
    elif not times and (one.status in TOLD or (exactly_once and one.status in NAMED)):
        found.lost.append(what)
    elif times > 1:
        found.repeated += 1
