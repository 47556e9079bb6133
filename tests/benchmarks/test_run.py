"""Choosing rows, and rows that cannot be measured."""

from __future__ import annotations

import json

import pytest

from benchmarks import run
from benchmarks.plan import Plan
from benchmarks.report import read_findings
from benchmarks.results import GOAL, Failed, Measured

SMALL = Plan(full=False)


def test_a_row_that_does_not_exist_is_refused_with_those_that_do(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["run", "redeem", "redeam"])
    with pytest.raises(SystemExit) as stopped:
        run.main()
    assert stopped.value.code == 2
    assert "there is no row redeam; the rows are redeem, redeem_db_cpu, grant" in capsys.readouterr().err


def test_every_row_is_measured_by_one_group():
    names = [name for names, _ in run._groups() for name in names]
    assert sorted(names) == sorted(GOAL)


def test_a_row_that_cannot_be_measured_says_why_and_takes_no_other_down(capsys):
    def breaks(plan, wanted):
        raise RuntimeError("first line\nthe disk is full\n")

    assert run._attempt(breaks, SMALL, ["sweep", "sweep_p99"]) == [
        Failed("sweep", 100_000, "RuntimeError: the disk is full"),
        Failed("sweep_p99", 100_000, "RuntimeError: the disk is full"),
    ]
    assert "Traceback" in capsys.readouterr().err


def test_both_files_are_written(tmp_path):
    rows = [Measured("grant", 10_000, [0.7] * 5, ours=7, yardstick=10, unit="/s")]
    run._write(tmp_path / "new", SMALL, rows, {"machine": "two cores"})
    (row,) = json.loads((tmp_path / "new" / "results.json").read_text())
    assert row == {"name": "grant", "size": 10_000, "ratio": 0.7, "goal": 0.6, "direction": "at_least", "met": True}
    assert "| grant |" in (tmp_path / "new" / "RESULTS.md").read_text()


def test_the_findings_that_lie_beside_it_can_be_read():
    read_findings((run.HERE / "findings.md").read_text(encoding="utf-8"))
