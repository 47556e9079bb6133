"""What a process asked, written down before it asked; and what it was told, written down as soon as it knew.

A line is out of the process's hands once it is written: a kill -9 right behind it loses nothing. A process that is
killed while it writes leaves a torn line: what was never fully written down was never asked, or never answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger.receipts import Receipt


@dataclass(frozen=True, slots=True)
class Ask:
    """An act as plain values: what it is called here, on which account, under which key, and its other words."""

    act: str
    account: int
    key: str
    now: datetime
    words: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """What the key stands for: `now` is no part of it."""
        return json.dumps([self.act, self.account, self.words], sort_keys=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a receipt, a refusal, or something that must not happen; `done`: written, without a receipt."""

    receipt: Mapping[str, Any] | None = None
    replayed: bool = False
    done: bool = False
    refused: str = ""
    broken: str = ""

    @classmethod
    def of(cls, receipt: Receipt) -> Answer:
        said = asdict(receipt)
        replayed = said.pop("replayed")
        return cls(receipt=json.loads(json.dumps(said, default=_as_text)), replayed=replayed)

    @property
    def is_there(self) -> bool:
        """Whether the answer says that something was written."""
        return self.receipt is not None or self.done


def _as_text(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


@dataclass(slots=True)
class Asked:
    """One call, and its answer, if there was one."""

    ask: Ask
    answer: Answer | None = None


class Journal:
    """One process's file, taken up again by the process that follows when it was killed."""

    def __init__(self, path: Path) -> None:
        self.known = read([path]) if path.exists() else []
        self.lines = len(path.read_bytes().splitlines()) if path.exists() else 0
        self._file = path.open("ab", buffering=0)
        if self.lines:
            self._file.write(b"\n")  # whatever is torn ends here

    def ask(self, ask: Ask) -> int:
        """Write down what is going to be asked; returns the number under which its answer is written."""
        number = self.lines = self.lines + 1
        self._write({"ask": number, **asdict(ask), "now": ask.now.isoformat()})
        return number

    def answer(self, number: int, answer: Answer) -> None:
        self._write({"answer": number, **{name: value for name, value in asdict(answer).items() if value}})

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        self._file.close()


def read(paths: Iterable[Path]) -> list[Asked]:
    """All calls of these journals, with their answers."""
    return [asked for path in paths for asked in _read(path).values()]


def _read(path: Path) -> dict[int, Asked]:
    found: dict[int, Asked] = {}
    for text in path.read_bytes().splitlines():
        try:
            line = json.loads(text)
        except ValueError:  # torn, or the empty line that ends a torn one
            continue
        if "ask" in line:
            number = line.pop("ask")
            found[number] = Asked(Ask(**{**line, "now": datetime.fromisoformat(line["now"])}))
        else:
            number = line.pop("answer")
            found[number].answer = Answer(**line)
    return found
