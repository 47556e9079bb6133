from __future__ import annotations

import pytest

from ledger.errors import BadPoints
from ledger.inputs import MOST, check_points


@pytest.mark.parametrize("points", [0, -1, MOST + 1, 1.0, 1.5, "1", True, None])
def test_an_amount_that_is_not_a_whole_positive_number_in_bounds_is_refused(points):
    with pytest.raises(BadPoints) as refusal:
        check_points(points)
    assert refusal.value.field == "points"


@pytest.mark.parametrize("points", [1, 100, MOST])
def test_a_whole_positive_amount_is_let_through(points):
    assert check_points(points) == points
