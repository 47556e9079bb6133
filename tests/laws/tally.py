"""What a run of random lives came by: a law that no life ever touches would be kept by anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.kinds import Kind
from ledger.models import Entry, Programme

# Every act of `sides.py`: each can be cut down.
ACTS = {
    *("grant", "redeem", "refund", "clawback", "hold", "capture", "release", "reinstate", "adjust_up", "adjust_down"),
    *("extend", "undo", "postpone", "notify", "waive", "withdraw_notice", "extend_untold", "close", "stay", "sweep"),
}
NOTHING_DONE = (Kind.NOTE, Kind.DECLINE)  # the kinds of an act that was answered, and changed nothing


@dataclass
class Tally:
    """Kinds of entries as they stood in the database when each life ended; acts that did what they are for."""

    lives: int = 0
    written: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    cut_down: Counter[str] = field(default_factory=Counter)  # and then done
    hit: Counter[str] = field(default_factory=Counter)  # kinds that were written by acts that had been cut down

    def count(self, act: str, *, kind: str, wrote: Sequence[str], was_cut_down: bool) -> None:
        """An act that was answered with this kind ("": refused), and the kinds of all entries that came with it."""
        if kind and kind not in NOTHING_DONE:
            self.done[act] += 1
        if kind and kind not in NOTHING_DONE and was_cut_down:
            self.cut_down[act] += 1
        if was_cut_down:
            self.hit.update(wrote)

    def end_of_a_life(self, programme: Programme) -> None:
        self.lives += 1
        self.written.update(Entry.objects.filter(programme=programme).values_list("kind", flat=True))

    def untried(self) -> dict[str, set[str]]:
        """What no life came by, of all kinds and of all acts; and acts of which this room has not heard yet."""
        missing = {
            "kinds written": set(Kind.values) ^ self.written.keys(),
            "kinds written after a crash": set(Kind.values) ^ self.hit.keys(),
            "acts done": ACTS ^ self.done.keys(),
            "acts done after a crash": ACTS ^ self.cut_down.keys(),
        }
        return {what: names for what, names in missing.items() if names}
