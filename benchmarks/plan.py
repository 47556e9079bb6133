"""How much is measured in a run: sizes, rounds, and how long a round is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.progress import say
from benchmarks.results import GOAL


@dataclass(frozen=True, slots=True)
class Plan:
    """`full`: the sizes of the table, else a tenth. `seconds` is how long one side of a round is measured."""

    full: bool
    rounds: int = 9
    seconds: float = 2.0
    scale_rounds: int = 15  # of two like shapes that differ by a tenth: many short turns
    scale_seconds: float = 0.8
    bulk_rounds: int = 5  # those of import and sweep, whose size says how long they take

    def size(self, name: str) -> int:
        return GOAL[name].size_of(full=self.full)

    def each(self, rounds: int, what: str) -> Iterator[int]:
        """The numbers of the rounds from 1 on, announced."""
        for number in range(1, rounds + 1):
            say(f"{what}: round {number} of {rounds}")
            yield number
