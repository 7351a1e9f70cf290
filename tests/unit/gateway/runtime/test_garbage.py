"""The garbage collector while serving: start-up objects are frozen, full collections rare."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from gateway.runtime.garbage import tune_process


@pytest.fixture(autouse=True)
def _process_as_before() -> Iterator[None]:
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


def test_what_is_alive_at_the_start_is_left_out_of_later_collections() -> None:
    before = gc.get_freeze_count()
    tune_process()
    assert gc.get_freeze_count() > before + 10_000


def test_a_full_collection_is_rarer_than_by_default_and_threads_give_way_sooner() -> None:
    young, middle, full = gc.get_threshold()
    interval = sys.getswitchinterval()
    tune_process()
    tuned = gc.get_threshold()
    assert tuned[0] * tuned[1] * tuned[2] > young * max(middle, 1) * max(full, 1)
    assert sys.getswitchinterval() < interval
