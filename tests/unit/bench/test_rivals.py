"""What is compared with other gateways: documents in both schemas, and ratios."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema, parse, validate
from graphql import build_schema as parse_schema

from bench.rivals.documents import (
    MIXED,
    TINY,
    W1_DOCUMENT,
    W3_DOCUMENT,
    WITHOUT_SLOW,
    Document,
    different_documents,
    persons,
)
from bench.rivals.goals import fastest, ratio
from bench.rivals.servers import MERCURIUS, OURS, YOGA
from connectors.registry import installed_databases
from gateway.schema.texts import schema_text
from tests.support.running import built

DOCUMENTS = (W1_DOCUMENT, W3_DOCUMENT, TINY, WITHOUT_SLOW, *MIXED, persons(1),
             *different_documents(20))  # fmt: skip


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return parse_schema(schema_text(built(installed_databases())))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_documents_are_valid_in_our_schema(schema: GraphQLSchema, document: Document) -> None:
    assert validate(schema, parse(document.gateway_text)) == []


def test_an_answer_of_ours_reads_as_that_of_a_rival() -> None:
    item = {"familyName": "Lê", "givenName": "An", "birthDate": "1990-01-02"}
    identity = {"item": item, "source": {"state": "ANSWERED"}}
    ours = {"person": {"id": "1", "population": {"identity": identity}}}
    expected = {"lastName": "Lê", "firstName": "An", "birthDate": "1990-01-02"}
    theirs = {"person": {"id": "1", "identity": expected}}
    assert TINY.comparable(ours, is_gateway=True) == TINY.comparable(theirs, is_gateway=False)
    item["givenName"] = "Bình"
    assert TINY.comparable(ours, is_gateway=True) != TINY.comparable(theirs, is_gateway=False)


def test_ratios_are_of_windows_that_were_measured_together() -> None:
    part = {
        OURS: [{"cpu_ms": 1.0}, {"cpu_ms": 4.0}, {"cpu_ms": 3.0}],
        MERCURIUS: [{"cpu_ms": 2.0}, {"cpu_ms": 8.0}, {"cpu_ms": 1.0}],
    }
    assert ratio(part, OURS, MERCURIUS, "cpu_ms") == 0.5
    with pytest.raises(ValueError, match="zip"):
        ratio({**part, OURS: part[OURS][:2]}, OURS, MERCURIUS, "cpu_ms")


def test_the_fastest_gateway_is_not_ours() -> None:
    speeds = {OURS: 9.0, MERCURIUS: 2.0, YOGA: 3.0}
    part = {way: [{"requests_per_second": speed}] for way, speed in speeds.items()}
    assert fastest(part) == YOGA
