"""One run, of one kind of channel: servers of its own, the storm, the calm after it, and the verdict.

Django is set up in the middle, once the servers are there for its settings to name.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from chaos.kinds import Kind, Provider
from chaos.line import Line
from chaos.servers import Servers
from chaos.striking import Strikes
from devstack.errors import DidNotStart
from devstack.home import Home
from devstack.signals import Signals
from devstack.stack import Stack

if TYPE_CHECKING:
    from chaos.clock import Clock
    from chaos.judging import Judgement
    from chaos.stage import Stage

BEHIND = timedelta(days=150)  # where a run's clock begins: longer than what it lets pass
SHORTEST, LONGEST = 9.0, 130.0  # seconds of a storm …
OVERTIME = 60.0  # … and at most so many more, until it has struck enough
LONG = 40.0  # longer than a lease: what a killed worker held can be sent before the end
MEMBERS_A_SECOND = 30
WAVES = 10  # in which members get their points, in the first half of the storm
EVERY = 5.0  # seconds between lines of progress
STARTED = 120.0  # seconds in which the workers must be there
DISCONNECTED = 60.0  # seconds in which the database must have noticed that its clients are gone
SHOWN = 20  # complaints of each sort


@dataclass(slots=True)
class Run:
    """One run. `troubles` are what must not happen and is no message.

    `taken_in_the_storm`: of so many messages the provider had taken one when the last process was killed.
    """

    kind: Kind
    members: int
    seed: int
    folder: Path  # for logs
    say: Callable[[str], None]
    signals: Signals
    troubles: list[str] = field(default_factory=list)
    taken_in_the_storm: int = 0

    def go(self) -> Judgement:
        """The judgement, and `troubles`. Leaves nothing running, whatever happens."""
        with (
            Stack(Home.fresh(), durable=True) as stack,
            self.kind.start(self.seed) as provider,
        ):
            servers = Servers.started(stack)
            self._prepare(stack, provider)
            clock, stage = self._set_the_stage()
            left_behind = self.folder / "tmp"  # what a killed process has in its folder for temporary files stays there
            left_behind.mkdir()
            environ = os.environ | {"TMPDIR": str(left_behind)}
            line = Line(stack.processes, environ, self.folder, provider.web_port)
            strikes = Strikes(line, servers, Random(self.seed), self._seconds())
            self._storm(strikes, stage, clock, provider)
            self.taken_in_the_storm = len(provider.taken)
            self.say(
                f"killed {line.killed_children} children and {line.killed_workers} workers; broker flushed "
                f"{servers.flushed}, paused {servers.paused}, stopped {servers.stopped} times; database restarted "
                f"{servers.restarted} times; {line.ended} processes ended by themselves; provider: {provider.faults}"
            )
            return self._calm(stage, clock, provider)

    def _prepare(self, stack: Stack, provider: Provider) -> None:
        """The environment of all processes of the run, this one included; the tables; Django."""
        environ = {
            **stack.environment(os.environ),
            **provider.environment,
            "CHAOS_CLOCK": str(BEHIND.total_seconds()),
            "CHAOS_LEASE": str(self.kind.lease),
            "DJANGO_SETTINGS_MODULE": "chaos.settings",
            "LOG_LEVEL": "WARNING",
            "PROVIDER_TIMEOUT": "1",
            "SECRET_KEY": "of a run that lives for minutes",
        }
        os.environ.clear()
        os.environ.update(environ)
        self.signals.heed()
        # The system checks run here, too: among others, that a lease is long enough for the time-outs.
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        done = subprocess.run(migrate, capture_output=True, text=True)
        if done.returncode:
            raise DidNotStart(f"manage.py migrate:\n{done.stdout}{done.stderr}".rstrip())
        self.signals.heed()
        import django

        django.setup()

    def _set_the_stage(self) -> tuple[Clock, Stage]:
        from django.db import connections

        from alerts.models.contact import Channel
        from chaos.settings import CLOCK_OF_THE_RUN as clock
        from chaos.stage import set_up

        stage = set_up(channel=Channel(self.kind.channel), members=self.members, now=clock.now())
        connections.close_all()
        self.say(f"{self.members} members with an address; seed {self.seed}")
        return clock, stage

    def _seconds(self) -> float:
        return min(LONGEST, max(SHORTEST, self.members / MEMBERS_A_SECOND))

    def _storm(self, strikes: Strikes, stage: Stage, clock: Clock, provider: Provider) -> None:
        """Points are granted wave by wave, and everything else is struck meanwhile."""
        from django.db import connections

        seconds, granted, next_line = self._seconds(), 0, 0.0
        wave = -(-self.members // WAVES)
        try:
            self._start(strikes.line)
            began = time.monotonic()
            while True:
                self.signals.heed()
                passed = time.monotonic() - began
                if passed > seconds and (self._struck_enough(strikes, provider) or passed > seconds + OVERTIME):
                    break
                strikes.line.start_missing()
                strikes.strike(passed)
                due = min(self.members, wave * (1 + int(2 * WAVES * passed / seconds)))
                if granted < due and stage.grant(granted, due, now=clock.now()):
                    granted = due
                if passed >= next_line:
                    next_line = passed + EVERY
                    self.say(f"{passed:4.0f} s: {granted} members with points, {len(provider.taken)} messages taken")
                connections.close_all()
                time.sleep(0.02)
            strikes.end()
        finally:
            strikes.line.stop()
        if granted < self.members:
            self.troubles.append(f"only {granted} members got their points in the storm")

    def _struck_enough(self, strikes: Strikes, provider: Provider) -> bool:
        """Every kind of strike came and met messages under way: how fast that goes is the machine's affair."""
        wanted = 1 if strikes.seconds < LONG else self.members
        return strikes.all_came and len(provider.taken) >= wanted

    def _start(self, line: Line) -> None:
        """What is killed must be there. Raises DidNotStart."""
        deadline = time.monotonic() + STARTED
        while not line.is_up:
            self.signals.heed()
            line.start_missing()
            if time.monotonic() > deadline:
                raise DidNotStart(f"no workers after {STARTED:.0f} s; their logs are in {self.folder}")
            time.sleep(0.05)

    def _calm(self, stage: Stage, clock: Clock, provider: Provider) -> Judgement:
        """Nobody is killed any more: what is left is done, then weeks pass, and then it is judged."""
        from chaos.settling import pass_time, settle
        from chaos.verdict import calls, verdict

        self._until_disconnected()
        rounds = settle(clock, heed=self.signals.heed)
        after = len(provider.taken) - self.taken_in_the_storm
        self.say(f"nothing is due any more after {rounds} rounds")
        self.say(f"{self.taken_in_the_storm} messages were taken in the storm, {after} after it")
        pass_time(clock, stage.expires_at + timedelta(days=2), heed=self.signals.heed)
        found, findings, expired = verdict(stage, provider.taken, exactly_once=self.kind.exactly_once)
        self.troubles += findings
        self.say(f"calls: {calls()}")
        self.say(f"the points of {expired} members have gone; {found.repeated} messages went out again as they may")
        return found

    def _until_disconnected(self) -> None:
        """What a killed process had asked for last is still being done: nothing is settled before that has ended."""
        from django.db import connection

        deadline = time.monotonic() + DISCONNECTED
        while time.monotonic() < deadline:
            with connection.cursor() as cursor:
                cursor.execute(
                    """SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()
                          AND backend_type = 'client backend'"""
                )
                row = cursor.fetchone()
            if row and not row[0]:
                return
            time.sleep(0.05)
        self.troubles.append("connections of killed processes are still open")
