"""The declared table: what is not in it cannot happen."""

from __future__ import annotations

from ledger.kinds import ACTIVITY, RESTORING, SIGN, Kind, Origin, Waiver
from ledger.models import Entry, Notice


def test_every_kind_has_the_direction_that_the_domain_gives_it():
    assert {kind.value: sign for kind, sign in SIGN.items()} == {
        "grant": 1,
        "settle": 0,
        "redeem": -1,
        "refund": 1,
        "clawback": -1,
        "hold": -1,
        "capture": 0,
        "release": 1,
        "expire": -1,
        "reinstate": 1,
        "extend": 0,
        "postpone": 0,
        "notify": 0,
        "close": 0,
        "forfeit": -1,
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
    assert ACTIVITY == (Kind.GRANT, Kind.REDEEM, Kind.HOLD)


def test_what_gives_points_back_says_until_when():
    assert RESTORING == (Kind.REFUND, Kind.RELEASE, Kind.REINSTATE)
    assert all(SIGN[kind] == 1 for kind in RESTORING)


def test_the_reasons_of_a_waiver_are_those_of_the_domain():
    assert Waiver.values == ["no_contact", "opted_out", "below_least"]
    longest = Notice._meta.get_field("waiver").max_length
    assert longest is not None
    assert all(len(waiver) <= longest for waiver in Waiver)


def test_the_origins_are_those_of_the_domain():
    assert Origin.values == ["purchase", "promotion", "compensation", "migration", "adjustment"]
