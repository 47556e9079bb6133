"""The laws of the ledger, tried with random lives against the plain model of `model.py`.

Two members of one programme; every step is an act of the real ledger and the same act of the model, and after every
step the whole of both is compared, and the laws are asked of the database in its own words.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from ledger import errors
from tests.laws.lives import EverydayLives, TakenBackLives, ToldLives
from tests.laws.stages import programme_of
from tests.laws.tally import Tally

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


@pytest.mark.django_db
def test_every_life_keeps_the_laws_and_the_lives_come_by_every_kind_and_crash_in_every_act():
    tally = Tally()
    for lives in (EverydayLives, ToldLives, TakenBackLives):
        lives.programme, lives.tally = programme_of(lives.stage), tally
        run_state_machine_as_test(
            lives,
            settings=settings(
                max_examples=500 if LONG else 18,
                stateful_step_count=80 if LONG else 40,
                suppress_health_check=list(HealthCheck),
            ),
        )
    print(tally)
    assert tally.untried() == {}


def test_a_reused_key_has_a_name_that_the_lives_wait_for():
    assert errors.KeyReused.__name__ == "KeyReused"
