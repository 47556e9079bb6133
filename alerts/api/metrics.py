"""The gauges in Prometheus's text format: /metrics, for whoever holds METRICS_TOKEN.

Source: "Exposition formats" and "Metric and label naming" of prometheus.io. Nothing is kept from one question to the
next, so that every web process says the same.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from alerts.duty import unreached
from alerts.watch.gauges import Gauge

PREFIX = "pointkeep_"


class _Read(Collector):
    """Gauges that were read, as a registry wants them."""

    def __init__(self, read: list[Gauge]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        for gauge in self._read:
            metric = Metric(PREFIX + gauge.name, gauge.means, "gauge")
            for sample in gauge.samples:
                metric.add_sample(PREFIX + gauge.name, sample.labels, sample.value)
            yield metric


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """All gauges as they stand now. 404 without METRICS_TOKEN in the settings, 401 without the same in the request."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    if scheme.casefold() != "bearer" or not same:
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Read(unreached.all_gauges(now=timezone.now())))
    answer = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    answer["Cache-Control"] = "no-store"
    return answer
