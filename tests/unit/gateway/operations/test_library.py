"""The published operations: which file wins, what survives changes, and who may call them."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from connectors.registry import installed_databases
from gateway.access.caller import ANONYMOUS, Caller
from gateway.catalogue.sections import bind_sections
from gateway.errors import GatewayError
from gateway.operations.library import OperationLibrary, OperationSet, Publish, read_operations
from gateway.operations.operation import PublishedOperation
from gateway.operations.publish import publish
from gateway.settings import Limits
from tests.support.operation_files import NAME, write
from tests.support.running import built

DATABASES = tuple(installed_databases())
OTHER = NAME.replace("query Name", "query Other")


@pytest.fixture
def make() -> Publish:
    return partial(publish, built(DATABASES), bind_sections(DATABASES), Limits(), True)


def read(folder: Path, make: Publish, before: OperationSet | None = None) -> OperationSet:
    return read_operations(folder, make, before or OperationSet())


def names(operation_set: OperationSet) -> list[str]:
    return [operation.header.id for operation in operation_set.published]


def refusals(operation_set: OperationSet) -> list[tuple[str, str]]:
    return [(refusal.file.name, refusal.reason) for refusal in operation_set.refused]


def test_the_bare_name_is_that_of_the_newest_version(tmp_path: Path, make: Publish) -> None:
    write(tmp_path, "b.graphql", version=9)
    write(tmp_path, "a.graphql", OTHER, version=10)
    operation_set = read(tmp_path, make)
    ninth = operation_set.by_id["name.v9"]
    assert operation_set.by_id[ninth.document_id] is ninth
    assert [operation.header.version for operation in operation_set.by_name["name"]] == [10, 9]
    assert operation_set.find("name", "partner") is operation_set.by_id["name.v10"]
    assert operation_set.find("name.v9", "partner") is ninth


def test_it_is_that_of_the_newest_version_that_is_for_the_client(
    tmp_path: Path, make: Publish
) -> None:
    write(tmp_path, "a.graphql")
    write(tmp_path, "b.graphql", OTHER, version=2, clients="other")
    operation_set = read(tmp_path, make)
    assert operation_set.find("name", "partner") is operation_set.by_id["name.v1"]
    assert operation_set.find("name", "other") is operation_set.by_id["name.v2"]
    assert operation_set.find("name.v2", "partner") is None


def test_a_file_that_is_refused_leaves_the_others(tmp_path: Path, make: Publish) -> None:
    write(tmp_path, "a.graphql", "{ nothing }")
    write(tmp_path, "b.graphql")
    (tmp_path / "c.graphql").write_bytes(b"\xff\xfe")
    (tmp_path / "d.txt").write_text("no operation")
    operation_set = read(tmp_path, make)
    assert names(operation_set) == ["name.v1"]
    assert [(refusal.file.name, refusal.line) for refusal in operation_set.refused] == [
        ("a.graphql", 10),
        ("c.graphql", 1),
    ]


def test_a_defect_in_making_one_ready_leaves_the_others(tmp_path: Path, make: Publish) -> None:
    write(tmp_path, "a.graphql")
    write(tmp_path, "b.graphql", OTHER, name="other")

    def failing(file: Path, text: str) -> PublishedOperation:
        assert file.name != "a.graphql", "a defect"
        return make(file, text)

    operation_set = read(tmp_path, failing)
    assert names(operation_set) == ["other.v1"]
    assert refusals(operation_set) == [("a.graphql", "a defect of the gateway: the log has it")]


def test_of_two_files_with_one_version_the_second_is_refused(tmp_path: Path, make: Publish) -> None:
    write(tmp_path, "a.graphql")
    write(tmp_path, "b.graphql", OTHER)
    write(tmp_path, "c.graphql", name="other")
    assert refusals(read(tmp_path, make)) == [
        ("b.graphql", "name.v1 is published by a.graphql"),
        ("c.graphql", "a.graphql publishes the same document"),
    ]


def test_what_did_not_change_is_kept_as_it_is(tmp_path: Path, make: Publish) -> None:
    write(tmp_path, "a.graphql")
    first = read(tmp_path, make)
    write(tmp_path, "b.graphql", OTHER, name="other")
    second = read(tmp_path, make, first)
    assert second.published[0] is first.published[0]
    assert names(second) == ["name.v1", "other.v1"]


def test_a_file_that_was_spoilt_publishes_what_it_did_until_it_is_mended(
    tmp_path: Path, make: Publish
) -> None:
    write(tmp_path, "a.graphql")
    first = read(tmp_path, make)
    write(tmp_path, "a.graphql", "{ nothing }")
    spoilt = read(tmp_path, make, first)
    assert (spoilt.published, len(spoilt.refused)) == (first.published, 1)
    second_read = read(tmp_path, make, spoilt)
    assert (second_read.published, len(second_read.refused)) == (first.published, 1)
    write(tmp_path, "a.graphql", clients="another")
    mended = read(tmp_path, make, second_read)
    assert mended.published[0].header.clients == frozenset({"another"})
    assert mended.refused == ()


def test_a_version_keeps_its_document(tmp_path: Path, make: Publish) -> None:
    write(tmp_path, "a.graphql")
    first = read(tmp_path, make)
    write(tmp_path, "a.graphql", OTHER)
    second = read(tmp_path, make, first)
    assert second.published == first.published
    assert refusals(second) == [
        ("a.graphql", "name.v1 is published with another document: count its version")
    ]


def test_a_file_that_is_gone_publishes_nothing(tmp_path: Path, make: Publish) -> None:
    file = write(tmp_path, "a.graphql")
    first = read(tmp_path, make)
    file.unlink()
    assert read(tmp_path, make, first).by_id == {}


async def test_a_change_is_noticed_without_a_restart(tmp_path: Path, make: Publish) -> None:
    write(tmp_path, "a.graphql")
    operations = OperationLibrary(tmp_path, make, 0.01)
    await operations.open()
    write(tmp_path, "b.graphql", OTHER, name="other")
    async with asyncio.timeout(20):
        while len(operations.all()) < 2:  # noqa: ASYNC110 - the folder is watched: nothing tells
            await asyncio.sleep(0.01)
    await operations.close()


async def test_a_folder_that_goes_away_takes_nothing_with_it(tmp_path: Path, make: Publish) -> None:
    folder = tmp_path / "operations"
    write(folder, "a.graphql")
    operations = OperationLibrary(folder, make, 0.01)
    await operations.open()
    folder.rename(tmp_path / "elsewhere")
    write(tmp_path / "elsewhere", "b.graphql", OTHER, name="other")
    (tmp_path / "elsewhere").rename(folder)
    async with asyncio.timeout(20):
        while len(operations.all()) < 2:
            assert len(operations.all()) == 1
            await asyncio.sleep(0.01)
    await operations.close()


async def test_a_folder_that_is_not_there_at_the_start_is_an_error(
    tmp_path: Path, make: Publish
) -> None:
    with pytest.raises(FileNotFoundError):
        await OperationLibrary(tmp_path / "nowhere", make, 0).open()


@pytest.fixture
async def operations(tmp_path: Path, make: Publish) -> OperationLibrary:
    write(tmp_path, "a.graphql", purposes="1.000894 1.004873")
    write(tmp_path, "b.graphql", OTHER, name="other")
    library = OperationLibrary(tmp_path, make, 0)
    await library.open()
    return library


def code(operations: OperationLibrary, name: str, caller: Caller) -> str:
    with pytest.raises(GatewayError) as excinfo:
        operations.call(name, caller)
    return excinfo.value.code.name


def test_whom_it_is_not_for_learns_no_more_than_where_there_is_none(
    operations: OperationLibrary,
) -> None:
    stranger = Caller(client="stranger", purposes=frozenset({"1.000894"}))
    refusals = []
    for name in ("name", "name.v1", "nothing", operations.all()[0].document_id, "sha256:00"):
        with pytest.raises(GatewayError) as excinfo:
            operations.call(name, stranger)
        refusals.append((excinfo.value.message, excinfo.value.extensions))
    assert all(message == refusals[0] for message in refusals)
    assert code(operations, "name", ANONYMOUS) == "UNAUTHENTICATED"
    assert code(operations, "nothing", ANONYMOUS) == "UNAUTHENTICATED"


def test_a_call_has_the_rights_of_the_operation_and_no_others(operations: OperationLibrary) -> None:
    caller = Caller(
        client="partner",
        scopes=frozenset({"notary:read", "me", "introspect"}),
        purposes=frozenset({"1.000894"}),
    )
    _, calling = operations.call("other", caller)
    assert calling.scopes == {"population:read", "me"}
    assert calling.purpose == "1.000894"


@pytest.mark.parametrize(
    ("token_purpose", "stated", "comes_to"),
    [
        ("1.000894", "1.000894", "1.000894"),
        ("1.004873", "1.004873", "1.004873"),
        ("1.000894", None, "PURPOSE_REQUIRED"),
        ("2.000635", "2.000635", "PURPOSE_NOT_GRANTED"),
        ("1.000894.H29", "1.000894.H29", "1.000894.H29"),
    ],
)
def test_it_is_called_for_one_of_its_purposes(
    operations: OperationLibrary, token_purpose: str, stated: str | None, comes_to: str
) -> None:
    caller = Caller(client="partner", purposes=frozenset({token_purpose}), purpose=stated)
    try:
        outcome: str | None = operations.call("name", caller)[1].purpose
    except GatewayError as error:
        outcome = error.code.name
    assert outcome == comes_to


@pytest.mark.parametrize(
    ("token_purpose", "comes_to"),
    [
        ("1.000894", "1.000894"),
        ("1.000894.H29", "1.000894.H29"),
        ("1.004873", "PURPOSE_NOT_GRANTED"),
    ],
)
def test_an_only_purpose_need_not_be_stated(
    operations: OperationLibrary, token_purpose: str, comes_to: str
) -> None:
    caller = Caller(client="partner", purposes=frozenset({token_purpose}))
    try:
        outcome: str | None = operations.call("other", caller)[1].purpose
    except GatewayError as error:
        outcome = error.code.name
    assert outcome == comes_to
