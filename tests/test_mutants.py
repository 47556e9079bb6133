"""The ways to break the ledger still fit it: `make mutants` tries them, outside the usual run."""

from __future__ import annotations

from tests import mutants
from tests.mutants import MUTANTS, ROOT, Mutant, misfits


def test_every_mutant_finds_its_place_exactly_once_and_its_tests():
    assert misfits(MUTANTS) == []


def test_there_are_enough_and_none_twice():
    assert len(MUTANTS) >= 20
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert all(mutant.old != mutant.new for mutant in MUTANTS)


def test_a_mutant_that_no_longer_fits_is_found():
    planted = Mutant("planted", "ledger/kinds.py", "Kind.", "", "ledger/test_kinds.py ledger/test_nothing.py")
    times = (ROOT / planted.file).read_text(encoding="utf-8").count("Kind.")
    assert misfits([planted]) == [
        f"planted: its old text is found {times} times in ledger/kinds.py",
        "planted: there is no tests/ledger/test_nothing.py",
    ]


def test_the_copy_is_broken_while_the_tests_run_and_mended_afterwards(tmp_path, monkeypatch):
    place = tmp_path / "one.py"
    place.write_text("ONE = 1\n", encoding="utf-8")
    seen = []

    def run(tests, folder):
        seen.append((tests, folder, place.read_text(encoding="utf-8")))
        return mutants.FAILED

    monkeypatch.setattr(mutants, "run", run)
    assert mutants.run_broken(Mutant("m", "one.py", "ONE = 1", "ONE = 2", "a/test_one.py"), tmp_path) == mutants.FAILED
    assert seen == [(["tests/a/test_one.py"], tmp_path, "ONE = 2\n")]
    assert place.read_text(encoding="utf-8") == "ONE = 1\n"
