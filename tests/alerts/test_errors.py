from alerts import errors


def _tree(kind):
    return {kind} | {below for child in kind.__subclasses__() for below in _tree(child)}


def test_every_error_has_a_code_of_its_own_and_a_message():
    kinds = _tree(errors.AlertsError)
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind("").detail for kind in kinds)


def test_an_error_names_the_field():
    assert str(errors.BadInput("Too many.", field="offset_days")) == "offset_days: Too many."


def test_sending_fails_in_four_ways_and_no_others():
    assert set(errors.SendError.__subclasses__()) == {
        errors.Rejected,
        errors.Throttled,
        errors.NotSent,
        errors.Unknown,
    }
