"""Documents, analyses and plans: made once, off the event loop, and shared by who needs them.

Covers ``gateway.plan.compile``, ``gateway.execution.operation``, ``gateway.execution.prepare``,
``gateway.plan.permissions``, ``gateway.plan.graphql_compat``.
"""

from __future__ import annotations

import asyncio
import gc
import re
import threading
import weakref
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from graphql import GraphQLSchema
from structlog.testing import capture_logs

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.access.caller import Caller
from gateway.catalogue.permitted import Missing
from gateway.catalogue.sections import bind_sections
from gateway.errors import GatewayError
from gateway.execution.compile_queue import Work
from gateway.execution.plan_cache import Compiler, Generate, Parse, PlanCache
from gateway.plan.compile import (
    AnalysedOperation,
    SelectedOperation,
    analyse_operation,
    select_operation,
)
from gateway.plan.document import Document, InvalidDocument, describe_document, parse_document
from gateway.plan.document_limits import parse_within
from gateway.plan.permissions import Permissions, requested_fields
from gateway.plan.plan import Plan
from gateway.plan.validation import validate
from gateway.procedures.procedure import UNIFIED
from gateway.settings import Limits
from gateway.shape.codegen import compile_plan
from gateway.telemetry.logs import masked
from tests.support.calls import calls_of
from tests.support.people import HOA
from tests.support.running import TestClock, built

DATABASES = (POPULATION, CIVIL_STATUS)
TOO_WIDE = "{" + "databases{name} " * 50 + "}"
ME = "query($a: Boolean = true, $n: Int) {me {id @include(if: $a) civilStatus {births(first: $n) \
{items {birthOrder}}}}}"


@asynccontextmanager
async def _plans(
    *, parse: Parse = parse_document, generate: Generate = compile_plan, **limits: int
) -> AsyncIterator[PlanCache]:
    plans = PlanCache(
        built(DATABASES),
        bind_sections(DATABASES),
        Limits.model_validate(limits),
        TestClock(),
        compiler=Compiler(parse=parse, generate=generate),
    )
    try:
        yield plans
    finally:
        plans.close()


async def _refusal(plans: PlanCache, text: str) -> GatewayError | InvalidDocument:
    with pytest.raises((GatewayError, InvalidDocument)) as refused:
        await plans.document(text, "a")
    found = refused.value
    assert isinstance(found, GatewayError | InvalidDocument)
    return found


@pytest.fixture
def work() -> Iterator[list[str]]:
    """Note each time that a document is parsed, validated or described, or a plan is made."""
    steps = (parse_within, validate, describe_document, analyse_operation, compile_plan)
    with calls_of(*steps) as calls:
        yield calls.names
    assert threading.main_thread() not in calls.threads, "it blocks the loop"


async def test_a_document_is_worked_on_once_per_text(work: list[str]) -> None:
    async with _plans() as plans:
        first = await plans.document("{__typename}", "a")
        for client in ("a", "b", None):
            assert await plans.document("{__typename}", client) is first
        assert work == ["parse_within", "validate", "describe_document"]
        assert await plans.document("{__typename }", "a") is not first, "another text is another"


async def test_those_who_send_the_same_at_the_same_time_wait_for_the_same(work: list[str]) -> None:
    async with _plans() as plans:
        found = await asyncio.gather(*(plans.document("{__typename}", str(n)) for n in range(20)))
        assert len({id(one) for one in found}) == 1
        assert work == ["parse_within", "validate", "describe_document"]


async def test_one_who_goes_away_takes_it_from_nobody() -> None:
    async with _plans() as plans:
        leaving = asyncio.create_task(plans.document("{__typename}", "a"))
        await asyncio.sleep(0)
        staying = asyncio.create_task(plans.document("{__typename}", "b"))
        await asyncio.sleep(0)
        leaving.cancel()
        assert isinstance(await staying, Document)
        with pytest.raises(asyncio.CancelledError):
            await leaving


@pytest.mark.parametrize(
    ("text", "code", "needed"),
    [
        ("{", "SYNTAX_ERROR", ["parse_within"]),
        ("{nothing}", "VALIDATION_FAILED", ["parse_within", "validate"]),
        (TOO_WIDE, "TOO_MANY_FIELDS", ["parse_within"]),
    ],
)
async def test_a_refusal_is_kept_like_a_document(
    work: list[str], text: str, code: str, needed: list[str]
) -> None:
    async with _plans() as plans:
        refusals = [await _refusal(plans, text) for _ in range(3)]
    assert work == needed
    for one in refusals:
        assert (one.code.name if isinstance(one, GatewayError) else one.code) == code
    assert len({str(one.args) for one in refusals}) == 1


async def test_a_kept_refusal_says_the_same_each_time() -> None:
    async with _plans(depth=2) as plans:
        for _ in range(2):
            refused = await _refusal(plans, "{me{population{identity{__typename}}}}")
            assert isinstance(refused, GatewayError)
            assert refused.details == {"limit": 2}
        for _ in range(2):
            invalid = await _refusal(plans, "{\n  nothing}")
            assert isinstance(invalid, InvalidDocument)
            (error,) = invalid.errors
            assert error.locations == [(2, 3)]


async def test_a_kept_refusal_keeps_the_code_of_a_wrong_value() -> None:
    async with _plans() as plans:
        invalid = await _refusal(plans, '{person(id: "12"){id}}')
        assert isinstance(invalid, InvalidDocument)
        (error,) = invalid.errors
        assert isinstance(error.original_error, GatewayError)
        assert error.original_error.code.name == "INVALID_PERSON_NUMBER"
        assert error.original_error.__traceback__ is None


class Request:
    """Stands for what a request brings with it: tokens, variables."""


@pytest.mark.parametrize("text", ["{", "{nothing}", TOO_WIDE])
async def test_a_kept_refusal_holds_on_to_no_request(text: str) -> None:
    """A raised exception keeps its frames alive, and with them whose document it was."""
    async with _plans() as plans:

        async def asked() -> weakref.ref[Request]:
            request = Request()
            try:
                await plans.document(text, "a")
            except (GatewayError, InvalidDocument):
                return weakref.ref(request)
            raise AssertionError

        request = await asked()
        gc.collect(1)  # it is young
        assert request() is None


async def test_long_texts_do_not_fill_the_memory(work: list[str]) -> None:
    """A quarter of a megabyte of comment is one token less than nothing, but it is kept."""
    async with _plans(cached_documents=4, document_characters=50_000) as plans:
        long = [f"{{__typename}} # {number} {'x' * 40_000}" for number in range(3)]
        for text in long:
            await plans.document(text, "a")
        work.clear()
        await plans.document(long[2], "a")
        assert work == [], "the last is kept"
        await plans.document(long[0], "a")
        assert work != [], "but not all of them"


async def _chosen(plans: PlanCache, text: str, given: Mapping[str, object]) -> SelectedOperation:
    document = await plans.document(text, "a")
    return select_operation(built(DATABASES), document, document.operation(None), given)


def _nothing_lacking(prepared: AnalysedOperation) -> tuple[Missing, ...]:
    return ((),) * len(prepared.needs)


async def test_an_operation_is_analysed_once_for_what_its_conditions_say(work: list[str]) -> None:
    async with _plans() as plans:
        first = await plans.prepared(await _chosen(plans, ME, {"n": 1}), "a")
        again = await plans.prepared(await _chosen(plans, ME, {"a": True, "n": 2}), "a")
        other = await plans.prepared(await _chosen(plans, ME, {"a": False}), "a")
        assert work.count("analyse_operation") == 2
        assert again == first.without_analysis()
        assert (first.key.values, other.key.values) == ((True,), (False,))


async def test_a_plan_is_made_once_for_those_who_may_see_the_same(work: list[str]) -> None:
    async with _plans() as plans:
        chosen = await _chosen(plans, ME, {})
        prepared = await plans.prepared(chosen, "a")
        nothing = _nothing_lacking(prepared)
        lacking = tuple(("civil_status:read",) for _ in prepared.needs)
        made = [
            await plans.plan(chosen, prepared, Permissions(given, citizen), client)
            for given, citizen, client in (
                (nothing, False, "a"),
                (nothing, False, "b"),
                (lacking, False, "a"),
                (nothing, True, "a"),
            )
        ]
        assert work.count("compile_plan") == 3
        assert made[0] is made[1]
        assert len({id(one) for one in made}) == 3


async def test_permissions_are_those_of_scopes_and_purpose_and_of_who_asks() -> None:
    """Not of the client, the case or the token: those who may see the same share a plan."""
    scopes = frozenset({"population:read", "civil_status:read"})
    desk = Caller(client="a", scopes=scopes, purpose=UNIFIED, case_number="1/2026")
    async with _plans() as plans:
        prepared = await plans.prepared(await _chosen(plans, ME, {}), "a")
        first = plans.permissions(prepared, desk)
        same = replace(desk, client="b", subject="b", token_id="t2", case_number="2/2026")
        assert plans.permissions(prepared, same) is first
        for other in (
            replace(desk, scopes=frozenset({"population:read"})),
            replace(desk, purpose="2.000829"),
            replace(desk, purpose=None),
        ):
            assert plans.permissions(prepared, other) != first
        citizen = plans.permissions(prepared, replace(desk, citizen=HOA))
        assert (citizen.lacking, citizen.citizen, first.citizen) == (first.lacking, True, False)


async def test_permissions_say_for_each_need_what_is_lacking() -> None:
    async with _plans() as plans:
        prepared = await plans.prepared(await _chosen(plans, ME, {}), "a")
        for caller in (
            Caller(client="a", scopes=frozenset({"civil_status:read"}), purpose="2.000829"),
            Caller(client="a", purpose=UNIFIED),
        ):
            found = plans.permissions(prepared, caller)
            assert found.lacking == tuple(caller.missing_for(*need) for need in prepared.needs)
            assert any(found.lacking)
            told = requested_fields(prepared.needs, prepared.selected, found.lacking)
            assert found.requested_fields == told
        everything = ("civil_status:read", "civil_status:restricted")
        caller = Caller(client="a", scopes=frozenset(everything), purpose=UNIFIED)
        assert plans.permissions(prepared, caller).lacking == _nothing_lacking(prepared)


async def test_a_plan_for_others_is_made_of_the_text_again(work: list[str]) -> None:
    """Trees and analyses are not kept: they are too many objects for the collector of garbage."""
    async with _plans() as plans:
        await plans.prepared(await _chosen(plans, ME, {}), "a")
        chosen = await _chosen(plans, ME, {})
        assert chosen.document.ast is None
        prepared = await plans.prepared(chosen, "a")
        assert prepared.analysis is None
        permissions = Permissions(_nothing_lacking(prepared), citizen=False)
        assert await plans.plan(chosen, prepared, permissions, "a") is not None
        assert work.count("validate") == 1, "it is known to be valid"


async def test_a_plan_that_cannot_be_made_is_tried_once() -> None:
    tried: list[None] = []

    def broken(*_: object) -> Plan:
        tried.append(None)
        raise RuntimeError("no")

    async with _plans(generate=broken) as plans:
        chosen = await _chosen(plans, ME, {})
        prepared = await plans.prepared(chosen, "a")
        permissions = Permissions(_nothing_lacking(prepared), citizen=False)
        for _ in range(2):
            assert await plans.plan(chosen, prepared, permissions, "a") is None
    assert len(tried) == 1


async def test_the_id_of_a_plan_that_cannot_be_made_can_be_searched_for_in_the_log() -> None:
    """Logs redact what reads like a person's number, as one random id in eight would."""

    def broken(*_: object) -> Plan:
        raise RuntimeError("no")

    async with _plans(generate=broken, new_documents_per_minute=1_000) as plans:
        chosen = await _chosen(plans, ME, {})
        prepared = await plans.prepared(chosen, "a")
        with capture_logs([masked]) as logs:
            for number in range(100):
                lacking = ((f"scope {number}",),) * len(prepared.needs)
                await plans.plan(chosen, prepared, Permissions(lacking, citizen=False), "a")
    assert len(logs) == 100
    for entry in logs:
        assert entry["event"] == "no plan"
        assert re.fullmatch("[0-9a-f]{32}", entry["error_id"])


async def test_a_client_with_ever_new_documents_has_to_wait_and_the_others_do_not() -> None:
    async with _plans(new_documents_per_minute=5) as plans:
        for number in range(5):
            await plans.document(f"query Q{number} {{__typename}}", "a")
        refused = await _refusal(plans, "query Q5 {__typename}")
        assert isinstance(refused, GatewayError)
        assert refused.code.name == "TOO_MANY_DOCUMENTS"
        await plans.document("query Q0 {__typename}", "a")
        await plans.document("query Q5 {__typename}", "b")


async def test_hundreds_of_documents_in_a_row_take_no_more_room_than_there_is() -> None:
    parsed: list[str] = []

    def note(schema: GraphQLSchema, limits: Limits, text: str) -> Document:
        parsed.append(text)
        return parse_document(schema, limits, text)

    async with _plans(parse=note, cached_documents=50, new_documents_per_minute=10_000) as plans:
        await plans.document("query Theirs {__typename}", "b")
        theirs = await plans.document("query Theirs {__typename}", "b")
        before = _computations()
        for number in range(400):
            await plans.document(f"query Q{number} {{__typename}}", "a")
        assert await plans.document("query Theirs {__typename}", "b") is theirs
        assert _computations() <= before
        parsed.clear()
        for number in reversed(range(400)):  # the newest first: what is kept is still there
            await plans.document(f"query Q{number} {{__typename}}", "a")
        assert 350 <= len(parsed) < 400


def _computations() -> int:
    """Return how many computations are held in memory."""
    gc.collect()
    return sum(isinstance(held, Work) for held in gc.get_objects())


async def test_a_defect_reaches_all_who_wait_and_is_not_kept() -> None:
    defects = [ZeroDivisionError()]

    def broken_once(schema: GraphQLSchema, limits: Limits, text: str) -> Document:
        if defects:
            raise defects.pop()
        return parse_document(schema, limits, text)

    async with _plans(parse=broken_once) as plans:
        waiting = [plans.document("{__typename}", str(number)) for number in range(3)]
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in found] == [ZeroDivisionError] * 3
        assert isinstance(await plans.document("{__typename}", "a"), Document)
