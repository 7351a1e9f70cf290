"""What the execution of a plan hands to response functions, as far as those read it.

Protocols, because the execution stands above plans: its own classes have more. Generated code
(``gateway.shape.codegen``) reads these attributes by name, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from connectors.description import Database, Row
from gateway.answer import SourceReport
from gateway.derived.conclude import DerivedValue, FactValue


class ListResult(Protocol):
    """A list that was read. ``rows`` None: it is not known that there are none.

    ``below``: for each slot what hangs on the rows, in their order. ``ids``: the ``recordId`` of
    each row, and ``next_cursor``, where the plan says that they are selected. ``text``: what is to
    be shown of the rows, where their database has written it.
    """

    @property
    def text(self) -> object | None: ...

    @property
    def rows(self) -> tuple[Row, ...] | None: ...

    @property
    def truncated(self) -> bool | None: ...

    @property
    def report(self) -> SourceReport: ...

    @property
    def below(self) -> Sequence[Sequence[object]]: ...

    @property
    def ids(self) -> Sequence[str]: ...

    @property
    def next_cursor(self) -> str | None: ...


class PersonResult(Protocol):
    """A person who was opened.

    ``present_number``: None for a person without one. ``requested_number``: the one asked for.
    ``is_own_view``: the person is the citizen who asks. ``lists``, ``reports``, ``derived``,
    ``logs``, ``timelines`` and ``databases`` stand in the order of the person's plan.
    """

    @property
    def present_number(self) -> str | None: ...

    @property
    def requested_number(self) -> str: ...

    @property
    def is_own_view(self) -> bool: ...

    @property
    def identification(self) -> str | None: ...

    @property
    def notices(self) -> Sequence[object]: ...

    @property
    def lists(self) -> Sequence[ListResult | None]: ...

    @property
    def reports(self) -> Sequence[SourceReport | None]: ...

    @property
    def derived(self) -> Sequence[DerivedValue | FactValue | None]: ...

    @property
    def logs(self) -> Sequence[object]: ...

    @property
    def timelines(self) -> Sequence[object]: ...

    @property
    def databases(self) -> Sequence[Database]: ...


class IdentityResult(Protocol):
    """What a verification of a person comes to. ``mismatched`` None: that is not told."""

    @property
    def result(self) -> object: ...

    @property
    def mismatched(self) -> Sequence[object] | None: ...

    @property
    def source(self) -> SourceReport: ...


#: Whether databases answer now, by name; only those in ``Plan.live``.
LiveStates = Mapping[str, object]
#: Response functions: from what was read to values that are written as JSON.
RenderPerson = Callable[[PersonResult, LiveStates], Mapping[str, object]]
RenderList = Callable[[ListResult | None, LiveStates], Mapping[str, object] | None]
RenderVerification = Callable[[IdentityResult, LiveStates], Mapping[str, object]]
#: Of a check, or one that was made again: what is selected is read by its name.
RenderCheck = Callable[[object, LiveStates], Mapping[str, object]]
