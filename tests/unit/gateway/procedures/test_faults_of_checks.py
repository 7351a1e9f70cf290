"""Whatever fails of the databases of a check, it is not met, and no rule passes on it.

For every check that is registered: each of its databases fails in each way, and each of its lists
is cut or has a row that cannot be read, in turn. Plan and reference executor agree in every rule.

Covers ``gateway.procedures.checks.definition`` and ``gateway.procedures.checks.evaluate``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from strawberry.utils.str_converters import to_camel_case

from connectors.backends.memory import MemoryBackend
from connectors.description import Group
from connectors.registry import installed_databases
from gateway.catalogue.checks import CheckBinding, checks_of
from gateway.errors import GatewayError
from gateway.settings import DatabaseSettings
from tests.support.check_faults import EvaluatedCase, Shortened, evaluate_case
from tests.support.check_samples import SAMPLES, CheckSample, Input, sample
from tests.support.checks import ask_check, states_in
from tests.support.running import Running, running

DATABASES = installed_databases()
CHECKS = checks_of(DATABASES)
#: How many cases are tried before it is said that none comes out as it should.
MOST_CASES = 400
#: Ways in which a database as a whole fails. They come to the same two states for a check;
#: ``make check-faults`` takes all of them.
FAULTS: tuple[str, ...] = ("down", "maintenance")
if "CHECK_FAULTS" in os.environ:
    FAULTS = ("down", "maintenance", "refuses", "defect", "unmapped")


@dataclass(frozen=True)
class Cases:
    """A gateway over generated people, and the case of one check."""

    gateway: Running
    backends: Mapping[str, Shortened]
    binding: CheckBinding
    given: Input

    @property
    def sample(self) -> CheckSample:
        """The sample of the check."""
        return SAMPLES[self.binding.definition.name]

    async def evaluate(self) -> EvaluatedCase:
        """Evaluate the case field by field; the plan must come to the same in every rule."""
        evaluated = await evaluate_case(self.gateway, self.binding, self.given, self.sample.at)
        field = to_camel_case(self.binding.definition.name)
        code = self.binding.procedure.codes[0]
        body = await ask_check(self.gateway, code, {field: self.given}, self.sample.at)
        assert states_in(body) == evaluated.states
        assert body["data"]["checkProcedure"]["outcome"] == evaluated.conclusion.outcome.name
        return evaluated

    async def unproved(self) -> set[tuple[str, str]]:
        """Return rule and list where a rule passes on a list that is not known."""
        evaluated = await self.evaluate()
        proved = self.sample.proved_elsewhere
        if evaluated.conclusion.outcome.name == "MET":
            assert evaluated.unknown_lists <= {name for _, name in proved}
        return evaluated.unproved_passes() - proved


@cache
def indexed() -> dict[str, MemoryBackend]:
    rows: dict[str, dict[str, list[dict[str, object]]]] = {
        database.name: {record.name: [] for record in database.records} for database in DATABASES
    }
    for (database, record), found in sample().rows.items():
        rows[database][record] += [dict(row) for row in found]
    return {database.name: MemoryBackend(database, rows[database.name]) for database in DATABASES}


#: The case of each check, by its name: it is looked for once.
_INPUTS: dict[str, Input] = {}


def settings(**of: DatabaseSettings) -> dict[str, DatabaseSettings]:
    """Return settings in which every database operates, but for those of ``of``."""
    operating = {
        database.name: DatabaseSettings(timeout=120, group=Group.OPERATING, breaker_failures=0)
        for database in DATABASES
    }
    return {**operating, **of}


@asynccontextmanager
async def cases(
    folder: Path, name: str, of: Mapping[str, DatabaseSettings] | None = None
) -> AsyncIterator[Cases]:
    """Run a gateway, with the case that the check called ``name`` is held against."""
    if name not in _INPUTS:
        async with _gateway(folder / "healthy") as (gateway, _):
            _INPUTS[name] = await _find_input(gateway, CHECKS[name])
    async with _gateway(folder, of) as (gateway, backends):
        yield Cases(gateway, backends, CHECKS[name], _INPUTS[name])


@asynccontextmanager
async def _gateway(
    folder: Path, of: Mapping[str, DatabaseSettings] | None = None
) -> AsyncIterator[tuple[Running, Mapping[str, Shortened]]]:
    backends = {database: Shortened(backend) for database, backend in indexed().items()}
    async with running(folder, backends, DATABASES, settings(**of or {})) as gateway:
        yield gateway, backends


async def _find_input(gateway: Running, binding: CheckBinding) -> Input:
    """Return the first case that comes out as its sample says."""
    wanted = SAMPLES[binding.definition.name]
    outcomes: set[str] = set()
    for _, given in zip(range(MOST_CASES), wanted.inputs(sample()), strict=False):
        try:
            evaluated = await evaluate_case(gateway, binding, given, wanted.at)
        except GatewayError as error:
            outcomes.add(error.code.name)
            continue
        outcomes.add(evaluated.conclusion.outcome.name)
        if evaluated.conclusion.outcome.name == wanted.outcome:
            return given
    raise AssertionError(f"no case of {binding.definition.name} is {wanted.outcome}: {outcomes}")


def test_every_check_has_a_case_to_be_held_against() -> None:
    assert SAMPLES.keys() == CHECKS.keys()


@pytest.mark.parametrize("name", [*CHECKS])
async def test_the_case_comes_out_as_well_as_the_procedure_permits(
    tmp_path: Path, name: str
) -> None:
    async with cases(tmp_path, name) as known:
        evaluated = await known.evaluate()
        assert evaluated.conclusion.outcome.name == SAMPLES[name].outcome
        assert await known.unproved() == set()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", [*CHECKS])
async def test_a_database_that_fails_lets_no_rule_pass(
    tmp_path: Path, name: str, fault: str
) -> None:
    async with cases(tmp_path, name) as known:
        for database in sorted(CHECKS[name].databases):
            known.backends[database].fault = fault
            assert await known.unproved() == set(), database
            known.backends[database].fault = None


@pytest.mark.parametrize("name", [*CHECKS])
async def test_a_database_that_hangs_lets_no_rule_pass(tmp_path: Path, name: str) -> None:
    soon = DatabaseSettings(group=Group.OPERATING, timeout=0.02, breaker_failures=0)
    for database in sorted(CHECKS[name].databases):
        async with cases(tmp_path / database, name, {database: soon}) as known:
            known.backends[database].fault = "hangs"
            assert await known.unproved() == set(), database


@pytest.mark.parametrize("name", [*CHECKS])
async def test_a_database_that_is_not_operating_lets_no_rule_pass(
    tmp_path: Path, name: str
) -> None:
    for database in sorted(CHECKS[name].databases):
        of = {database: DatabaseSettings(group=Group.BUILT_NOT_OPERATING)}
        async with cases(tmp_path / database, name, of) as known:
            assert await known.unproved() == set(), database


@pytest.mark.parametrize("how", ["truncated", "unreadable"])
@pytest.mark.parametrize("name", [*CHECKS])
async def test_a_list_that_is_not_whole_lets_no_rule_pass(
    tmp_path: Path, name: str, how: str
) -> None:
    async with cases(tmp_path, name) as known:
        for listed in CHECKS[name].reads:
            database, lookup = listed.split(".")
            source = known.backends[database]
            source.shortened, source.how = lookup, how
            assert await known.unproved() == set(), listed
            source.shortened = None
