"""The supervisor of the demo: python -m devstack.demo [--home DIR] [--port PORT]

Starts everything in order, says where it is, and keeps watch. A signal, or a process that dies, ends all of it,
in the opposite order. The data stay in the home. Servers named by DATABASE_URL and REDIS_URL are used as they are.
"""

import argparse
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from devstack import services
from devstack.errors import DidNotStart, exit_code_of
from devstack.home import Home, sweep
from devstack.ports import HOST, any_free, listen_from, read_port
from devstack.processes import Child, die_with_parent
from devstack.signals import Signals
from devstack.stack import DATABASE_URL, REDIS_URL, Stack, missing

HOME = Path(".data/demo")
PORT = "8000"
UP_SECONDS = 60
PATIENCE = 25  # seconds
SIGN_INS = ("member:", "admin:")


def say(text: str, end: str = "\n") -> None:
    """Print at once. A reader that went away, or a terminal that was closed, must not stop the stopping."""
    with contextlib.suppress(OSError):
        print(text, end=end, flush=True)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """One line of progress: its name at once, its duration when it is done."""
    say(f"  {title:<22}", end="")
    started = time.monotonic()
    try:
        yield
    except BaseException:
        say("")
        raise
    say(f"{time.monotonic() - started:6.1f} s")


class Demo:
    def __init__(self, stack: Stack, signals: Signals) -> None:
        self.stack = stack
        self.home = stack.home.folder
        self.signals = signals
        self.environ: dict[str, str] = dict(os.environ)
        self.sign_ins: list[str] = []

    def start(self, listener: socket.socket) -> None:
        """Raises DidNotStart, Interrupted."""
        self._start_servers()
        mail_port = any_free()
        with step("Mail"):
            child = self._launch(services.mail_sink(mail_port, self.home / "mail"))
            self._wait(child, lambda: services.takes_mail(mail_port))
        base, port = self.stack.environment(os.environ), listener.getsockname()[1]
        self.environ = services.environment(base, home=self.home, port=port, mail_port=mail_port)
        services.write_environment(self.home / "env", self.environ)
        with step("Tables"):
            self._manage("migrate", "--verbosity=1")
        with step("Story"):
            self._tell_story()
        with step("Web"):
            child = self._launch(services.web(listener), pass_fds=(listener.fileno(),))
            listener.close()
            self._wait(child, lambda: services.is_healthy(port))
        with step("Worker and beat"):
            started = [(service, self._launch(service)) for service in (services.worker(), services.beat(self.home))]
            for service, child in started:
                self._wait(child, partial(_has_said, child, service.up_line))

    def watch(self) -> int:
        """Until a signal comes (0) or a process dies (1)."""
        while self.signals.first is None:
            dead = self.stack.processes.first_ended()
            if dead is not None:
                say(f"Stopping, because of {dead.obituary()}")
                return 1
            time.sleep(0.2)
        return 0

    def _start_servers(self) -> None:
        needed = missing(os.environ)
        for name, title in ((DATABASE_URL, "PostgreSQL"), (REDIS_URL, "Valkey")):
            if name not in needed:
                say(f"  {title:<22}yours ({name})")
                continue
            self.signals.heed()
            with step(title):
                self.stack.start(name)

    def _tell_story(self) -> None:
        lines = self._manage("demo_story").splitlines()
        self.sign_ins = [line for line in lines if line.startswith(SIGN_INS)]
        for start in SIGN_INS:
            if not any(line.startswith(start) for line in self.sign_ins):
                raise DidNotStart(f"demo_story did not print a line that starts with {start!r}")

    def _manage(self, command: str, *arguments: str) -> str:
        """What a management command prints. Its errors go to its log."""
        argv = [services.PYTHON, "manage.py", command, *arguments]
        log, errors = self.home / f"{command}.log", self.home / f"{command}.errors.log"
        self.signals.heed()
        with open(errors, "wb") as stderr:
            child = self.stack.processes.start(f"manage.py {command}", argv, log=log, env=self.environ, stderr=stderr)
        while not child.ended:
            self.signals.heed()
            time.sleep(0.05)
        if child.process.returncode:
            child.log = errors if errors.stat().st_size else log
            raise DidNotStart(child.obituary())
        self.stack.processes.forget(child)
        return log.read_text(errors="replace")

    def _launch(self, service: services.Service, pass_fds: tuple[int, ...] = ()) -> Child:
        self.signals.heed()
        return self.stack.processes.start(
            service.name,
            service.argv,
            log=self.home / f"{service.name.lower()}.log",
            env=self.environ,
            grace=service.grace,
            pass_fds=pass_fds,
        )

    def _wait(self, child: Child, is_up: Callable[[], bool]) -> None:
        deadline = time.monotonic() + UP_SECONDS
        while not is_up():
            self.signals.heed()
            dead = self.stack.processes.first_ended()
            if dead is not None:
                raise DidNotStart(dead.obituary())
            if time.monotonic() > deadline:
                raise DidNotStart(f"not ready after {UP_SECONDS} s; {child.obituary()}")
            time.sleep(0.05)


def main() -> int:
    options = _options()
    if options.with_parent:
        die_with_parent(signal.SIGTERM)
    signals = Signals()
    wanted = read_port(options.port)
    sweep()
    home = Home(options.home, keep_waiting=patience(signals))
    started = time.monotonic()
    with Stack(home, durable=True) as stack:
        listener = listen_from(wanted)
        port = listener.getsockname()[1]
        say(f"Starting the demo; data and logs are in {options.home}")
        if port != wanted:
            say(f"  port {wanted} is busy, taking {port}")
        demo = Demo(stack, signals)
        try:
            demo.start(listener)
            _say_ready(demo, port, time.monotonic() - started)
            return demo.watch()
        finally:
            (home.folder / "env").unlink(missing_ok=True)
            home.address.unlink(missing_ok=True)  # a next start sees that this one is on its way out, and waits
            say("Stopping ...", end=" ")
            started = time.monotonic()
            stack.stop()
            say(f"stopped in {time.monotonic() - started:.1f} s")


def patience(signals: Signals) -> Callable[[], bool]:
    """For a demo of this folder that has no address yet, or no more: it is starting or stopping."""
    deadline = time.monotonic() + PATIENCE

    def keep_waiting() -> bool:
        signals.heed()
        return time.monotonic() < deadline

    return keep_waiting


def _has_said(child: Child, text: str) -> bool:
    return text in child.output()


def _say_ready(demo: Demo, port: int, seconds: float) -> None:
    address = f"http://{HOST}:{port}/"
    demo.stack.home.address.write_text(address)
    say(f"Up in {seconds:.1f} s. Ctrl-C stops it, the data stay; 'make demo-reset' starts over.")
    say(f"READY {address}")
    for line in demo.sign_ins:
        say(line)
    say(f"inbox: {address}inbox/")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devstack.demo", description="Run the demo until it is stopped.")
    parser.add_argument("--home", type=Path, default=HOME, help=f"the folder of its data (default {HOME})")
    parser.add_argument("--port", default=os.environ.get("PORT") or PORT, help=f"default $PORT, or {PORT}")
    parser.add_argument("--with-parent", action="store_true", help="stop when the process that started this dies")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
