"""Publishing: a file turned into an operation that is ready to be called, or refused with a reason.

A published operation is permitted as a whole: each of its purposes needs every field of it. The
review stands for the scopes (``PublishedOperation.lends``): a partner's token needs none, and a
call has neither more nor less than was reviewed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from graphql import GraphQLSchema, IntValueNode, OperationType
from graphql.execution.values import VariableValues

from connectors.description import Sensitivity
from gateway.access.caller import Caller
from gateway.catalogue.entry_points import EntryPoint
from gateway.catalogue.scopes import scope
from gateway.catalogue.sections import Bindings
from gateway.catalogue.verification import POPULATION
from gateway.errors import GatewayError
from gateway.operations.completeness import find_unqualified
from gateway.operations.header import OperationFile, OperationRefused, parse_file
from gateway.operations.operation import OperationHeader, PublishedOperation
from gateway.permission.denials import find_denials
from gateway.plan.compile import AnalysedOperation, Conditions, SelectedOperation, analyse_operation
from gateway.plan.document import Document, InvalidDocument, Operation, parse_document
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import DEFAULT_FIRST, ListArguments, longest_page
from gateway.plan.permissions import Permissions, requested_fields
from gateway.plan.plan import PersonRootPlan, Plan
from gateway.procedures.procedure import UNIFIED, national
from gateway.procedures.registry import procedure_of
from gateway.settings import Limits
from gateway.shape.codegen import compile_plan

#: Variables in ``@include`` and ``@skip``: each doubles the plans that are made.
_MOST_CONDITIONS = 4
_PURPOSE = "purpose:"

_Plans = dict[tuple[Conditions, bool], tuple[Permissions, Plan]]


def publish(
    schema: GraphQLSchema, bindings: Bindings, limits: Limits, demo: bool, file: Path, text: str
) -> PublishedOperation:
    """Return the operation in the ``text`` of ``file``; raises OperationRefused.

    ``demo``: the purpose of measurements, which covers everything, may be published. Costs what the
    document costs to parse, validate and plan: some milliseconds.
    """
    source = parse_file(text)
    header = source.header
    document = _document(schema, limits, source)
    operation = _operation(document, source)
    _hold_purposes(source, operation, demo)
    prepared: dict[Conditions, AnalysedOperation] = {}
    plans: _Plans = {}
    lends: set[str] = set()
    for chosen in _choices(document, operation, source):
        made = _prepared(schema, bindings, chosen, source)
        _require_completeness(made, source)
        lends.update(_lent(made, header))
        prepared[made.key] = made
    if operation.opens_persons and not any(one.endswith(":read") for one in lends):
        lends.add(scope(POPULATION, Sensitivity.BASIC))  # whose number it is, the population says
    lent = frozenset(lends)
    for key, made in prepared.items():
        for citizen in (False, True):
            plans[key, citizen] = _planned(
                made, header, lent, citizen, operation.reads_own_view, source
            )
    for _, plan in plans.values():
        _hold_matching(plan, source)
    cost = max((_worst(made, limits) for made in prepared.values()), default=0)
    _hold_cost(source, cost, limits)
    kept = {key: made.without_analysis() for key, made in prepared.items()}
    if prepared:
        document = document.without_tree()
    return PublishedOperation(file, header, document, operation, cost, lent, kept, plans)


def withheld(published: PublishedOperation) -> list[str]:
    """Return the paths that protection withholds from every caller, whatever the person."""
    header, own = published.header, published.operation.reads_own_view
    found = (
        one.path
        for purpose in header.purposes or (None,)
        for (_, citizen), (_, plan) in published.plans.items()
        if citizen is own
        for one in find_denials(plan, reviewed(header, published.lends, purpose, own))
        if not one.missing
    )
    return list(dict.fromkeys(found))


def _document(schema: GraphQLSchema, limits: Limits, source: OperationFile) -> Document:
    try:
        return parse_document(schema, limits, source.document)
    except InvalidDocument as error:
        first = error.errors[0]
        line = first.locations[0].line if first.locations else 1
        raise OperationRefused(source.line(line), f"{error.code}: {first.message}") from None
    except GatewayError as error:
        raise OperationRefused(source.line(1), f"{error.code.name}: {error.message}") from None


def _operation(document: Document, source: OperationFile) -> Operation:
    operations = list(document.operations.values())
    first = source.line(1)
    if len(operations) != 1:
        raise OperationRefused(first, "the document has more than one operation")
    (operation,) = operations
    if operation.kind is not OperationType.QUERY:
        raise OperationRefused(first, "only a query can be published")
    if operation.introspects:
        raise OperationRefused(first, "the schema is not asked about itself")
    if len(operation.conditions) > _MOST_CONDITIONS:
        raise OperationRefused(
            first, f"more than {_MOST_CONDITIONS} variables decide what is included"
        )
    return operation


def _hold_purposes(source: OperationFile, operation: Operation, demo: bool) -> None:
    purposes, line = source.header.purposes, source.lines.get("purposes", 1)
    for one in purposes:
        if procedure_of(one) is None or one != national(one):
            raise OperationRefused(line, f"there is no procedure with the code {one}")
        if one == UNIFIED and not demo:
            raise OperationRefused(line, f"{UNIFIED} is for measurements only")
    if operation.names_persons and not purposes:
        raise OperationRefused(line, "it names persons, so it needs purposes")
    if operation.reads_own_view and purposes:
        raise OperationRefused(
            line, "the citizen's own view needs no purpose: publish it by itself"
        )


def _choices(
    document: Document, operation: Operation, source: OperationFile
) -> Iterator[SelectedOperation]:
    """Yield the operation under all values of the variables that decide what is included."""
    if not operation.reads_persons:
        return
    names = operation.conditions
    for values in itertools.product((False, True), repeat=len(names)):
        given = VariableValues({}, dict(zip(names, values, strict=True)))
        yield SelectedOperation(document, operation, given)


def _prepared(
    schema: GraphQLSchema, bindings: Bindings, chosen: SelectedOperation, source: OperationFile
) -> AnalysedOperation:
    try:
        return analyse_operation(schema, bindings, chosen)
    except GatewayError as error:
        raise OperationRefused(source.line(1), f"{error.code.name}: {error.message}") from None


def _require_completeness(made: AnalysedOperation, source: OperationFile) -> None:
    """Refuse an operation whose callers could take a short list for a whole one."""
    assert made.analysis is not None
    for shown in find_unqualified(made.analysis):
        lacks = " and ".join(shown.lacks)
        raise OperationRefused(
            source.line(shown.line), f"{shown.path} shows records without {lacks}"
        )


def _lent(made: AnalysedOperation, header: OperationHeader) -> Iterator[str]:
    """Yield the scopes that callers of the operation would need for what it asks for."""
    caller = Caller(purpose=header.purposes[0] if header.purposes else None)
    for (wanted, position), asked in zip(made.needs, made.selected, strict=True):
        # The own view needs no scope, and what is public of a thing needs that of its entry alone.
        if asked and (header.purposes or isinstance(wanted, EntryPoint)):
            lacking = caller.missing_for(wanted, position)
            yield from (one for one in lacking if not one.startswith(_PURPOSE))


def reviewed(
    header: OperationHeader, lends: frozenset[str], purpose: str | None, citizen: bool
) -> Caller:
    """Return somebody who calls the operation, with just the rights that it lends."""
    return Caller("-", scopes=lends, purpose=purpose, citizen="-" if citizen else None)


def _planned(
    made: AnalysedOperation,
    header: OperationHeader,
    lends: frozenset[str],
    citizen: bool,
    own: bool,
    source: OperationFile,
) -> tuple[Permissions, Plan]:
    """Plan an operation for its callers; raises OperationRefused where a purpose needs less."""
    assert made.analysis is not None
    for purpose in header.purposes or (None,):
        caller = reviewed(header, lends, purpose, citizen)
        lacking = tuple(caller.missing_for(*need) for need in made.needs)
        fields = requested_fields(made.needs, made.selected, lacking)
        permissions = Permissions(lacking, citizen, fields)
        plan = compile_plan(made.analysis, permissions)
        if not own:
            _hold_denied(plan, caller, source)
    return permissions, plan


def _hold_denied(plan: Plan, caller: Caller, source: OperationFile) -> None:
    for one in find_denials(plan, caller):
        if one.missing:
            raise OperationRefused(
                source.line(one.line), f"{one.path} lacks {', '.join(one.missing)}"
            )


def _hold_matching(plan: Plan, source: OperationFile) -> None:
    """Refuse an operation that partners could never call: its people can't be matched."""
    if source.header.matching == "none":
        return
    for root in plan.roots.values():
        if not isinstance(root, PersonRootPlan) or root.name == "me":
            continue
        given: Iterable[str] = ()
        if not isinstance(root.arguments, DynamicArguments):
            given = root.arguments
        else:
            given = [argument.name.value for argument in root.arguments.node.arguments or ()]
        if "matching" not in given:
            line = root.place.locations[0]["line"] if root.place.locations else 1
            raise OperationRefused(
                source.line(line),
                f"{root.name} takes no matching, and the header does not say 'matching: none'",
            )


def _worst(made: AnalysedOperation, limits: Limits) -> int:
    """Return what an operation costs with the dearest values of its variables."""
    return made.cost.at([_dearest(one, limits) for one in made.dynamic])


def _dearest(arguments: DynamicArguments, limits: Limits) -> object:
    """Return what the arguments of a field come to that make it read the most."""
    if arguments.record is None:
        return {"ids": range(limits.persons)}
    given = {one.name.value: one.value for one in arguments.node.arguments or ()}
    first = given.get("first")
    if isinstance(first, IntValueNode):
        return ListArguments(first=int(first.value))
    return ListArguments(first=DEFAULT_FIRST if first is None else longest_page(arguments.record))


def _hold_cost(source: OperationFile, cost: int, limits: Limits) -> None:
    line = source.lines["cost"]
    if cost > source.header.cost:
        raise OperationRefused(
            line, f"it may cost up to {cost}, which is more than {source.header.cost}"
        )
    if source.header.cost > limits.cost:
        raise OperationRefused(line, f"no operation may cost more than {limits.cost}")
