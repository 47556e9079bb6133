"""Ports on 127.0.0.1."""

import contextlib
import errno
import socket

from devstack.errors import Refused

HOST = "127.0.0.1"
TRIES = 100


def listen_from(wanted: int) -> socket.socket:
    """A listening socket on the wanted port, or on the next one that is free.

    It listens at once and is handed on to the web server as it is, so nobody else can take the port in between.
    Raises Refused.
    """
    for port in range(wanted, min(wanted + TRIES, 65536)):
        listener = _listen(port)
        if listener is not None:
            return listener
    raise Refused(f"no free port from {wanted} on")


def _listen(port: int) -> socket.socket | None:
    if _answers(port):  # some systems let a second server bind beside one that listens on all addresses
        return None
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not kept out by connections just closed
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise Refused(f"port {port}: {error.strerror}") from None
    return listener


def _answers(port: int) -> bool:
    with socket.socket() as connection, contextlib.suppress(OSError):
        connection.settimeout(1)
        connection.connect((HOST, port))
        return True
    return False


def any_free() -> int:
    """A port that is free now, for a server that wants a number and cannot be handed a socket."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def read_port(text: str) -> int:
    """Raises Refused when this is not a port's number."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Refused(f"PORT: {text!r} is not a number from 1 to 65535")
    return int(text)
