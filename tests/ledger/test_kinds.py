"""The declared table: what is not in it cannot happen."""

from __future__ import annotations

from ledger.kinds import ACTIVITY, SIGN, Kind, Origin
from ledger.models import Entry


def test_every_kind_has_the_direction_that_the_domain_gives_it():
    assert {kind.value: sign for kind, sign in SIGN.items()} == {
        "grant": 1,
        "settle": 0,
        "redeem": -1,
        "clawback": -1,
        "expire": -1,
        "extend": 0,
        "notify": 0,
        "decline": 0,
        "note": 0,
    }
    assert set(SIGN) == set(Kind)


def test_a_kind_fits_its_column_and_reads_as_its_plain_word():
    longest = Entry._meta.get_field("kind").max_length
    assert longest is not None
    assert all(len(kind) <= longest for kind in Kind)
    assert str(Kind.GRANT) == "grant"


def test_only_what_the_member_does_counts_as_activity():
    assert ACTIVITY == (Kind.GRANT, Kind.REDEEM)


def test_the_origins_are_those_of_the_domain():
    assert Origin.values == ["purchase", "promotion", "compensation", "migration", "adjustment"]
