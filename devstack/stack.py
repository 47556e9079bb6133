"""The embedded servers of one home: PostgreSQL and Valkey, started and stopped together.

They speak on unix sockets only, so there is no port to be taken and none to be seen from outside.
"""

from collections.abc import Mapping
from types import TracebackType

from devstack.home import Home
from devstack.postgres import Postgres, without_libpq
from devstack.processes import Child, Processes
from devstack.valkey import Valkey

DATABASE_URL = "DATABASE_URL"
REDIS_URL = "REDIS_URL"


def missing(environ: Mapping[str, str], *, own: bool = False) -> list[str]:
    """The variables that name no server yet, in the order of starting; all of them when `own` servers are wanted."""
    return [name for name in (DATABASE_URL, REDIS_URL) if own or not environ.get(name)]


class Stack:
    """Use as a context manager: leaving it stops everything, and lets go of the home."""

    def __init__(self, home: Home, *, durable: bool) -> None:
        self.home = home
        self.durable = durable
        self.processes = Processes(home.record)
        self._postgres: Postgres | None = None
        self._urls: dict[str, str] = {}

    def __enter__(self) -> "Stack":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start_postgres(self) -> Child:
        self._postgres = Postgres(self.home, self.processes, durable=self.durable)
        child = self._postgres.start()
        self._urls[DATABASE_URL] = self._postgres.url
        return child

    def start_valkey(self) -> Child:
        valkey = Valkey(self.home, self.processes)
        child = valkey.start()
        self._urls[REDIS_URL] = valkey.url
        return child

    def start(self, name: str) -> Child:
        """Start the server that answers to this variable. Raises DidNotStart."""
        return {DATABASE_URL: self.start_postgres, REDIS_URL: self.start_valkey}[name]()

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """An environment in which the servers started here are found, and others are left as they were named."""
        base = without_libpq(environ) if DATABASE_URL in self._urls else dict(environ)
        return base | self._urls

    def stop(self) -> None:
        self.processes.stop()
        if self._postgres is not None:
            self._postgres.clear_up()
        self.home.close()
