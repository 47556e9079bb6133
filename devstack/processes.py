"""Starting processes in order, ending them backwards, and ending what a kill -9 has left behind.

Every process gets a session of its own: Ctrl-C in a terminal then reaches only the supervisor, which stops the
others one after another. Where the system can (Linux), the kernel ends them when the supervisor dies. A record
of what was started lies in the home, so the next start ends what is left in any case; a number alone is not
trusted there, because it may belong to an innocent process by then.

Start from the main thread only: the kernel counts the death of the thread that started a process.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1


def die_with_parent(signum: int) -> None:
    """Ask the kernel to send this process `signum` when its parent dies. Does nothing where that is unknown."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signum)


def _before_exec(signum: int) -> Callable[[], None]:
    supervisor = os.getpid()

    def prepare() -> None:
        die_with_parent(signum)
        if os.getppid() != supervisor:  # it died before we could ask
            os._exit(1)

    return prepare


def born(pid: int) -> str | None:
    """When the process of this number started; None when there is none, or only its remains."""
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] == b"Z" else fields[19].decode()
    found = subprocess.run(["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True)
    state, _, started = found.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def working_in(folder: Path) -> list[int]:
    """The processes whose current folder this is, where the system tells (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):  # gone by now, or not ours to look at
            if entry.readlink() == folder:
                found.append(int(entry.parent.name))
    return found


def kill(pid: int) -> None:
    """End a process that is not our child, at once, and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while born(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def _private(path: str, flags: int) -> int:
    """For logs: the story's output holds passwords, and the home of root may be entered by others."""
    return os.open(path, flags, 0o600)


def kill_group(pid: int) -> None:
    """End what is left of a process's group, at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


@dataclass
class Child:
    """A process that was started here. `grace` is how many seconds it may take to stop when asked."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None
    stop_signal: int
    grace: float

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def stop(self) -> None:
        if not self.ended:
            self.process.send_signal(self.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(self.grace)
        kill_group(self.process.pid)
        self.process.wait()

    def output(self) -> str:
        """What its log holds so far."""
        return self.log.read_text(errors="replace") if self.log is not None and self.log.exists() else ""

    def tail(self, lines: int = 25) -> str:
        """The end of the log, for a message about what went wrong."""
        return "\n".join(self.output().splitlines()[-lines:])

    def obituary(self) -> str:
        code = self.process.poll()
        how = "ended" if code is None else signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"{self.name}: {how}; the end of {self.log}:\n{self.tail()}"


class Processes:
    """What one supervisor has started, in order."""

    def __init__(self, record: Path | None) -> None:
        self.record = record
        self.children: list[Child] = []

    def start(
        self,
        name: str,
        argv: Sequence[str | os.PathLike[str]],
        *,
        log: Path | None,
        env: Mapping[str, str] | None = None,
        stop_signal: int = signal.SIGTERM,
        grace: float = 3,
        **options: Any,
    ) -> Child:
        """Start a process whose output goes to `log`, or to where ours goes when that is None."""
        with contextlib.ExitStack() as files:
            if log is not None:
                out = files.enter_context(open(log, "wb", opener=_private))
                options |= {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": options.get("stderr", out)}
            process = subprocess.Popen(
                argv, env=env, start_new_session=True, preexec_fn=_before_exec(stop_signal), **options
            )
        child = Child(name, process, log, stop_signal, grace)
        self.children.append(child)
        self._write_down(child)
        return child

    def forget(self, child: Child) -> None:
        """Leave a process that has ended out of the watch."""
        self.children.remove(child)

    def first_ended(self) -> Child | None:
        return next((child for child in self.children if child.ended), None)

    def stop(self) -> None:
        """End everything, in the opposite order of starting."""
        while self.children:
            self.children[-1].stop()
            self.children.pop()
        if self.record is not None:
            self.record.unlink(missing_ok=True)

    def _write_down(self, child: Child) -> None:
        if self.record is None:
            return
        entry = {"pid": child.process.pid, "born": born(child.process.pid), "stop": int(child.stop_signal)}
        with open(self.record, "a") as record:
            record.write(json.dumps(entry) + "\n")


def end_leftovers(record: Path, *, grace: float = 5) -> None:
    """End the processes of a record whose supervisor is dead. The caller holds the home's lock."""
    if not record.exists():
        return
    for entry in reversed(list(_entries(record.read_text().splitlines()))):
        _end_leftover(entry["pid"], entry["born"], entry["stop"], grace)
    record.unlink()


def _entries(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        with contextlib.suppress(ValueError):  # the supervisor may have died while it wrote
            yield json.loads(line)


def _end_leftover(pid: int, was_born: str | None, stop_signal: int, grace: float) -> None:
    def is_there() -> bool:
        return was_born is not None and born(pid) == was_born

    with contextlib.suppress(ProcessLookupError, PermissionError):
        if is_there():
            os.kill(pid, stop_signal)
        deadline = time.monotonic() + grace
        while is_there() and time.monotonic() < deadline:
            time.sleep(0.05)
        if is_there():
            kill_group(pid)
