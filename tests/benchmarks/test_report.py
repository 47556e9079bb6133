"""RESULTS.md."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from benchmarks.report import read_findings, text
from benchmarks.results import Failed, Measured

AT = datetime(2025, 3, 10, 3, 0, tzinfo=UTC)
FACTS = {"machine": "two cores", "server": "PostgreSQL 18.4"}
REDEEM = Measured("redeem", 10_000, [0.1, 0.2, 0.3, 0.4, 0.5], ours=1234.5, yardstick=0.01234, unit="/s")
IMPORT = Measured("import", 100_000, [0.6] * 5, ours=1, yardstick=2, unit="/s", note="memory stayed flat")
PEERS = Failed("peers", 10_000, "no network")


def report(*rows: Measured | Failed, full: bool = False, findings: dict[str, str] | None = None) -> str:
    return text(rows, full=full, at=AT, facts=FACTS, findings=findings or {})


def test_it_names_the_command_the_day_the_machine_and_the_versions():
    said = report(IMPORT)
    assert "Written by `make bench` on 10 March 2025. Sizes are a tenth of the table’s." in said
    assert "- machine: two cores\n- server: PostgreSQL 18.4\n" in said
    assert "`make bench FULL=1` on 10 March 2025. Sizes are those of the table." in report(IMPORT, full=True)


def test_each_row_is_a_line_of_the_table_in_its_order():
    lines = [line for line in report(PEERS, IMPORT, REDEEM).splitlines() if line.startswith("| ")]
    assert lines[2:] == [
        "| redeem | redemptions per second, 8 connections, accounts spread, to TPC-B's | 10,000 | 1,234 /s | 0.0123 /s"
        " | **0.30** | 5: 0.10 to 0.50 | at least 0.5 | missed |",
        "| import | grants of a feed per second to the bare statements | 100,000 | 1 /s | 2 /s | **0.60**"
        " | 5: 0.60 to 0.60 | at least 0.5 | met |",
        "| peers | redemptions per second to the faster peer's transfers | 10,000 |  |  |  |  | at least 5"
        " | not measured |",
    ]
    assert "\n- import: memory stayed flat\n" in report(IMPORT, REDEEM)


def test_where_a_goal_is_missed_it_says_what_is_known():
    said = report(PEERS, IMPORT, REDEEM, findings={"redeem": "Most of it is Python.", "import": "Not needed."})
    _, _, misses = said.partition("## Where a goal is missed\n")
    assert misses.strip() == ("### redeem\n\nMost of it is Python.\n\n### peers\n\nCould not be measured: no network")
    assert "Not looked into yet." in report(REDEEM)


def test_where_no_goal_is_missed_it_says_nothing():
    assert "missed" not in report(IMPORT)


def test_findings_are_sections_by_the_names_of_rows():
    assert read_findings("Words before.\n\n## redeem\nOne.\n\nTwo.\n\n## peers\n\nThree.\n") == {
        "redeem": "One.\n\nTwo.",
        "peers": "Three.",
    }
    assert read_findings("No section.") == {}


def test_findings_of_no_row_are_refused():
    with pytest.raises(ValueError, match="'redeam', which is the name of no row"):
        read_findings("## redeam\nOne.\n")
