"""Ports that are busy, and numbers that are none."""

import socket

import pytest

from devstack.errors import Refused
from devstack.ports import any_free, listen_from, read_port


def test_a_busy_port_moves_to_the_next_one():
    with listen_from(any_free()) as first, listen_from(first.getsockname()[1]) as second:
        assert second.getsockname()[1] > first.getsockname()[1]


def test_a_server_on_all_addresses_makes_a_port_busy_as_well():
    with socket.create_server(("", 0)) as other, listen_from(other.getsockname()[1]) as ours:
        assert ours.getsockname()[1] > other.getsockname()[1]


@pytest.mark.parametrize("text", ["", "0", "65536", "http", "80.0", "-1", "٨٠"])
def test_what_is_not_a_port_is_refused_with_its_name(text):
    with pytest.raises(Refused, match=r"^PORT: "):
        read_port(text)


def test_a_port_is_read():
    assert read_port("8000") == 8000
