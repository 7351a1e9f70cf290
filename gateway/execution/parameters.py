"""The parameters of a request: as they were received, and as they were parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.errors import malformed


@dataclass(frozen=True, slots=True)
class Parameters:
    """The well-formed parameters of a request (GraphQL over HTTP specification, section 5.1).

    ``query`` is empty where a published operation is called, by ``published`` (one of its
    identifiers). ``plan``: the answer is to show the plan too (``"extensions": {"plan": true}``).
    """

    query: str
    operation_name: str | None
    variables: Mapping[str, object] | None
    in_url: bool
    plan: bool = False
    published: str | None = None


class ReceivedRequest:
    """A request that a door has received and not parsed.

    ``parse_body``: returns the parameters of a body, beside the operation that the path names;
    raises GatewayError for those that are not well-formed. It must depend on nothing else: equal
    bodies are parsed once. ``body``: None where the parameters come from elsewhere.
    """

    __slots__ = ("_parse_body", "body", "operation")

    def __init__(
        self,
        parse_body: Callable[[bytes, str | None], Parameters],
        body: bytes | None,
        operation: str | None = None,
    ) -> None:
        self._parse_body = parse_body
        self.body = body
        self.operation = operation

    def parse(self) -> Parameters:
        """Return the parameters; raises GatewayError BAD_JSON or BAD_REQUEST."""
        return self._parse_body(self.body or b"", self.operation)


def parse_parameters(parameters: Mapping[str, object], in_url: bool) -> Parameters:
    """Return the parameters of a request by name, if they are well-formed.

    ``in_url``: they came by GET. Raises GatewayError BAD_REQUEST.
    """
    query, published = parameters.get("query"), parameters.get("documentId")
    name = parameters.get("operationName")
    variables, extensions = parameters.get("variables"), parameters.get("extensions")
    if published is not None and (query is not None or not isinstance(published, str)):
        raise malformed("documentId must be a string, in place of query")
    if published is None and (not isinstance(query, str) or not query.strip()):
        raise malformed("query must be a string")
    if name is not None and not isinstance(name, str):
        raise malformed("operationName must be a string")
    if variables is not None and not isinstance(variables, dict):
        raise malformed("variables must be an object")
    if extensions is not None and not isinstance(extensions, dict):
        raise malformed("extensions must be an object")
    if parameters.get("onError") not in (None, "NULL"):
        raise malformed("onError must be NULL: a field that fails is null, and the rest stands")
    plan = (extensions or {}).get("plan", False)
    if not isinstance(plan, bool):
        raise malformed("extensions.plan must be true or false")
    return Parameters(str(query or ""), name or None, variables, in_url, plan, published)
