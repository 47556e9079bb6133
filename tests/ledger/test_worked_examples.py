"""The worked examples of docs/domain.md, executed: whoever changes a number there, or in the ledger, hears of it here.

Each table below a third heading is a story on an account of its own, under the rules that stand before it. A row is
done, and then the account is looked at: from facts as of that moment, and where it acted, in the kept numbers too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger import asof, closures, notices, posting, programmes
from ledger.errors import LedgerError
from ledger.kinds import SIGN, Kind
from ledger.models import Account, Lot, Policy
from ledger.policies import last_day
from ledger.receipts import Receipt
from tests import builders
from tests.builders import LONG_AGO, SEOUL, SHOP, a_key
from tests.looking import row_of

DOMAIN = (Path(__file__).resolve().parents[2] / "docs" / "domain.md").read_text(encoding="utf-8")
DIRECTION = {"+": 1, "0": 0, "−": -1}


# --- Reading the document


@dataclass(frozen=True)
class Example:
    """A story: its title, the policy's terms, and its rows by the names of their columns."""

    title: str
    rules: str
    rows: list[dict[str, str]]


def rows_below(text: str, first_column: str) -> list[dict[str, str]]:
    """The rows of the first table in the text whose first column has this name."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    start = next(place for place, cells in enumerate(lines) if cells[0] == first_column)
    rows = []
    for cells in lines[start + 2 :]:
        if len(cells) != len(lines[start]) or set(cells[0]) == {"-"}:
            break
        rows.append(dict(zip(lines[start], cells, strict=True)))
    return rows


def examples() -> list[Example]:
    found = []
    for block in DOMAIN.split("\n### ")[1:]:
        text = block.split("\n## ")[0]
        rules = re.search(r"^Rules: `(.+)`$", text, re.MULTILINE)
        assert rules, f"no rules before the table of: {text.splitlines()[0]}"
        found.append(Example(text.splitlines()[0], rules[1], rows_below(text, "what happens")))
    return found


def an_account(rules: str) -> Account:
    """An account under a policy with these terms, `field=value` each; the rest is as policies are made."""
    said = dict(term.split("=") for term in rules.split())
    terms: dict[str, Any] = {name: int(value) if value.isdigit() else value for name, value in said.items()}
    programme = programmes.create(code="p", name="P", zone="Asia/Seoul", effective_from=LONG_AGO, **terms)
    return builders.minji(programme)


def noon(day: str) -> datetime:
    return datetime.strptime(f"{day} 12:00 +0900", "%d %B %Y %H:%M %z").astimezone(UTC)


def in_words(expires_at: datetime | None) -> str:
    day = last_day(expires_at, SEOUL) if expires_at else None
    return f"{day.day} {day:%B} {day.year}" if day else "never"


# --- Doing what it says


@dataclass
class Story:
    """An account, and what happened to it by the names that the document gives."""

    account: Account
    made: dict[str, Receipt] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)  # of what a refund or a clawback of that name undoes

    def lot(self, name: str) -> int:
        return builders.lot_of(self.made[name]).pk

    def do(self, words: str, now: datetime) -> None:
        for pattern, act in WORDS.items():
            if found := re.fullmatch(pattern, words):
                act(self, now, *found.groups())
                return
        raise AssertionError(f"the examples have no such words: {words}")


def grant(story: Story, now: datetime, points: str, name: str, spendable: str | None = None) -> None:
    more = {"spendable_at": noon(spendable)} if spendable else {}
    story.made[name] = builders.grant(story.account, int(points), now=now, key=name, **more)


def redeem(story: Story, now: datetime, points: str, name: str) -> None:
    builders.redeem(story.account, int(points), now=now, key=name)


def refund(story: Story, now: datetime, points: str, name: str) -> None:
    builders.refund(story.account, int(points), story.keys.get(name, name), now=now)


def claw_back(story: Story, now: datetime, points: str, name: str) -> None:
    builders.clawback(story.account, int(points), now=now, undoes=name)


def hold(story: Story, now: datetime, points: str, name: str, until: str) -> None:
    builders.hold(story.account, int(points), now=now, key=name, lapses_at=noon(until))


def capture(story: Story, now: datetime, points: str, name: str) -> None:
    builders.capture(story.account, int(points), hold=name, now=now)
    story.keys[name] = f"capture:{name}"


def tell(story: Story, now: datetime) -> None:
    """Tell of the points that go next of those that wait for a notice."""
    waiting = Lot.objects.filter(account=story.account, gated=True).live(now).order_by("expires_at", "seq")
    goes = [lot.pk for lot in waiting if lot.expires_at == waiting[0].expires_at]
    builders.tell(story.account, goes, told_on=now.astimezone(SEOUL).date(), now=now)


def move_untold(story: Story, now: datetime) -> None:
    lots = list(Lot.objects.filter(account=story.account).values_list("pk", flat=True))
    posting.act(notices.extend_untold_order(account_id=story.account.pk, lots=lots, now=now, key=a_key(), by=SHOP))


def extend(story: Story, now: datetime, name: str, day: str) -> None:
    builders.extend(story.account, [story.lot(name)], noon(day).astimezone(SEOUL).date(), now=now)


def postpone(story: Story, now: datetime, name: str, day: str) -> None:
    builders.postpone(story.account, [story.lot(name)], noon(day), now=now)


def reinstate(story: Story, now: datetime, name: str) -> None:
    builders.reinstate(story.account, story.lot(name), now=now)


def close(story: Story, now: datetime) -> None:
    builders.close(story.account, now=now)


def withdraw(story: Story, now: datetime) -> None:
    closures.withdraw(account=story.account, now=now, key=a_key(), by=SHOP)


def sweep(story: Story, now: datetime) -> None:
    posting.tidy({story.account.pk}, now)


N, NAME, DAY = r"(\d+)", r"(\w+)", r"(\d+ \w+ \d{4})"
WORDS: dict[str, Callable[..., None]] = {
    rf"grant {N} as {NAME}(?:, to be spent from {DAY})?": grant,
    rf"redeem {N} as {NAME}": redeem,
    rf"refund {N} of {NAME}": refund,
    rf"claw back {N} of {NAME}": claw_back,
    rf"hold {N} as {NAME} until {DAY}": hold,
    rf"capture {N} of {NAME}": capture,
    r"tell": tell,
    r"move what nobody was told of": move_untold,
    rf"extend {NAME} through {DAY}": extend,
    rf"postpone {NAME} to {DAY}": postpone,
    rf"reinstate {NAME}": reinstate,
    r"close": close,
    r"withdraw the closure": withdraw,
    r"sweep": sweep,
}


def play(example: Example) -> None:
    """Do each row of the example and compare; the failure shows the row."""
    story = Story(an_account(example.rules))
    for row in example.rows:
        day, _, words = row["what happens"].partition(": ")
        at = noon(day)
        acts = words.removesuffix(", refused")
        if acts != words:
            with pytest.raises(LedgerError):
                story.do(acts, at)
        elif words != "look":
            story.do(words, at)
            balance, debt, _ = row_of(story.account)
            assert (balance, debt) == (int(row["balance"]), int(row["debt"])), f"kept numbers after {row}"
        assert looked_at(story.account, at, row) == row


def looked_at(account: Account, at: datetime, row: dict[str, str]) -> dict[str, str]:
    """The same row with the numbers that the facts give."""
    held = asof.balance(account, at=at)
    lots = [f"{lot.remaining} through {in_words(lot.expires_at)}" for lot in asof.lots(account, at=at)]
    found = {"spendable": str(held.spendable), "balance": str(held.live), "debt": str(held.debt)}
    found["points"] = "; ".join(lots) or "none"
    return {name: found.get(name, said) for name, said in row.items()}


# --- The tests


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.title)
def test_the_example_is_true(db, example):
    play(example)


@pytest.mark.parametrize("column", ["balance", "debt", "points"])
def test_a_changed_number_is_found(db, column):
    example = examples()[0]
    wrong = [row | {column: row[column].replace("10", "11").replace("0", "5")} for row in example.rows]
    with pytest.raises(AssertionError, match="kept numbers" if column != "points" else "through"):
        play(replace(example, rows=wrong))


@pytest.mark.parametrize("row", rows_below(DOMAIN, "rules"), ids=lambda row: f"{row['rules']} {row['valid through']}")
def test_the_date_is_what_the_rules_say(db, row):
    account = an_account(row["rules"].strip("`"))
    granted = builders.grant(account, 100, now=noon(next(said for name, said in row.items() if "granted" in name)))
    assert in_words(builders.lot_of(granted).expires_at) == row["valid through"]


def test_every_kind_stands_in_the_table_with_its_direction():
    assert {row["kind"]: DIRECTION[row["amount"]] for row in rows_below(DOMAIN, "kind")} == {
        kind.value: SIGN[kind] for kind in Kind
    }


def test_every_field_of_a_policy_stands_in_the_table():
    said = " ".join(row["fields of a policy"] for row in rows_below(DOMAIN, "fields of a policy"))
    assert set(re.findall(r"`(\w+)`", said)) == {f.name for f in Policy._meta.fields} - {"id", "programme"}
