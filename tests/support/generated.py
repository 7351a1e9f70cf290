"""Settings of generated tests: without deadlines, since only failures count."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: For tests in which one gateway serves all examples: it must survive them all.
ONE_FOR_ALL = settings(
    PATIENT,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
