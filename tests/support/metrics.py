"""The value of a metric, as ``/metrics`` shows it."""

from __future__ import annotations

from prometheus_client import Counter, Gauge


def value_of(metric: Counter | Gauge, *labels: str) -> float:
    """Return the value of ``metric``, for ``labels`` where it has some."""
    child = metric.labels(*labels) if labels else metric
    (family,) = child.collect()
    (value,) = (sample.value for sample in family.samples if not sample.name.endswith("_created"))
    return value
