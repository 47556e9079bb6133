import pytest

from alerts.proof.readers import Reader, masked

ALL, NOTHING = Reader(sees_addresses=True, sees_staff=True), Reader()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("minji@example.com", "m***@example.com"),
        ("m@example.com", "m***@example.com"),
        ("a@b@example.com", "a***@example.com"),
        ("@example.com", "***@example.com"),
        ("+821012345678", "+82***5678"),
        ("", "***"),
    ],
)
def test_a_masked_address_is_recognised_by_its_owner_alone(address, shown):
    assert masked(address) == shown
    assert NOTHING.address(address) == shown
    assert ALL.address(address) == address


@pytest.mark.parametrize(("stored", "shown"), [("staff:3", "staff"), ("member:7", "member"), ("alerts", "alerts")])
def test_who_of_the_staff_it_was_is_kept_from_others(stored, shown):
    assert NOTHING.actor(stored) == shown
    assert ALL.actor(stored) == stored


def test_what_staff_noted_for_each_other_is_kept_from_others():
    assert NOTHING.note("Sora called") == ""
    assert ALL.note("Sora called") == "Sora called"
