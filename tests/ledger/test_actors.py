from __future__ import annotations

import pytest

from ledger.actors import CLOCK, Actor
from ledger.errors import BadInput
from ledger.models import Entry


def test_an_actor_is_stored_as_its_role_and_its_id():
    assert str(Actor("staff", "3")) == "staff:3"
    assert str(Actor("feed")) == "feed"
    assert str(CLOCK) == "system:clock"


def test_the_column_has_room_for_a_role_and_an_id():
    assert (Entry._meta.get_field("actor").max_length or 0) >= len(str(Actor("member", "9" * 19)))


@pytest.mark.parametrize("name", ["Kim Minji", "x" * 61, "a\x00", "민지"])
def test_an_actor_is_an_id_and_no_persons_name(name):
    with pytest.raises(BadInput, match="by: An actor's name is an id"):
        Actor("staff", name)
