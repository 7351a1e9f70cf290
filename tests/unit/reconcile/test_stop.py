"""Stopping a run by signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from reconcile.stop import RunStopped, StopRequest, stopped_by_signals


def test_a_run_goes_on_until_it_is_to_stop() -> None:
    request = StopRequest()
    request.check()
    request.stop("it was told to")
    request.stop("and told again")
    with pytest.raises(RunStopped, match=r"^it was told to$"):
        request.check()


def test_whoever_waits_is_woken() -> None:
    request = StopRequest()
    request.wait(0)
    request.stop("it was told to")
    with pytest.raises(RunStopped):
        request.wait(3600)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_at_the_next_boundary(number: signal.Signals) -> None:
    request, before = StopRequest(), signal.getsignal(number)
    with stopped_by_signals(request):
        os.kill(os.getpid(), number)
        with pytest.raises(RunStopped, match=number.name):
            request.wait(3600)
    assert signal.getsignal(number) is before


TWICE = """
import os, signal
from reconcile.stop import StopRequest, stopped_by_signals
with stopped_by_signals(StopRequest()):
    os.kill(os.getpid(), signal.SIGTERM)
    print("goes on", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()
"""


def test_a_second_signal_ends_the_process() -> None:
    result = subprocess.run(
        [sys.executable, "-c", TWICE], capture_output=True, text=True, check=False
    )
    assert (result.stdout, result.returncode) == ("goes on\n", -signal.SIGTERM)
