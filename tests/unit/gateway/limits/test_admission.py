"""Admission: the number of requests in flight, and that each place is released."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from prometheus_client import REGISTRY

from gateway.errors import GatewayError
from gateway.limits.admission import Admission


class Processor:
    """A processor that has worked for as long as a test says."""

    def __init__(self) -> None:
        self.worked = 0.0

    def __call__(self) -> float:
        return self.worked


@pytest.fixture
def processor() -> Processor:
    return Processor()


@pytest.fixture
def admission(processor: Processor) -> Admission:
    return Admission(8, 3.0, processor)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _fill(admission: Admission, stack: ExitStack, client: str | None, times: int) -> None:
    for _ in range(times):
        stack.enter_context(admission.admit(client))


def _busy(admission: Admission, client: str | None) -> GatewayError:
    with pytest.raises(GatewayError) as excinfo, admission.admit(client):
        pass
    assert (excinfo.value.code.name, excinfo.value.code.status) == ("GATEWAY_BUSY", 503)
    return excinfo.value


def _serve(admission: Admission, processor: Processor, seconds: float, times: int = 500) -> None:
    """Let the processor work so long for each of many requests."""
    for _ in range(times):
        with admission.admit("earlier"):
            processor.worked += seconds


def test_one_client_has_half_of_the_places_and_others_the_rest(
    admission: Admission, stack: ExitStack
) -> None:
    _fill(admission, stack, "a", 4)
    _busy(admission, "a")
    _fill(admission, stack, None, 4)
    assert admission.in_flight == 8
    assert _busy(admission, "b").headers == {"Retry-After": "1"}


def test_a_gateway_with_one_place_lets_one_in(stack: ExitStack) -> None:
    admission = Admission(1, 3.0)
    _fill(admission, stack, "a", 1)
    _busy(admission, "b")


def test_places_are_free_again_afterwards(admission: Admission) -> None:
    for _ in range(3):
        with ExitStack() as stack:
            _fill(admission, stack, "a", 4)
            _fill(admission, stack, "b", 4)
            _busy(admission, "c")
        assert admission.in_flight == 0


def test_an_error_gives_the_place_back(admission: Admission) -> None:
    for _ in range(20):
        with pytest.raises(ZeroDivisionError), admission.admit("a"):
            raise ZeroDivisionError
    assert admission.in_flight == 0


def test_a_place_that_is_given_back_before_the_end_is_given_back_once(
    admission: Admission,
) -> None:
    with admission.admit("a"), admission.admit("a") as place:
        place.give_back()
        place.give_back()
        assert admission.in_flight == 1
    assert admission.in_flight == 0


def test_a_refusal_takes_no_place(admission: Admission, stack: ExitStack) -> None:
    _fill(admission, stack, "a", 4)
    for _ in range(20):
        _busy(admission, "a")
    assert admission.in_flight == 4
    _fill(admission, stack, "b", 4)


async def test_a_request_that_is_cancelled_gives_its_place_back(admission: Admission) -> None:
    entered = asyncio.Semaphore(0)

    async def request() -> None:
        with admission.admit("a"):
            entered.release()
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(request()) for _ in range(4)]
    for _ in tasks:
        await entered.acquire()
    _busy(admission, "a")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert admission.in_flight == 0
    with admission.admit("a"):
        assert admission.in_flight == 1


def test_who_would_wait_beyond_the_deadline_is_refused_at_once(
    admission: Admission, processor: Processor, stack: ExitStack
) -> None:
    _serve(admission, processor, 2.0)
    assert admission.service_time == pytest.approx(2.0, rel=0.01)
    _fill(admission, stack, "a", 2)
    assert admission.expected_wait == pytest.approx(4.0, rel=0.01)
    assert _busy(admission, "b").headers == {"Retry-After": "1"}


def test_the_longer_the_wait_the_later_one_is_to_come_back(
    admission: Admission, processor: Processor, stack: ExitStack
) -> None:
    _fill(admission, stack, "a", 4)
    _serve(admission, processor, 0.5)
    _fill(admission, stack, "b", 2)
    processor.worked += 640
    with pytest.raises(GatewayError):
        _serve(admission, processor, 0.5)
    assert int(_busy(admission, "c").headers["Retry-After"]) > 10


def test_an_empty_gateway_lets_in_whatever_it_took_before(
    admission: Admission, processor: Processor
) -> None:
    _serve(admission, processor, 60.0)
    with admission.admit("a"):
        processor.worked += 0.001
    assert admission.service_time > 3


def test_waiting_for_databases_is_no_work(
    admission: Admission, processor: Processor, stack: ExitStack
) -> None:
    """Nor is what the processor does while no request is there."""
    _serve(admission, processor, 0.001)
    processor.worked += 3_600
    _serve(admission, processor, 0.001)
    assert admission.service_time == pytest.approx(0.001, rel=0.01)
    _fill(admission, stack, "a", 4)
    _fill(admission, stack, "b", 4)


def test_metrics_show_how_many_are_in_flight_and_were_refused(
    admission: Admission, stack: ExitStack
) -> None:
    labels = {"reason": "client"}
    before = REGISTRY.get_sample_value("justice_gateway_admission_refusals_total", labels) or 0
    _fill(admission, stack, "a", 4)
    _busy(admission, "a")
    assert REGISTRY.get_sample_value("justice_gateway_requests_in_flight") == 4
    assert (
        REGISTRY.get_sample_value("justice_gateway_admission_refusals_total", labels) == before + 1
    )


def test_the_clock_of_the_processor_is_read_seldom() -> None:
    readings = 0

    def cpu() -> float:
        nonlocal readings
        readings += 1
        return float(readings)

    admission = Admission(8, 3.0, cpu)
    for _ in range(80):
        with admission.admit("a"):
            pass
    assert readings == 20, "before and after one of eight, where the gateway is idle in between"
    assert admission.service_time == pytest.approx(0.74, abs=0.01), "it stands for the others"


def test_work_is_measured_as_well_if_a_place_is_always_taken(
    admission: Admission, processor: Processor, stack: ExitStack
) -> None:
    _fill(admission, stack, "a", 1)
    _serve(admission, processor, 0.25)
    assert admission.service_time == pytest.approx(0.25, rel=0.01)
