"""Documents: parsed, validated and analysed once per text, and what the analysis says.

Covers ``gateway.plan.analyse``, ``gateway.plan.selection``, ``gateway.plan.syntax``,
``gateway.plan.analyse_lists``, ``gateway.plan.collect``.
"""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema, OperationType, build_schema, parse

from gateway.errors import GatewayError
from gateway.plan.document import (
    Document,
    InvalidDocument,
    Operation,
    describe_document,
    parse_document,
)
from gateway.settings import Limits
from tests.support.calls import count_calls

#: Small, but with a person's number wherever an input can hold one.
SCHEMA = build_schema(
    """
    scalar PersonNumber
    input Key { number: PersonNumber, and: Key, note: String }
    input Note { text: String, more: Note }
    type Person { id: ID, kin(id: PersonNumber): Person, note(note: Note): String }
    type Query {
      person(id: PersonNumber!): Person
      persons(ids: [PersonNumber!]!): [Person]
      found(key: Key): Person
      noted(note: Note, text: String): String
      me: Person
      databases: [String]
    }
    type Mutation { drop(id: PersonNumber): Boolean }
    type Subscription { changes: Int }
    """
)


def _read(text: str, schema: GraphQLSchema = SCHEMA) -> Document:
    return parse_document(schema, Limits(fragments=100), text)


def _refusal(text: str) -> InvalidDocument:
    with pytest.raises(InvalidDocument) as refused:
        _read(text)
    return refused.value


def test_one_operation_runs_without_being_named() -> None:
    document = _read("query Only {databases}")
    assert document.operation(None).name == "Only"
    assert document.operation("Only").name == "Only"


def test_of_several_operations_one_must_be_named() -> None:
    document = _read("query A {databases} query B {me{id}}")
    assert document.operation("B").root_fields == {"me"}
    for name in (None, "C", "a", ""):
        with pytest.raises(GatewayError) as refused:
            document.operation(name)
        assert refused.value.code.name == "OPERATION_NOT_FOUND"


def test_an_anonymous_operation_has_no_name_to_ask_for() -> None:
    document = _read("{databases}")
    assert document.operation(None).name is None
    with pytest.raises(GatewayError):
        document.operation("Any")


def test_fragments_alone_are_nothing_to_run() -> None:
    assert _refusal("fragment F on Query {databases}").code == "VALIDATION_FAILED"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{databases}", OperationType.QUERY),
        ("mutation {drop}", OperationType.MUTATION),
        ("subscription {changes}", OperationType.SUBSCRIPTION),
    ],
)
def test_an_operation_knows_its_kind(text: str, kind: OperationType) -> None:
    assert _read(text).operation(None).kind is kind


def _names_person(text: str) -> bool:
    return _read(text).names_person


@pytest.mark.parametrize(
    "text",
    [
        '{person(id:"1"){id}}',
        "query($v:PersonNumber!){person(id:$v){id}}",
        '{persons(ids:["1"]){id}}',
        "query($v:[PersonNumber!]!){persons(ids:$v){id}}",
        "query($v:PersonNumber!){persons(ids:[$v]){id}}",
        '{me{kin(id:"1"){id}}}',
        '{...F} fragment F on Query {person(id:"1"){id}}',
        '{me{...F}} fragment F on Person {kin(id:"1"){id}}',
        '{...{...{person(id:"1"){id}}}}',
        '{found(key:{number:"1"}){id}}',
        '{found(key:{and:{and:{number:"1"}}}){id}}',
        "query($v:Key){found(key:$v){id}}",
        "query($v:PersonNumber){found(key:{number:$v}){id}}",
        'query A {databases} query B {person(id:"1"){id}}',
        'query A {databases} query B {...F} fragment F on Query {me{kin(id:"1"){id}}}',
        '{person(id:"1") @skip(if:true){id}}',
        'mutation {drop(id:"1")}',
        'query($v:PersonNumber="001090012345"){found(key:{number:$v}){id}}',
    ],
)
def test_a_number_anywhere_in_a_document_names_a_person(text: str) -> None:
    """In any argument of any operation, used or not, and however deep in an input object."""
    assert _names_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "{databases}",
        "{me{id}}",
        "{me{kin{id}}}",
        '{noted(text:"001090012345")}',
        '{noted(note:{text:"1",more:{more:{text:"2"}}})}',
        '{me{note(note:{text:"1"})}}',
        '{__type(name:"PersonNumber"){name}}',
    ],
)
def test_other_arguments_name_nobody(text: str) -> None:
    assert not _names_person(text)


def _only(text: str) -> Operation:
    return _read(text).operation(None)


@pytest.mark.parametrize(
    "around",
    ["{%s}", "{...{%s}}", "{...on Query{%s}}", "{...F} fragment F on Query{%s}",
     "{...F} fragment F on Query{...{...G}} fragment G on Query{%s}",
     "{...@include(if:false){%s}}"],
)  # fmt: skip
@pytest.mark.parametrize(
    ("field", "introspects", "reads_persons"),
    [
        ("__schema{__typename}", True, False),
        ('x:__type(name:"Query"){name}', True, False),
        ("__typename", False, False),
        ("databases", False, False),
        ("x:databases", False, False),
        ("me{id}", False, True),
        ("databases:me{id}", False, True),
        ('person(id:"1"){__typename}', False, True),
        ("persons(ids:[]){id}", False, True),
    ],
)
def test_what_an_operation_asks_for_is_seen_through_fragments(
    around: str, field: str, introspects: bool, reads_persons: bool
) -> None:
    operation = _only(around % field)
    assert operation.introspects is introspects
    assert operation.reads_persons is reads_persons


def test_what_another_operation_asks_for_does_not_count() -> None:
    document = _read("query A {databases} query B {me{id}} query C {__schema{__typename}}")
    assert not document.operation("A").reads_persons
    assert not document.operation("A").introspects
    assert document.operation("B").reads_persons
    assert document.operation("C").introspects


def test_a_field_named_like_a_root_field_further_down_does_not_count() -> None:
    schema = build_schema("type Query {a: A} type A {me: Int person: Int}")
    operation = _read("{a{me person}}", schema).operation(None)
    assert operation.root_fields == {"a"}


def _describe(text: str) -> tuple[Document, int]:
    """Describe a document that is taken for valid; return it and how many calls that takes."""
    tree = parse(text)
    with count_calls(most=100_000) as count:
        document = describe_document(SCHEMA, tree, text, names_person=False)
    return document, count.calls


def test_many_operations_cost_no_more_to_describe_than_each_by_itself() -> None:
    """The document is walked once for all of them: in ten walks, each costs as much as all."""
    by_count = [
        _describe("".join(f"query Q{n} {{__typename}} " for n in range(count)))[1]
        for count in (10, 20, 30)
    ]
    assert by_count[2] - by_count[1] == by_count[1] - by_count[0] > 0


def test_fragments_spread_over_and_over_are_looked_into_once() -> None:
    """Levels that each spread the next one twice: a million million if taken literally."""

    def chain(levels: int) -> tuple[Document, int]:
        fragments = (f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(levels))
        end = f"fragment F{levels} on Query{{me{{id}}}}"
        return _describe(f"{{...F0}} {' '.join(fragments)} {end}")

    assert chain(40)[0].operation(None).root_fields == {"me"}
    assert chain(40)[1] - chain(30)[1] == chain(30)[1] - chain(20)[1] > 0


def test_a_document_is_known_by_the_hash_of_its_text() -> None:
    first, other = _read("{databases}"), _read("{ databases }")
    assert len(first.digest) == 64
    assert first.digest != other.digest
    assert isinstance(first, Document)
    assert _read("{databases}").digest == first.digest


def test_no_more_than_twenty_faults_of_a_document_are_told() -> None:
    refused = _refusal("{" + " ".join(f"x{n}" for n in range(100)) + "}")
    assert 20 <= len(refused.errors) <= 21


def test_faults_suggest_no_names_of_the_schema() -> None:
    """Whoever may not introspect does not get the schema by guessing, either."""
    for text in ("{databasez}", "{me{idd}}", '{person(idd:"1"){id}}', "{...on Persom{id}}"):
        refused = _refusal(text)
        for error in refused.errors:
            assert "Did you mean" not in error.message


def test_a_document_says_which_variables_decide_what_is_included() -> None:
    text = """
        query A($a: Boolean!, $b: Boolean!, $c: PersonNumber!) {
          me @include(if: $b) { ...F } person(id: $c) { id }
        }
        query B { me { id } }
        fragment F on Person { id @skip(if: $a) }
    """
    document = _read(text)
    assert document.operation("A").conditions == ("a", "b")
    assert document.operation("B").conditions == ()


def test_the_tokens_of_a_document_are_counted() -> None:
    """A start and an end are tokens too, for those who count what is kept."""
    assert _read("{ databases }").tokens == 5
    assert _read("{ databases # a comment, which is one more\n }").tokens == 6
