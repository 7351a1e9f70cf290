"""Documents: parsed, validated and analysed once per text, and what the analysis says."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest
from graphql import GraphQLSchema, OperationType, build_schema

from gateway.errors import GatewayError
from gateway.plan import document as module
from gateway.plan.document import Document, Documents, InvalidDocument, Operation
from gateway.settings import Limits

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


def _documents(schema: GraphQLSchema = SCHEMA, **limits: int) -> Documents:
    return Documents(schema, Limits.model_validate(limits))


def _refusal(documents: Documents, text: str) -> GatewayError | InvalidDocument:
    with pytest.raises((GatewayError, InvalidDocument)) as refused:
        documents.get(text)
    found = refused.value
    assert isinstance(found, GatewayError | InvalidDocument)
    return found


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note each time that a document is parsed, validated or analysed."""
    done: list[str] = []
    for name in ("parse_within", "validate", "analyse"):
        monkeypatch.setattr(module, name, _noting(done, name, getattr(module, name)))
    return done


def _noting(done: list[str], name: str, original: Callable[..., object]) -> Callable[..., object]:
    def noting(*given: object, **named: object) -> object:
        done.append(name)
        return original(*given, **named)

    return noting


def test_a_document_is_worked_on_once_per_text(work: list[str]) -> None:
    documents = _documents()
    first = documents.get("{databases}")
    assert all(documents.get("{databases}") is first for _ in range(3))
    assert work == ["parse_within", "validate", "analyse"]
    assert documents.get("{databases }") is not first, "another text is another document"


@pytest.mark.parametrize(
    ("text", "code", "needed"),
    [
        ("{", "SYNTAX_ERROR", ["parse_within"]),
        ("{nothing}", "VALIDATION_FAILED", ["parse_within", "validate"]),
        ("{" + "databases " * 50 + "}", "TOO_MANY_FIELDS", ["parse_within"]),
    ],
)
def test_a_refusal_is_kept_like_a_document(
    work: list[str], text: str, code: str, needed: list[str]
) -> None:
    documents = _documents()
    refusals = [_refusal(documents, text) for _ in range(3)]
    assert work == needed
    for one in refusals:
        assert (one.code.name if isinstance(one, GatewayError) else one.code) == code
    assert len({str(one.args) for one in refusals}) == 1


def test_a_kept_refusal_says_the_same_each_time() -> None:
    documents = _documents(depth=2)
    for _ in range(2):
        refused = _refusal(documents, "{me{kin{id}}}")
        assert isinstance(refused, GatewayError)
        assert refused.details == {"limit": 2}
    for _ in range(2):
        invalid = _refusal(documents, "{nothing}")
        assert isinstance(invalid, InvalidDocument)
        assert [error.locations is not None for error in invalid.errors] == [True]


class Request:
    """Stands for what a request brings with it: tokens, variables."""


@pytest.mark.parametrize("text", ["{", "{nothing}", "{" + "databases " * 50 + "}"])
def test_a_kept_refusal_holds_on_to_no_request(text: str) -> None:
    """A raised exception keeps its frames alive, and with them whose document it was."""
    documents = _documents()

    def asked() -> weakref.ref[Request]:
        request = Request()
        try:
            documents.get(text)
        except (GatewayError, InvalidDocument):
            return weakref.ref(request)
        raise AssertionError

    request = asked()
    gc.collect()
    assert request() is None


def test_documents_are_bounded_and_the_least_used_go_first(work: list[str]) -> None:
    documents = _documents(documents=3)
    texts = [f"query Q{number} {{databases}}" for number in range(4)]
    for text in texts[:3]:
        documents.get(text)
    documents.get(texts[0])
    documents.get(texts[3])
    work.clear()
    for text in (texts[0], texts[2], texts[3]):
        documents.get(text)
    assert work == [], "the one that was used again has stayed"
    documents.get(texts[1])
    assert work != []


def test_refusals_are_bounded_as_well(work: list[str]) -> None:
    documents = _documents(documents=2)
    for number in range(3):
        _refusal(documents, f"{{nothing{number}}}")
    work.clear()
    _refusal(documents, "{nothing2}")
    assert work == []
    _refusal(documents, "{nothing0}")
    assert work != []


def test_long_texts_do_not_fill_the_memory(work: list[str]) -> None:
    """A quarter of a megabyte of comment is one token less than nothing, but it is kept."""
    documents = _documents(documents=10)
    long = [f"{{databases}} # {number} {'x' * 30_000}" for number in range(3)]
    for text in long:
        documents.get(text)
    work.clear()
    documents.get(long[2])
    assert work == [], "the last is kept"
    documents.get(long[0])
    assert work != [], "but not all of them"


def test_a_text_longer_than_all_room_is_answered(work: list[str]) -> None:
    documents = _documents(documents=1)
    text = "{databases} # " + "x" * 100_000
    assert documents.get(text) is documents.get(text)
    documents.get("{databases}")


def test_texts_that_cannot_be_encoded_are_refused_like_any_other() -> None:
    refused = _refusal(_documents(), "{databases(\ud800)}")
    assert isinstance(refused, InvalidDocument)
    assert refused.code == "SYNTAX_ERROR"


def test_one_operation_runs_without_being_named() -> None:
    document = _documents().get("query Only {databases}")
    assert document.operation(None).name == "Only"
    assert document.operation("Only").name == "Only"


def test_of_several_operations_one_must_be_named() -> None:
    document = _documents().get("query A {databases} query B {me{id}}")
    assert document.operation("B").root_fields == {"me"}
    for name in (None, "C", "a", ""):
        with pytest.raises(GatewayError) as refused:
            document.operation(name)
        assert refused.value.code.name == "OPERATION_NOT_FOUND"


def test_an_anonymous_operation_has_no_name_to_ask_for() -> None:
    document = _documents().get("{databases}")
    assert document.operation(None).name is None
    with pytest.raises(GatewayError):
        document.operation("Any")


def test_fragments_alone_are_nothing_to_run() -> None:
    refused = _refusal(_documents(), "fragment F on Query {databases}")
    assert isinstance(refused, InvalidDocument)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{databases}", OperationType.QUERY),
        ("mutation {drop}", OperationType.MUTATION),
        ("subscription {changes}", OperationType.SUBSCRIPTION),
    ],
)
def test_an_operation_knows_its_kind(text: str, kind: OperationType) -> None:
    assert _documents().get(text).operation(None).kind is kind


def _names_person(text: str) -> bool:
    return _documents().get(text).names_person


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
    return _documents().get(text).operation(None)


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
    document = _documents().get(
        "query A {databases} query B {me{id}} query C {__schema{__typename}}"
    )
    assert not document.operation("A").reads_persons
    assert not document.operation("A").introspects
    assert document.operation("B").reads_persons
    assert document.operation("C").introspects


def test_a_field_named_like_a_root_field_further_down_does_not_count() -> None:
    schema = build_schema("type Query {a: A} type A {me: Int person: Int}")
    operation = _documents(schema).get("{a{me person}}").operation(None)
    assert operation.root_fields == {"a"}


def test_fragments_spread_over_and_over_are_looked_into_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Forty levels that each spread the next one twice: a million million if taken literally."""
    looked: list[None] = []
    original = module._root_fields

    def counting(*given: object) -> set[str]:
        looked.append(None)
        assert len(looked) < 1_000, "it does take them literally"
        return original(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_root_fields", counting)
    chain = " ".join(f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(40))
    document = _documents().get(f"{{...F0}} {chain} fragment F40 on Query{{me{{id}}}}")
    assert document.operation(None).root_fields == {"me"}
    assert len(looked) == 1 + 41


def test_a_document_is_known_by_the_hash_of_its_text() -> None:
    documents = _documents()
    one, other = documents.get("{databases}"), documents.get("{ databases }")
    assert len(one.digest) == 64
    assert one.digest != other.digest
    assert isinstance(one, Document)
    assert _documents().get("{databases}").digest == one.digest


def test_no_more_than_twenty_faults_of_a_document_are_told() -> None:
    refused = _refusal(_documents(), "{" + " ".join(f"x{n}" for n in range(100)) + "}")
    assert isinstance(refused, InvalidDocument)
    assert 20 <= len(refused.errors) <= 21


def test_faults_suggest_no_names_of_the_schema() -> None:
    """Whoever may not introspect does not get the schema by guessing, either."""
    for text in ("{databasez}", "{me{idd}}", '{person(idd:"1"){id}}', "{...on Persom{id}}"):
        refused = _refusal(_documents(), text)
        assert isinstance(refused, InvalidDocument)
        for error in refused.errors:
            assert "Did you mean" not in error.message
