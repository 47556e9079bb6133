"""How the alerting line stands, in numbers. Health is the age of the oldest row that is due, not a live process.

Each look is a statement or two that reads an index and stops at MOST rows, so that it costs little with millions of
deliveries. Finished ones are therefore counted over the last hour only, never over all time. A gauge holds its own
threshold: the endpoint shows them to Prometheus and `manage.py alerts_status` to people, and both read the same list.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from alerts.models import PlanHold, TellingRules, Tick, Transport
from alerts.models.delivery import Status
from alerts.watch import counting
from alerts.watch.counting import MOST, Line
from alerts.watch.ticks import periods

OPEN = (Status.PENDING, Status.CLAIMED, Status.SENDING, Status.UNKNOWN)

# The thresholds. The first wait after a failure is half a minute and the longest of a breaker twelve minutes.
LONGEST_DUE = timedelta(minutes=15)
LONGEST_UNKNOWN = timedelta(hours=1)  # what can be looked up is decided within minutes
LONGEST_UNMATCHED = timedelta(hours=1)  # a report can come before its delivery's own answer was written down
LONGEST_HELD = timedelta(0)  # a held plan always waits for a person
MISSED_TICKS = 3  # so many periods, and never less than QUIET_TICK: a worker that restarts is no reason to look
QUIET_TICK = timedelta(minutes=10)
NEVER = math.inf  # what has not happened is infinitely long ago: every threshold on an age finds it


@dataclass(frozen=True, slots=True)
class Sample:
    """One number, in the unit that the gauge's name ends with. More than `most` needs somebody to look."""

    value: float
    most: float = math.inf
    labels: dict[str, str] = field(default_factory=dict)  # names of transports, states and ticks; nothing personal

    @property
    def ok(self) -> bool:
        return self.value <= self.most


@dataclass(frozen=True, slots=True)
class Gauge:
    """Numbers of one kind. `name` as Prometheus wants it, ending in its unit; `means` says it in a sentence."""

    name: str
    means: str
    samples: list[Sample]


def read(*, now: datetime) -> list[Gauge]:
    """All gauges at `now`: a score of short statements, each bounded."""
    line = Line(now)
    return [
        *_due(line),
        *_deliveries(line),
        *_outcomes(line),
        *_ticks(now),
        _to_arrive(line),
        *_switches(now),
        *_waiting(line),
    ]


def needs_a_look(gauges: list[Gauge]) -> bool:
    """Whether any number is beyond its threshold."""
    return not all(sample.ok for gauge in gauges for sample in gauge.samples)


def _carried() -> dict[str, list[str]]:
    """The channels that each transport carries by now, as the settings say."""
    carried: dict[str, list[str]] = {}
    for channel, transport in settings.TRANSPORTS.items():
        carried.setdefault(transport, []).append(channel)
    return carried


def _due(line: Line) -> Iterator[Gauge]:
    """The ages of what waits to be sent, and of reminders that wait for their messages."""
    ages = line.oldest_due()
    carried = _carried()
    for name, stopped, most, what in (
        ("oldest_due_seconds", False, LONGEST_DUE.total_seconds(), "that nobody has stopped"),
        ("oldest_stopped_seconds", True, math.inf, "that waits because a person stopped its programme or transport"),
    ):
        yield Gauge(
            name,
            f"Age of the oldest due delivery {what}, in seconds; 0: there is none. With more than {MOST} due, that of "
            f"a transport which is not among the oldest {MOST} is at most what is shown.",
            [
                Sample(max(ages[channel, stopped] for channel in channels), most, {"transport": transport})
                for transport, channels in sorted(carried.items())
            ],
        )
    yield Gauge(
        "oldest_to_fan_out_seconds",
        "Age of the oldest due reminder of which no deliveries were made yet, in seconds; 0: there is none.",
        [Sample(line.oldest_to_fan_out(), LONGEST_DUE.total_seconds())],
    )


def _deliveries(line: Line) -> Iterator[Gauge]:
    """How many there are in each state: of the open ones all, of the finished ones those of the last hour."""
    yield Gauge(
        "deliveries_open",
        f"Deliveries that are not finished, by transport and state; counted up to {MOST} in each state.",
        _by_transport(line.open_by_state(), [status.value for status in OPEN]),
    )
    yield Gauge(
        "deliveries_finished_recently",
        "Deliveries that were finished in the last hour, by transport and state: what a provider took by when it was "
        f"accepted, what came back by when that was known, the others by when they were last due; counted up to {MOST} "
        "at each of these, the newest.",
        _by_transport(line.finished_by_state(), [status.value for status in Status if status not in OPEN]),
    )


def _by_transport(counts: dict[tuple[str, str], int], states: list[str]) -> list[Sample]:
    """Every state of every transport in use, also the empty ones: a series that comes and goes cannot be watched."""
    transports = sorted(_carried().keys() | {transport for transport, _ in counts})
    return [
        Sample(counts.get((transport, state), 0), labels={"transport": transport, "state": state})
        for transport in transports
        for state in states
    ]


def _outcomes(line: Line) -> Iterator[Gauge]:
    """What nobody knows: outcomes that were noted as unknown, and calls from which no worker came back."""
    unknown, for_a_person = line.unknown(by_a_person=False), line.unknown(by_a_person=True)
    uncertain = line.uncertain()
    said = f"counted up to {MOST}"
    oldest = "Age of the oldest of them since its last call, in seconds; 0: there is none."
    longest = LONGEST_UNKNOWN.total_seconds()
    yield Gauge("outcomes_unknown", f"Unknown outcomes that the clock decides; {said}.", [Sample(unknown.count)])
    yield Gauge("outcomes_unknown_oldest_seconds", oldest, [Sample(unknown.oldest, longest)])
    yield Gauge(
        "outcomes_for_a_person",
        f"Unknown outcomes that only a person can find out; {said}.",
        [Sample(for_a_person.count, 0)],
    )
    yield Gauge("outcomes_for_a_person_oldest_seconds", oldest, [Sample(for_a_person.oldest)])
    yield Gauge(
        "outcomes_uncertain",
        f"Calls whose lease ran out and that nobody has reaped yet: they may have been sent; {said}.",
        [Sample(uncertain.count)],
    )
    yield Gauge(
        "outcomes_uncertain_oldest_seconds",
        "Time since the oldest of those leases ran out, in seconds; 0: there is none.",
        [Sample(uncertain.oldest, QUIET_TICK.total_seconds())],
    )


def _ticks(now: datetime) -> Iterator[Gauge]:
    """How long ago each tick of the clock began and ended, also those that never did."""
    rows = {tick.name: tick for tick in Tick.objects.all()[:MOST]}
    began, ended = [], []
    for name, period in periods().items():
        labels = {"tick": name}
        row = rows.get(name)
        most = max(MISSED_TICKS * period, QUIET_TICK.total_seconds())
        began.append(Sample(_age(row.began_at if row else None, now), most, labels))
        ended.append(Sample(_age(row.ended_at if row else None, now), most, labels))
    yield Gauge("tick_began_seconds", "Time since the tick last began, in seconds; +Inf: it never did.", began)
    yield Gauge("tick_ended_seconds", "Time since the tick last ended well, in seconds; +Inf: it never did.", ended)


def _to_arrive(line: Line) -> Gauge:
    """From acceptance to delivery, where providers report it."""
    samples = []
    for transport, channels in sorted(_carried().items()):
        times = line.to_arrive(channels)
        for quantile, seconds in zip(("0.5", "0.95"), times, strict=False):
            samples.append(Sample(seconds, labels={"transport": transport, "quantile": quantile}))
    return Gauge(
        "acceptance_to_delivery_seconds",
        f"Seconds from acceptance to delivery of what was accepted in the last day and has arrived (the newest {MOST} "
        "of a transport); nothing where providers reported nothing.",
        samples,
    )


def _switches(now: datetime) -> Iterator[Gauge]:
    """What is not tried for now: after failures, at the provider's wish, or because a person stopped it."""
    rows = {row.name: row for row in Transport.objects.order_by("name")[:MOST]}
    names = sorted(_carried().keys() | rows.keys())
    left_alone = {name: row for name, row in rows.items() if row.open_until and row.open_until > now}
    opened = {name for name, row in left_alone.items() if row.failures}
    stopped = {name for name, row in rows.items() if row.stopped_at}
    for gauge, which, most, what in (
        ("breaker_open", opened, 0, "its calls failed"),
        # It ends by itself within minutes; where it goes on and on, the oldest due delivery grows too old.
        ("transport_resting", left_alone.keys() - opened, math.inf, "its provider asked for it: too much was sent"),
        ("transport_stopped", stopped, 0, "a person stopped it"),
    ):
        samples = [Sample(float(name in which), most, {"transport": name}) for name in names]
        yield Gauge(gauge, f"1 while the transport is left alone because {what}, else 0.", samples)
    programmes = TellingRules.objects.exclude(stopped_at=None)[:MOST].count()
    yield Gauge("programmes_stopped", "Programmes whose telling a person stopped.", [Sample(programmes, 0)])


def _waiting(line: Line) -> Iterator[Gauge]:
    """What waits for a person, or for somebody to be told."""
    held = PlanHold.objects.filter(decided_at=None).order_by("made_at")
    first = held.first()
    yield Gauge("plans_held", "Plans far above the usual that wait for a decision.", [Sample(held[:MOST].count(), 0)])
    yield Gauge(
        "plans_held_oldest_seconds",
        "Age of the oldest of them, in seconds; 0: there is none.",
        [Sample(_age(first.made_at, line.now) if first else 0, LONGEST_HELD.total_seconds())],
    )
    yield Gauge(
        "deliveries_given_up",
        "Deliveries that were tried as often as we try, whose date is still ahead, and that a person can send again: "
        "the points are there, and no other message of their reminder took their place; among the newest "
        f"{MOST} given up.",
        [Sample(line.given_up(), 0)],
    )
    near, past = line.untold()
    yield Gauge(
        "untold_lots",
        f"Lots under a notice duty of which nobody was told: near: their date comes within {counting.NEAR.days} days; "
        f"past: it has gone by, and the gate keeps them; counted up to {MOST}.",
        [Sample(near, 0, {"date": "near"}), Sample(past, labels={"date": "past"})],
    )
    events = line.unmatched()
    yield Gauge(
        "events_unmatched",
        f"Reports of providers that are matched to no delivery yet; counted up to {MOST}.",
        [Sample(events.count)],
    )
    yield Gauge(
        "events_unmatched_oldest_seconds",
        "Age of the oldest of them, in seconds; 0: there is none.",
        [Sample(events.oldest, LONGEST_UNMATCHED.total_seconds())],
    )


def _age(at: datetime | None, now: datetime) -> float:
    return NEVER if at is None else max(0.0, (now - at).total_seconds())
