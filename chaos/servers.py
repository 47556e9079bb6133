"""The broker is stopped, flushed and paused, the database restarted: what a strike does to the servers of a run."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from devstack.processes import Child
from devstack.stack import DATABASE_URL, REDIS_URL, Stack


@dataclass(slots=True)
class Servers:
    """PostgreSQL and Valkey. A broker that is stopped or paused stays so until `resume_broker`."""

    stack: Stack
    postgres: Child
    valkey: Child
    flushed: int = 0
    paused: int = 0
    stopped: int = 0
    restarted: int = 0
    _is_paused: bool = False

    @classmethod
    def started(cls, stack: Stack) -> Servers:
        return cls(stack, stack.start(DATABASE_URL), stack.start(REDIS_URL))

    @property
    def broker_is_up(self) -> bool:
        return self.valkey in self.stack.processes.children and not self._is_paused

    def flush_broker(self) -> None:
        """By hand: a client library would ask a paused server for seconds."""
        path = urlsplit(self.stack.environment({})[REDIS_URL]).path
        with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
            connection.settimeout(1)
            connection.connect(path)
            connection.sendall(b"FLUSHALL\r\n")
            self.flushed += connection.recv(16).startswith(b"+OK")

    def pause_broker(self) -> None:
        if self.broker_is_up:
            self.valkey.process.send_signal(signal.SIGSTOP)
            self._is_paused = True
            self.paused += 1

    def stop_broker(self) -> None:
        """It keeps nothing: what waited in it is gone."""
        if self.broker_is_up:
            self.valkey.stop()
            self.stack.processes.forget(self.valkey)
            self.stopped += 1

    def resume_broker(self) -> None:
        """After a pause it goes on, after a stop there is a new, empty one."""
        if self._is_paused:
            self.valkey.process.send_signal(signal.SIGCONT)
            self._is_paused = False
        elif not self.broker_is_up:
            self.valkey = self.stack.start(REDIS_URL)

    def restart_postgres(self) -> None:
        """Every second time without a shut-down: it must recover what was committed from its log."""
        self.postgres.stop_signal = signal.SIGQUIT if self.restarted % 2 else signal.SIGINT
        self.postgres.stop()
        self.stack.processes.forget(self.postgres)
        self.postgres = self.stack.start(DATABASE_URL)
        self.restarted += 1
