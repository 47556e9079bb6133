"""The fake provider of `alerts/fakes`, in a thread of the run: its faults, its journal, and its reports to our web."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from django.utils import timezone

from alerts.fakes.hooks import Posting, Secrets, Sender
from alerts.fakes.journal import Journal
from alerts.fakes.server import FakeProvider
from devstack.ports import HOST, any_free

SHARES = {"503": 0.05, "drop": 0.02}  # of all calls: turned away; taken without an answer
WAYS = ("doubled", "reordered")  # how it reports
SIGNED = "of a run that lives for minutes"


class JournalOfTheRun(Journal):
    """Its keys grow old by the run's clock: the line believes that it has waited for hours when that clock leaps."""

    def use_key(self, provider: str, key: str, *, now: datetime, kept: timedelta) -> bool:
        return super().use_key(provider, key, now=timezone.now(), kept=kept)


class Fake:
    """Use as a context manager. `environment` is of the transport; `{url}` in it is where the fake listens."""

    def __init__(self, environment: Mapping[str, str], seed: int) -> None:
        self.web_port = any_free()
        secrets = Secrets(solapi=SIGNED, nhn=SIGNED)
        self._posting = Posting(Sender(f"http://{HOST}:{self.web_port}", secrets), WAYS, seed=seed)
        self._fake = FakeProvider(shares=SHARES, seed=seed, posting=self._posting)
        self._fake.journal = JournalOfTheRun(then=self._posting.add)
        self.environment = {name: value.format(url=self._fake.url) for name, value in environment.items()}

    @property
    def taken(self) -> Counter[str]:
        return Counter(message.key for message in self._fake.journal.all())

    @property
    def faults(self) -> str:
        return f"{self._posting.posted} reports came through and {self._posting.refused} did not"

    def __enter__(self) -> Self:
        self._fake.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._fake.stop()
