"""Reading what pgbench prints."""

from __future__ import annotations

import pytest

from benchmarks.tpcb import Tpcb, read_pgbench

PRINTED = """\
pgbench (18.4)
transaction type: <builtin: TPC-B (sort of)>
scaling factor: 10
query mode: prepared
number of clients: 8
number of threads: 2
maximum number of tries: 1
duration: 2 s
number of transactions actually processed: 12610
number of failed transactions: 0 (0.000%)
latency average = 1.269 ms
initial connection time = 12.345 ms
tps = 6305.123456 (without initial connection time)
"""


def test_transactions_and_their_rate_are_read():
    assert read_pgbench(PRINTED) == Tpcb(transactions=12610, per_second=6305.123456)


def test_anything_else_is_refused():
    with pytest.raises(ValueError, match="pgbench printed something else"):
        read_pgbench("tps = 6305\n")
