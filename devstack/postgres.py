"""An embedded PostgreSQL on a unix socket.

PostgreSQL refuses to run as root, so root runs it as 'nobody'. That user may be kept out of the folder of the
project (below a folder only root may enter) or of the virtual environment (installed with a strict umask);
then the data, or a copy of the binaries, lie below /var/tmp instead.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devstack.binaries import POSTGRES_PACKAGE, postgres_install, postgres_version
from devstack.errors import DidNotStart, Refused
from devstack.home import AS_ROOT, Home
from devstack.processes import Child, Processes, kill, working_in

USER = DATABASE = "pointkeep"
START_SECONDS = 60  # recovery after a crash may take a while
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
LOCALE = {  # the builtin provider came with 17; a system's C.UTF-8 may be missing, but not on Linux
    "18": ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
    "16": ("--locale=C.UTF-8",),
}


def without_libpq(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables (PGPORT, PGOPTIONS, …) that point clients at another server."""
    return {name: value for name, value in environ.items() if not name.startswith("PG")}


class Postgres:
    def __init__(self, home: Home, processes: Processes, *, durable: bool) -> None:
        self.version = postgres_version()
        self.durable = durable
        self._home = home
        self._processes = processes
        self._as_user: dict[str, Any] = {}
        self._install = postgres_install(self.version)
        self._data = home.folder / f"postgres-{self.version}"
        self._socket = home.sockets / "pg"
        self._copies = home.outside / "site"

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@{str(self._socket).replace('/', '%2F')}/{DATABASE}"

    def start(self) -> Child:
        """Raises DidNotStart."""
        if AS_ROOT:
            self._become_nobody()
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._own(self._socket)
        self._end_leftover()
        child = self._start_server()
        if not self._psql("SELECT 1 FROM pg_database WHERE datname = 'pointkeep'"):
            self._psql("CREATE DATABASE pointkeep")
        return child

    def clear_up(self) -> None:
        """After the stop: nothing of it runs on, and the copies of the binaries go; the next start makes new ones."""
        self._end_orphans()
        shutil.rmtree(self._copies, ignore_errors=True)

    def _become_nobody(self) -> None:
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise Refused("PostgreSQL does not run as root, and there is no user 'nobody' to run it as") from None
        self._as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        if not self._nobody_can([self._bin("postgres"), "--version"]):
            self._copy_binaries()
        if not self._nobody_can(["test", "-x", self._home.folder]):
            self._data = self._home.make_outside() / self._data.name

    def _nobody_can(self, argv: Sequence[str | Path]) -> bool:
        try:
            tried = subprocess.run(argv, capture_output=True, cwd="/", **self._as_user)
        except PermissionError:  # the program itself is out of reach
            return False
        return bool(tried.returncode == 0)

    def _copy_binaries(self) -> None:
        """Copied at each start (a tenth of a second), so they are never older than what is installed."""
        shutil.rmtree(self._copies, ignore_errors=True)
        self._home.make_outside()
        source = self._install.parents[1]
        for name in (f"{POSTGRES_PACKAGE}/{self._install.name}", f"{POSTGRES_PACKAGE}.libs"):
            if (source / name).exists():  # the second holds libraries, on Linux only
                shutil.copytree(source / name, self._copies / name, symlinks=True)
        for path in (self._copies, *self._copies.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        self._install = self._copies / POSTGRES_PACKAGE / self._install.name

    def _initialise(self) -> None:
        """Make the cluster aside and move it: what was cut off half-way is never taken for a whole one."""
        part = self._data.with_name(f"{self._data.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        self._own(part)
        options = ["-U", USER, "--auth=trust", "--encoding=UTF8", *LOCALE[self.version]]
        if not self.durable:
            options.append("--no-sync")
        made = self._run("initdb", "-D", part, *options)
        if made.returncode:
            raise DidNotStart(f"PostgreSQL's initdb failed:\n{made.stdout}{made.stderr}".rstrip())
        part.rename(self._data)

    def _end_leftover(self) -> None:
        """End a server that still answers here, or what is left of one that was killed.

        PostgreSQL takes a lock file for a running server's when its number belongs to any living process by now,
        or to remains that a container's first process does not collect. We hold the home's lock, so nobody else
        can be using these data.
        """
        if self._is_ready() in (0, 1):
            self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")
            return
        self._end_orphans()
        for leftover in (self._data / "postmaster.pid", *self._socket.glob(".s.PGSQL.*")):
            if leftover.suffix != ".pid" or self._number_is_taken(leftover):
                leftover.unlink()

    def _end_orphans(self) -> None:
        """A connection's process outlives a killed server until its query is done, and must not meet a new one."""
        for pid in working_in(self._data):
            kill(pid)

    def _number_is_taken(self, pid_file: Path) -> bool:
        """Otherwise PostgreSQL itself looks after the file."""
        try:
            os.kill(int(pid_file.read_text().split()[0]), 0)
        except PermissionError:
            return True
        except (OSError, ValueError, IndexError):
            return False
        return True

    def _start_server(self) -> Child:
        options: dict[str, object] = {
            "listen_addresses": "",
            "unix_socket_directories": self._socket,
            "unix_socket_permissions": "0700",
            "max_connections": 200,  # workers, pytest's processes, races
            "timezone": "UTC",  # initdb has written the environment's TZ into the configuration
            "log_timezone": "UTC",
            **({} if self.durable else FAST),
        }
        argv = [str(self._bin("postgres")), "-D", str(self._data)]
        argv += [f"--{name}={value}" for name, value in options.items()]
        child = self._processes.start(
            f"PostgreSQL {self.version}",
            argv,
            log=self._home.folder / "postgres.log",
            stop_signal=signal.SIGINT,  # a fast shutdown: SIGTERM would wait for the clients
            grace=5,
            env=self._environment(),
            cwd="/",
            **self._as_user,
        )
        deadline = time.monotonic() + START_SECONDS
        while not child.ended and time.monotonic() < deadline:
            if self._is_ready() == 0:
                return child
            time.sleep(0.05)
        raise DidNotStart(child.obituary())

    def _is_ready(self) -> int:
        """0 it takes connections, 1 not yet, 2 nobody answers."""
        return self._run("pg_isready", "-q", "-h", self._socket).returncode

    def _psql(self, sql: str) -> str:
        done = self._run("psql", "-qAtX", "-h", self._socket, "-U", USER, "-d", "postgres", "-c", sql)
        if done.returncode:
            raise DidNotStart(f"PostgreSQL: {done.stderr.strip()}")
        return done.stdout.strip()

    def _run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._bin(program), *arguments],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd="/",
            **self._as_user,
        )

    def _environment(self) -> dict[str, str]:
        return {**without_libpq(os.environ), "TZ": "UTC"}

    def _bin(self, program: str) -> Path:
        return self._install / "bin" / program

    def _own(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        if self._as_user:
            os.chown(folder, self._as_user["user"], self._as_user["group"])
