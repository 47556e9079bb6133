"""What counts as an amount of points at the edges."""

from __future__ import annotations

from ledger.errors import BadPoints

MOST = 1_000_000_000_000  # a sum of millions of such amounts still fits a bigint


def check_points(points: object) -> int:
    """Amounts are whole and positive at every edge; the kind gives the direction. Raises BadPoints."""
    if isinstance(points, bool) or not isinstance(points, int) or not 1 <= points <= MOST:
        raise BadPoints(field="points")
    return points
