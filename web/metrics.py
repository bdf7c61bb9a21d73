"""Figures for Prometheus, in a registry of the application's own."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SWITCHED = 101


class Metrics:
    """Counts requests; asks the centre for the rest when somebody looks."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "xunkao_http_requests",
            "Requests answered, by route.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "xunkao_http_seconds",
            "How long answers took.",
            ("route",),
            buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
            registry=self._registry,
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request by the route's pattern, never by the address itself."""
        self._requests.labels(method, route, str(status)).inc()
        if status != _SWITCHED:  # a WebSocket's length says nothing of how quick we are
            self._seconds.labels(route).observe(seconds)

    def page(self, gauges: Iterable[tuple[str, str, float]]) -> bytes:
        """Give the exposition: our counters, and gauges as (name, help, value)."""
        now = CollectorRegistry()
        now.register(_Snapshot(tuple(gauges)))
        return generate_latest(self._registry) + generate_latest(now)


class _Snapshot(Collector):
    def __init__(self, gauges: tuple[tuple[str, str, float], ...]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        for name, says, value in self._gauges:
            yield GaugeMetricFamily(name, says, value=value)
