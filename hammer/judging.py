"""Whether what the processes were told is what is there. Pure: journals and what was found in, a judgement out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hammer.journal import Answer, Asked


@dataclass(slots=True)
class Judgement:
    """What is wrong, each with its key; `lost` and `doubled` name a key once each at most."""

    acts: int = 0
    answered: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  # answers that must not happen, whatever is asked


def judge(asked: Iterable[Asked], written: Mapping[str, int], again: Mapping[str, Answer]) -> Judgement:
    """Compare all calls with the number of entries `written` under each key, and the answers to asking `again`.

    Lost: what was answered is not there, or is no longer what was answered. Doubled: it is there more than once, under
    another content as well, though it was refused, or though nobody asked.
    """
    found = Judgement()
    by_key: dict[str, list[Asked]] = defaultdict(list)
    for one in asked:
        found.acts += 1
        found.answered += one.answer is not None
        by_key[one.ask.key].append(one)
        if one.answer and one.answer.broken:
            found.broken.append(f"{one.ask.key}: {one.ask.act}: {one.answer.broken}")
    for key, calls in by_key.items():
        there = written.get(key, 0)
        if lost := _lost(calls, there, again.get(key)):
            found.lost.append(f"{key}: {calls[0].ask.act}: {lost}")
        if doubled := _doubled(calls, there):
            found.doubled.append(f"{key}: {calls[0].ask.act}: {doubled}")
    found.doubled += [f"{key}: nobody asked for it" for key in written if key not in by_key]
    return found


def _lost(calls: Sequence[Asked], there: int, again: Answer | None) -> str:
    """What of the answers under one key is not there any more."""
    answers = [one.answer for one in calls if one.answer and one.answer.is_there]
    if not answers:
        return ""
    if not there:
        return "it was answered, and is not there"
    receipts = [answer.receipt for answer in answers if answer.receipt is not None]
    if any(receipt != receipts[0] for receipt in receipts):
        return f"it was answered in different ways: {receipts}"
    if again is None:
        return "it was not asked again"
    if not again.replayed:
        return f"it was asked again, and not known: {again}"
    if receipts and again.receipt != receipts[0]:
        return f"the answer was {receipts[0]} and is now {again.receipt}"
    return ""


def _doubled(calls: Sequence[Asked], there: int) -> str:
    """What of one key is there though it should not be."""
    answers = [one.answer for one in calls if one.answer and one.answer.is_there]
    if there > 1:
        return f"{there} entries"
    if sum(answer.receipt is not None and not answer.replayed for answer in answers) > 1:
        return "more than one call was told to have written it"
    if len({one.ask.body for one in calls if one.answer and one.answer.is_there}) > 1:
        return "two contents went through"
    if there and all(one.answer and one.answer.refused for one in calls):
        return "it was refused, and is there"
    return ""
