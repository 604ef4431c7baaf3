"""What Prometheus can ask for. No label ever holds a name, an address, a token or a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[str, str, dict[str, str], float]


class Metrics(Collector):
    """A registry of its own, read from plain counters when asked: counting costs the hot path nothing."""

    def __init__(self, read: Callable[[], Iterable[Sample]]) -> None:
        """`read` gives (name, help, labels, value); names that end in `_total` are counters."""
        self._read = read
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """See prometheus_client."""
        families: dict[str, Metric] = {}
        for name, text, labels, value in self._read():
            family = families.get(name)
            if family is None:
                kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
                family = families[name] = kind(name, text, labels=list(labels))
            family.add_metric(list(labels.values()), value)  # type: ignore[attr-defined]
        return families.values()

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)
