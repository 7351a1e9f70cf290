"""OpenAPI 3.1 of published operations: their variables, answers, and errors.

Made of the operations alone, so that it describes what runs. Deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson
from graphql import GraphQLSchema
from strawberry.utils.str_converters import to_camel_case

from gateway.answer import State
from gateway.errors import BESIDE_DATA, CODES
from gateway.operations.json_schema import Components, Schema
from gateway.operations.operation import PublishedOperation
from gateway.procedures.registry import procedure_of
from gateway.settings import Settings

Persona = Mapping[str, object]

_INFO = (
    "Các thao tác đã được thẩm định, gọi bằng POST với biến ở dạng JSON. Danh sách rỗng chỉ có "
    "nghĩa là “không có” khi `source.state` là `ANSWERED`, trong phạm vi `coverage`.\n\n"
    "Reviewed operations, called by POST with variables as JSON. An empty list means “none” only "
    "where `source.state` is `ANSWERED`, and within `coverage`.\n\n"
)
#: Error codes that a published operation cannot answer: it is called by POST, without a document.
_IMPOSSIBLE = frozenset(
    {
        "SYNTAX_ERROR", "VALIDATION_FAILED", "OPERATION_NOT_FOUND", "UNSUPPORTED_OPERATION",
        "TOO_MANY_TOKENS", "TOO_DEEP", "TOO_MANY_ALIASES", "TOO_MANY_DIRECTIVES",
        "TOO_MANY_FIELDS", "TOO_MANY_DEFINITIONS", "TOO_MANY_DOCUMENTS", "PERSON_IN_URL",
        "NOT_FOUND",
        "METHOD_NOT_ALLOWED", "INTROSPECTION_DENIED", "PUBLISHED_ONLY",
    }
)  # fmt: skip
#: Codes of refusals that may also stand beside data, where the part that they concern is null.
_BESIDE = frozenset({"FORBIDDEN", "INTERNAL", "INVALID_VALUE", "TOO_MANY_PERSONS"})
#: Codes with a second status, and that status (``gateway.errors.malformed``).
_SECOND_STATUS = {"BAD_REQUEST": 422}
_DESCRIPTIONS = {
    400: "Yêu cầu sai cấu trúc / The request is not of the required form",
    401: "Cần mã truy cập hợp lệ / A valid token is needed",
    403: "Không được phép / Not permitted",
    404: "Không có thao tác này cho ứng dụng / No such operation for this client",
    406: "Không trả lời được bằng định dạng yêu cầu / No accepted media type",
    413: "Nội dung quá lớn / The body is too large",
    415: "Nội dung phải là JSON / The body must be JSON",
    422: "Biến không hợp lệ / The variables do not fit the operation",
    429: "Đã hết hạn mức / The allowance is used up",
    500: "Lỗi nội bộ / Internal error",
    503: "Tạm thời không trả lời được / Cannot be answered just now",
}
_RATES = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_HEADERS_BY_STATUS = {429: (*_RATES, "Retry-After"), 503: ("Retry-After",)}


def openapi(
    schema: GraphQLSchema,
    operations: Iterable[PublishedOperation],
    *,
    personas: Sequence[Persona] = (),
    version: str,
) -> dict[str, object]:
    """Return the OpenAPI document of ``operations``.

    ``personas``: people for the examples. ``version``: of the gateway. Costs about a millisecond
    for each operation.
    """
    components = Components(schema)
    problem = _problem(components)
    paths: dict[str, object] = {}
    ordered = sorted(
        operations, key=lambda operation: (operation.header.name, -operation.header.version)
    )
    newest: set[str] = set()
    for operation in ordered:
        schemas = (components.variables(operation.document.tree()), _answer(components, operation))
        if operation.header.name not in newest:
            newest.add(operation.header.name)
            paths[f"/operations/{operation.header.name}"] = _path(
                operation, operation.header.name, *schemas, problem, personas
            )
        paths[f"/operations/{operation.header.id}"] = _path(
            operation, operation.header.id, *schemas, problem, personas
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cổng dữ liệu tư pháp / Justice gateway",
            "version": version,
            "description": _INFO + _states(),
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": owner} for owner in sorted({operation.header.owner for operation in ordered})
        ],
        "paths": paths,
        "components": {
            "schemas": components.schemas,
            "headers": _headers(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _states() -> str:
    lines = [f"- `{state.name}`: {state.title}" for state in State]
    return "Trạng thái của nguồn / States of a source:\n\n" + "\n".join(lines)


def _path(
    published: PublishedOperation,
    name: str,
    variables: Schema,
    answer: Schema,
    problem: Mapping[int, Schema],
    personas: Sequence[Persona],
) -> dict[str, object]:
    header = published.header
    body: dict[str, object] = {"schema": variables}
    example = fill_example(header.example, personas)
    if example is not None:
        body["example"] = example
    responses: dict[str, object] = {
        "200": _response("Đã trả lời / Answered", answer, _RATES),
        str(BESIDE_DATA): _response(
            "Đã trả lời, có phần bị lỗi / Answered, with errors beside the data", answer, _RATES
        ),
        **{
            str(status): _response(
                _DESCRIPTIONS[status], problem_schema, _HEADERS_BY_STATUS.get(status, ())
            )
            for status, problem_schema in problem.items()
        },
    }
    return {
        "post": {
            "operationId": _identifier(name),
            "tags": [header.owner],
            "summary": str(header.title),
            "description": _description(published),
            "x-graphql-document": published.document.text,
            "parameters": _parameters(published),
            "requestBody": {"required": True, "content": {"application/json": body}},
            "responses": responses,
        }
    }


_CASE_NUMBER_HELP = (
    "Số hồ sơ, như HSĐ-12/2026/QĐ-UBND: 1 đến 64 ký tự không có dấu cách (chữ cái mọi hệ chữ, chữ "
    "số 0-9, . / : - _), gửi bằng UTF-8 hoặc mã hóa phần trăm / The case: 1 to 64 characters "
    "without spaces (letters of any script, digits 0-9, . / : - _), sent as UTF-8 or "
    "percent-encoded; the citizen sees it in their access log"
)


def _description(published: PublishedOperation) -> str:
    header = published.header
    titles = [f"`{purpose}` ({_title(purpose)})" for purpose in header.purposes]
    purposes = ", ".join(titles) or "không cần / none is needed"
    return (
        f"{header.title.vi}.\n\n{header.title.en}.\n\n"
        f"- Cơ quan chủ quản / Owner: {header.owner}\n"
        f"- Mục đích / Purposes: {purposes}\n"
        f"- Phiên bản / Version: {header.version}\n"
        f"- documentId: `{published.document_id}`\n"
        f"- Chi phí tối đa / Cost at most: {published.cost}"
    )


def _title(purpose: str) -> str:
    procedure = procedure_of(purpose)
    assert procedure is not None  # it was published
    return str(procedure.title)


def _parameters(published: PublishedOperation) -> list[dict[str, object]]:
    purposes = published.header.purposes
    parameters = []
    if needs_case_number(published):
        parameters.append(_parameter("X-Case-Number", _CASE_NUMBER_HELP, True, {"minLength": 1}))
    if purposes:
        description = "Mã thủ tục / Procedure code"
        several = len(purposes) > 1
        parameters.append(_parameter("X-Purpose", description, several, {"enum": list(purposes)}))
    description = "Mã yêu cầu / Id of the request, for logs"
    pattern = {"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$"}
    return [*parameters, _parameter("X-Request-Id", description, False, pattern)]


def needs_case_number(published: PublishedOperation) -> bool:
    """Return whether a call has to state its case."""
    operation = published.operation
    names_persons = operation.names_persons and not operation.names_cases
    return names_persons or (operation.finds_things and bool(published.header.purposes))


def _parameter(
    name: str, description: str, required: bool, constraints: Mapping[str, object]
) -> dict[str, object]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string", **constraints},
    }


def _identifier(name: str) -> str:
    return str(to_camel_case(name.replace("-", "_").replace(".", "_")))


def _answer(components: Components, published: PublishedOperation) -> Schema:
    name = _identifier(published.header.id)
    prefix = name[0].upper() + name[1:]
    data = components.named(f"{prefix}Data", components.data(published.document.tree(), prefix))
    answer: Schema = {
        "type": "object",
        "properties": {
            "data": {"oneOf": [data, {"type": "null"}]},
            "errors": {"type": "array", "items": _error(components)},
            "extensions": _extensions(components),
        },
        "required": ["data"],
        "additionalProperties": False,
    }
    return components.named(f"{prefix}Answer", answer)


def _error(components: Components) -> Schema:
    """Return the schema of an error beside data: it says why a part of the data is null."""
    codes = sorted(
        name for name, code in CODES.items()
        if (code.status == BESIDE_DATA or name in _BESIDE) and name not in _IMPOSSIBLE
    )  # fmt: skip
    place = {
        "type": "object",
        "properties": {"line": {"type": "integer"}, "column": {"type": "integer"}},
    }
    return components.named("Error", {
        "type": "object",
        "properties": {
            "message": {"type": "string"},
            "path": {"type": "array", "items": {"type": ["string", "integer"]}},
            "locations": {"type": "array", "items": place},
            "extensions": _code_extensions(codes),
        },
        "required": ["message", "extensions"],
    })  # fmt: skip


def _code_extensions(codes: Sequence[str]) -> Schema:
    return {
        "type": "object",
        "properties": {
            "code": {"type": "string", "enum": list(codes)},
            "messageVi": {"type": "string"},
            "documentation": {"type": "string", "format": "uri-reference"},
        },
        "required": ["code"],
    }


def _extensions(components: Components) -> Schema:
    notices: Schema = {
        "type": "array",
        "description": "Điều cần lưu ý về người được tra cứu, nếu không hỏi `notices` / What must "
        "not be missed of a person of whom `notices` are not asked",
        "items": {"type": "object"},
    }
    schema: Schema = {"type": "object", "properties": {"notices": notices}}
    return components.named("Extensions", schema)


def _problem(components: Components) -> dict[int, Schema]:
    """Return the schema of each refusal as a whole, by status."""
    codes_by_status: dict[int, list[str]] = {status: [] for status in _DESCRIPTIONS}
    for name, code in CODES.items():
        statuses = {code.status, _SECOND_STATUS.get(name, code.status)}
        for status in statuses & codes_by_status.keys() if name not in _IMPOSSIBLE else ():
            codes_by_status[status].append(name)
    schemas = {}
    for status, codes in codes_by_status.items():
        error: Schema = {
            "type": "object",
            "properties": {
                "message": {"type": "string"},
                "extensions": _code_extensions(sorted(codes)),
            },
            "required": ["message", "extensions"],
        }
        problem: Schema = {
            "type": "object",
            "properties": {"errors": {"type": "array", "items": error, "minItems": 1}},
            "required": ["errors"],
        }
        schemas[status] = components.named(f"Problem{status}", problem)
    return schemas


def _response(description: str, schema: Schema, headers: Sequence[str]) -> dict[str, object]:
    response: dict[str, object] = {
        "description": description,
        "content": {"application/json": {"schema": schema}},
    }
    if headers:
        response["headers"] = {
            header: {"$ref": f"#/components/headers/{header}"} for header in headers
        }
    return response


def _headers() -> dict[str, object]:
    descriptions = {
        "RateLimit-Limit": "Hạn mức yêu cầu / Requests allowed in the window",
        "RateLimit-Remaining": "Còn lại / Requests left",
        "RateLimit-Reset": "Số giây đến khi có hạn mức mới / Seconds until there is more",
        "Retry-After": "Số giây cần chờ / Seconds to wait",
    }
    return {
        name: {"description": description, "schema": {"type": "integer"}}
        for name, description in descriptions.items()
    }


def read_personas(settings: Settings) -> Sequence[Persona]:
    """Return the people for examples that settings name; none in production."""
    file = settings.operations.personas
    if file is None:
        return ()
    personas: Sequence[Persona] = orjson.loads(settings.path(file).read_bytes())
    return personas


def fill_example(example: Mapping[str, object], personas: Sequence[Persona]) -> object:
    """Return the variables of an example; None where no persona fits.

    ``@tag`` stands for the number of the first persona with that tag, ``@tag.key`` for the value of
    the first of them that has ``key``.
    """
    variables: dict[str, object] = {}
    for name, value in example.items():
        variables[name] = value
        if isinstance(value, Mapping):
            variables[name] = fill_example(value, personas)
            if variables[name] is None:
                return None
        if isinstance(value, str) and value.startswith("@"):
            variables[name] = _of_persona(value[1:], personas)
            if variables[name] is None:
                return None
    return variables


def _of_persona(reference: str, personas: Sequence[Persona]) -> object:
    tag, _, key = reference.partition(".")
    for persona in personas:
        tags = persona.get("tags")
        if isinstance(tags, list) and tag in tags and persona.get(key or "id") is not None:
            return persona[key or "id"]
    return None
