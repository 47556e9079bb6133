"""`manage.py alerts_status`: how the alerting line stands, for people; the same gauges are at /metrics. Below them
stand the newest decisions about held plans, with who made them and why, which /metrics does not show."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from alerts.duty import unreached
from alerts.models import PlanHold
from alerts.planning import blast
from alerts.watch import gauges
from alerts.watch.gauges import NEVER, Sample


class Command(BaseCommand):
    help = "Show the gauges of the alerting line, each with a verdict: ok or look. Exit code 1 when one says look."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines; never: null")

    def handle(self, *args: Any, **options: Any) -> None:
        read = unreached.all_gauges(now=timezone.now())
        if options["json"]:
            lines = [
                {"gauge": gauge.name, **_as_json(sample), "means": gauge.means}
                for gauge in read
                for sample in gauge.samples
            ]
            look = gauges.needs_a_look(read)
            plans = [_plan_as_json(hold) for hold in blast.decided_lately()]
            found = {"verdict": "look" if look else "ok", "lines": lines, "plans_decided": plans}
            self.stdout.write(json.dumps(found, indent=2))
        else:
            for gauge in read:
                for sample in gauge.samples:
                    self.stdout.write(_as_line(gauge.name, sample))
            for hold in blast.decided_lately():
                self.stdout.write(_plan_as_line(hold))
        if gauges.needs_a_look(read):
            sys.exit(1)


def _as_json(sample: Sample) -> dict[str, object]:
    return {
        "labels": sample.labels,
        "value": None if sample.value == NEVER else sample.value,
        "most": None if sample.most == math.inf else sample.most,
        "verdict": _verdict(sample),
    }


def _as_line(name: str, sample: Sample) -> str:
    labels = " ".join(sample.labels.values())
    value = "never" if sample.value == NEVER else f"{sample.value:.0f}"
    most = "" if sample.most == math.inf else f" (at most {sample.most:.0f})"
    return f"{_verdict(sample):<4}  {name:<34}  {labels:<22}  {value:>8}{most}".rstrip()


def _plan_as_json(hold: PlanHold) -> dict[str, object]:
    return {
        "programme": hold.programme.code,
        "day": hold.day.isoformat(),
        "let_go": hold.let_go,
        "by": hold.decided_by,
        "why": hold.why,
    }


def _plan_as_line(hold: PlanHold) -> str:
    decided = "let go" if hold.let_go else "refused"
    return f"note  plan of {hold.programme.code} for {hold.day} was {decided} by {hold.decided_by}: {hold.why or '–'}"


def _verdict(sample: Sample) -> str:
    return "ok" if sample.ok else "look"
