"""The parameters of a request: as they were received, and as they were parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


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
