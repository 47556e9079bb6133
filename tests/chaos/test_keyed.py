"""A transport that knows a key again and cannot be asked, against the fake of NHN."""

import pytest

from alerts.channels import TRANSPORTS
from alerts.errors import Unknown
from chaos.apps import KEYED, ChaosConfig
from chaos.keyed import KeyedChannel
from tests.alerts.channels.conftest import KEY, fake, message

__all__ = ["fake"]


def test_the_key_decides_and_nothing_else_can(fake):
    can = KeyedChannel.capabilities("alimtalk")
    assert (can.can_look_up, can.idempotent_for is not None, can.reports) == (False, True, True)
    with KeyedChannel("alimtalk") as channel:
        fake.faults.set({"drop": 1.0})
        with pytest.raises(Unknown):
            channel.send(message("alimtalk"))
        fake.faults.set({})
        with pytest.raises(Unknown):
            channel.look_up(KEY)
        assert channel.send(message("alimtalk")).answer == "key used"
    assert len(fake.journal.of(str(KEY))) == 1


def test_a_key_that_is_not_used_sends(fake):
    with KeyedChannel("alimtalk") as channel:
        fake.faults.set({"503": 1.0})
        with pytest.raises(Unknown):
            channel.send(message("alimtalk"))
        fake.faults.set({})
        accepted = channel.send(message("alimtalk"))
    (taken,) = fake.journal.of(str(KEY))
    assert accepted.provider_id == taken.number


@pytest.mark.parametrize("keyed", [True, False])
def test_it_takes_the_place_of_nhn_in_a_run_that_asks_for_it_only(monkeypatch, keyed):
    import chaos

    usual = TRANSPORTS["nhn"]
    monkeypatch.setitem(TRANSPORTS, "nhn", usual)
    monkeypatch.delenv(KEYED, raising=False)
    if keyed:
        monkeypatch.setenv(KEYED, "1")
    ChaosConfig("chaos", chaos).ready()
    assert TRANSPORTS["nhn"] is (KeyedChannel if keyed else usual)
