"""An embedded Valkey (Redis's protocol) on a unix socket. It keeps nothing on disk: the facts are in PostgreSQL."""

import contextlib
import socket
import time

from devstack.binaries import valkey_server
from devstack.errors import DidNotStart
from devstack.home import Home
from devstack.processes import Child, Processes

START_SECONDS = 20


class Valkey:
    def __init__(self, home: Home, processes: Processes) -> None:
        self._home = home
        self._processes = processes
        self._program = valkey_server()
        self._socket = home.sockets / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self._socket}?db=0"

    def start(self) -> Child:
        """Raises DidNotStart."""
        self._ask(b"SHUTDOWN NOSAVE")  # a left-over one: we hold the home's lock, so nobody is using it
        argv = [str(self._program), "--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"]
        argv += ["--daemonize", "no", "--save", "", "--appendonly", "no", "--dir", str(self._home.folder)]
        child = self._processes.start("Valkey", argv, log=self._home.folder / "valkey.log", grace=2)
        deadline = time.monotonic() + START_SECONDS
        while not child.ended and time.monotonic() < deadline:
            if self._ask(b"PING") == b"+PONG\r\n":
                return child
            time.sleep(0.02)
        raise DidNotStart(child.obituary())

    def _ask(self, command: bytes) -> bytes:
        """One answer, or b"" when nobody listens. By hand: a client library asks a dead server for seconds."""
        with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
            connection.settimeout(2)
            connection.connect(str(self._socket))
            connection.sendall(command + b"\r\n")
            return connection.recv(64)
        return b""
