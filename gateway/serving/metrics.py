"""What operators read of a server, in the format of Prometheus: requests, sockets, and the session behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.serving.venue import Venue

BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
ROUTES_MAX = 300
"""So many routes have figures of their own; further ones share theirs."""

UNKNOWN, OTHER = "unknown", "other"
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The figures of one server, in a registry of its own."""

    def __init__(self, venue: Venue, dropped: Callable[[], int] = lambda: 0) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter("ringfence_requests", "Requests answered.", ["route", "code"], registry=registry)
        self._seconds = Histogram(
            "ringfence_request_seconds", "How long an answer took.", ["route"], buckets=BUCKETS, registry=registry
        )
        self.sockets = Gauge("ringfence_websockets", "WebSockets that are open.", registry=registry)
        self.in_flight = Gauge("ringfence_requests_in_flight", "Requests under way.", registry=registry)
        self.overloads = Counter("ringfence_overloads", "Requests refused for now (503).", registry=registry)
        self.failures = Counter("ringfence_failures", "Requests that met a defect.", registry=registry)
        self._routes: dict[str, Any] = {}
        self._codes: dict[tuple[str, int], Any] = {}
        registry.register(_OfSession(venue, dropped))

    def answered(self, route: str, code: int, seconds: float) -> None:
        """Count a request; route is as long as it is one that is known, and not whatever somebody asked for."""
        if code == 404:
            route = UNKNOWN
        elif route not in self._routes and len(self._routes) >= ROUTES_MAX:
            route = OTHER
        timed = self._routes.get(route)
        if timed is None:
            timed = self._routes[route] = self._seconds.labels(route)
        timed.observe(seconds)
        counted = self._codes.get((route, code))
        if counted is None:
            counted = self._codes[route, code] = self._requests.labels(route, code)
        counted.inc()

    def text(self) -> bytes:
        """All of it."""
        return generate_latest(self._registry)


class _OfSession(Collector):
    """Figures that are there anyhow, and read when somebody asks."""

    def __init__(self, venue: Venue, dropped: Callable[[], int]) -> None:
        self._venue = venue
        self._dropped = dropped

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """What the session says."""
        state, durable = self._venue.state, self._venue.durable
        yield CounterMetricFamily("ringfence_commands", "Commands decided (batches).", value=state.batch)
        yield CounterMetricFamily("ringfence_records", "Records decided.", value=state.seq)
        yield GaugeMetricFamily(
            "ringfence_durable_lag_records", "Records decided and not yet durable.", value=state.seq - durable.seq
        )
        yield GaugeMetricFamily("ringfence_commands_waiting", "Commands that wait to be durable.", self._venue.waiting)
        yield CounterMetricFamily(
            "ringfence_dropped_readers", "WebSockets closed for reading too slowly.",
            value=self._dropped(),
        )  # fmt: skip
