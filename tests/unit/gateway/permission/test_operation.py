"""Refusals of an operation before anything is fetched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import OperationType

from gateway.access.caller import ANONYMOUS, Caller
from gateway.errors import GatewayError, unauthenticated
from gateway.permission.operation import permit, require_free_form
from gateway.plan.document import Document, Operation
from gateway.settings import Client

SILENT = Caller(client="desk", scopes=frozenset({"population:read"}))
OFFICER = replace(SILENT, purpose="1.000894", case_number="1/2026")
OPERATOR = Caller(client="console", scopes=frozenset({"introspect", "operate"}))
CITIZEN = Caller(client="portal", scopes=frozenset({"me"}), citizen="001090012345")


def _refusal(
    caller: Caller,
    *roots: str,
    kind: OperationType = OperationType.QUERY,
    in_url: bool = False,
    names_person: bool = False,
) -> GatewayError | None:
    operation = Operation(None, kind, (), frozenset(roots), (), "asset" in roots)
    document = Document("", "", {None: operation}, names_person, 5, None)
    try:
        permit(caller, document, operation, in_url)
    except GatewayError as error:
        return error
    return None


def _code(error: GatewayError | None) -> str | None:
    return error.code.name if error else None


@pytest.mark.parametrize("caller", [ANONYMOUS, OFFICER, OPERATOR, CITIZEN])
@pytest.mark.parametrize("in_url", [False, True])
def test_everybody_may_ask_for_the_catalogue_and_for_type_names(
    caller: Caller, in_url: bool
) -> None:
    assert _refusal(caller, "databases", "__typename", in_url=in_url) is None


@pytest.mark.parametrize("root", ["person", "persons", "me", "__schema", "__type"])
def test_an_anonymous_caller_is_asked_for_a_token(root: str) -> None:
    error = _refusal(ANONYMOUS, "databases", root)
    assert error is not None
    assert _code(error) == "UNAUTHENTICATED"
    assert error.headers == {"WWW-Authenticate": "Bearer"}


@pytest.mark.parametrize("root", ["__schema", "__type"])
def test_introspection_needs_its_scope(root: str) -> None:
    assert _code(_refusal(OFFICER, root)) == "INTROSPECTION_DENIED"
    assert _code(_refusal(CITIZEN, "me", root)) == "INTROSPECTION_DENIED"
    assert _refusal(OPERATOR, root) is None
    assert _refusal(OPERATOR, root, in_url=True) is None


@pytest.mark.parametrize("caller", [ANONYMOUS, OFFICER, OPERATOR, CITIZEN])
def test_nobody_names_a_person_in_a_url(caller: Caller) -> None:
    """Before anything else, the token included: the URL is in somebody's log already."""
    refusal = _refusal(caller, "person", in_url=True, names_person=True)
    assert _code(refusal) == "PERSON_IN_URL"
    other_operation = _refusal(caller, "databases", in_url=True, names_person=True)
    assert _code(other_operation) == "PERSON_IN_URL"


@pytest.mark.parametrize("root", ["person", "persons"])
def test_persons_may_be_named_in_a_body(root: str) -> None:
    assert _refusal(OFFICER, root, names_person=True) is None


@pytest.mark.parametrize("root", ["person", "persons"])
def test_whoever_names_a_person_says_for_which_procedure_and_for_which_case(root: str) -> None:
    """The purpose first: a front end that sends neither learns of it in that order."""
    for caller, code in (
        (replace(OFFICER, purpose=None), "PURPOSE_REQUIRED"),
        (replace(OFFICER, case_number=None), "CASE_NUMBER_REQUIRED"),
        (SILENT, "PURPOSE_REQUIRED"),
    ):
        assert _code(_refusal(caller, root, names_person=True)) == code
        assert _code(_refusal(caller, "databases", "me", root, names_person=True)) == code


def test_what_names_nobody_needs_neither_purpose_nor_case_number() -> None:
    assert _refusal(SILENT, "databases", "__typename") is None
    assert _refusal(CITIZEN, "me") is None
    assert _refusal(SILENT, "me") is None, "that they have no own view is told at the field"
    other_operation = _refusal(SILENT, "databases", names_person=True)
    assert other_operation is None, "another operation of the document names somebody"


@pytest.mark.parametrize("caller", [OPERATOR, CITIZEN])
def test_whoever_may_name_nobody_is_not_asked_what_for(caller: Caller) -> None:
    """They are told at the field that they may not."""
    assert _refusal(caller, "person", names_person=True) is None


def test_a_citizen_who_may_also_name_others_says_what_for() -> None:
    caller = replace(CITIZEN, scopes=CITIZEN.scopes | SILENT.scopes)
    assert _refusal(caller, "me") is None
    assert _code(_refusal(caller, "me", "person", names_person=True)) == "PURPOSE_REQUIRED"


def test_a_citizen_may_ask_for_themselves_by_url() -> None:
    assert _refusal(CITIZEN, "me", in_url=True) is None


def test_mutations_come_by_post_only() -> None:
    error = _refusal(OPERATOR, "invalidate", kind=OperationType.MUTATION, in_url=True)
    assert error is not None
    assert _code(error) == "METHOD_NOT_ALLOWED"
    assert error.headers == {"Allow": "POST"}
    assert _refusal(OPERATOR, "invalidate", kind=OperationType.MUTATION) is None


@pytest.mark.parametrize(
    ("caller", "code"),
    [
        (ANONYMOUS, "UNAUTHENTICATED"),
        (OFFICER, "FORBIDDEN"),
        (CITIZEN, "FORBIDDEN"),
        (Caller(client="console", scopes=frozenset({"introspect"})), "FORBIDDEN"),
    ],
)
def test_mutations_are_for_operators(caller: Caller, code: str) -> None:
    assert _code(_refusal(caller, "planMaintenance", kind=OperationType.MUTATION)) == code


@pytest.mark.parametrize("in_url", [False, True])
def test_subscriptions_do_not_come_this_way(in_url: bool) -> None:
    refusal = _refusal(OPERATOR, "changes", kind=OperationType.SUBSCRIPTION, in_url=in_url)
    assert _code(refusal) == "UNSUPPORTED_OPERATION"


def test_a_bad_token_is_told_so_as_the_bearer_scheme_has_it() -> None:
    """RFC 6750 section 3.1: no error code where no token was shown."""
    assert unauthenticated("UNAUTHENTICATED").headers["WWW-Authenticate"] == "Bearer"
    for code in ("TOKEN_INVALID", "TOKEN_EXPIRED"):
        challenge = unauthenticated(code).headers["WWW-Authenticate"]
        assert challenge == 'Bearer error="invalid_token"'


def test_things_are_found_for_a_purpose_by_those_who_may_name_persons() -> None:
    finder = Caller(client="portal", scopes=frozenset({"notary.asset:find"}))
    assert _code(_refusal(SILENT, "asset")) == "PURPOSE_REQUIRED"
    assert _refusal(OFFICER, "asset") is None
    assert _refusal(finder, "asset") is None
    assert _code(_refusal(ANONYMOUS, "asset")) == "UNAUTHENTICATED"


def test_who_may_only_verify_says_for_what() -> None:
    verifier = Caller(client="bank", scopes=frozenset({"population:verify"}))
    assert _code(_refusal(verifier, "verifyPerson")) == "PURPOSE_REQUIRED"
    stated = replace(verifier, purpose="notarised-transfer")
    assert _code(_refusal(stated, "verifyPerson")) == "CASE_NUMBER_REQUIRED"


@pytest.mark.parametrize("scopes", [(), ("openid", "profile"), ("urn:x:y",)])
def test_who_has_no_scope_of_ours_calls_published_operations_only(scopes: tuple[str, ...]) -> None:
    partner = Caller(client="office", scopes=frozenset(scopes), purposes=frozenset({"1.000894"}))
    with pytest.raises(GatewayError) as excinfo:
        require_free_form(partner, {})
    assert excinfo.value.code.name == "PUBLISHED_ONLY"
    for allowed in (ANONYMOUS, SILENT, OPERATOR, CITIZEN):
        require_free_form(allowed, {})


def test_settings_can_limit_a_client_to_published_operations() -> None:
    with pytest.raises(GatewayError):
        require_free_form(CITIZEN, {"portal": Client(published_only=True)})
    require_free_form(CITIZEN, {"portal": Client(), "desk": Client(published_only=True)})
