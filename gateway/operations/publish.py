"""Publishing: makes an operation that is ready to be called of a file, or refuses the file.

A published operation is permitted as a whole: each of its purposes needs every field of it. The
review stands for the scopes (``PublishedOperation.lends``): a partner's token needs none, and a
call has neither more nor less than was reviewed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from graphql import GraphQLSchema, IntValueNode, OperationType, StringValueNode
from graphql.execution.values import VariableValues

from connectors.description import Sensitivity
from gateway.access.caller import Caller
from gateway.catalogue.checks import MOST_CASES
from gateway.catalogue.entities import ENTITIES
from gateway.catalogue.entry_points import EntryPoint
from gateway.catalogue.life_events import INTEREST_MUTATIONS
from gateway.catalogue.life_events import SCOPE as EVENTS
from gateway.catalogue.scopes import scope
from gateway.catalogue.sections import Bindings
from gateway.catalogue.verification import POPULATION
from gateway.changes.origins import origins_of
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
from gateway.plan.plan import CheckPlan, PersonRootPlan, Plan
from gateway.plan.selection import CheckShape
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
    document = _parse_document(schema, limits, source)
    operation = _single_operation(document, source)
    _require_purposes(source, operation, demo)
    prepared: dict[Conditions, AnalysedOperation] = {}
    plans: _Plans = {}
    lends: set[str] = set()
    for variant in _variants(document, operation, source):
        analysed = _analyse(schema, bindings, variant, source)
        _require_completeness(analysed, source)
        _require_procedure_purposes(analysed, source)
        lends.update(_needed_scopes(analysed, header))
        prepared[analysed.key] = analysed
    if operation.opens_persons and not any(lent_scope.endswith(":read") for lent_scope in lends):
        lends.add(
            scope(POPULATION, Sensitivity.BASIC)
        )  # the population database resolves the number
    if operation.reads_events:
        lends.update(_event_scopes(bindings, header))
    lent = frozenset(lends)
    for key, analysed in prepared.items():
        for citizen in (False, True):
            plans[key, citizen] = _compile(
                analysed, header, lent, citizen, operation.reads_own_view, source
            )
    for _, plan in plans.values():
        _require_matching(plan, source)
    cost = max((_highest_cost(analysed, limits) for analysed in prepared.values()), default=0)
    _enforce_cost(source, cost, limits)
    prepared_operations = {key: analysed.without_analysis() for key, analysed in prepared.items()}
    if prepared:
        document = document.without_tree()
    return PublishedOperation(
        file, header, document, operation, cost, lent, prepared_operations, plans
    )


def withheld_paths(published: PublishedOperation) -> list[str]:
    """Return the paths that protection withholds from every caller, for every person."""
    header, is_own_view = published.header, published.operation.reads_own_view
    paths = (
        denial.path
        for purpose in header.purposes or (None,)
        for (_, citizen), (_, plan) in published.plans.items()
        if citizen is is_own_view
        for denial in find_denials(
            plan, reviewed_caller(header, published.lends, purpose, is_own_view)
        )
        if not denial.missing
    )
    return list(dict.fromkeys(paths))


def _parse_document(schema: GraphQLSchema, limits: Limits, source: OperationFile) -> Document:
    try:
        return parse_document(schema, limits, source.document)
    except InvalidDocument as error:
        first = error.errors[0]
        line = first.locations[0].line if first.locations else 1
        raise OperationRefused(source.line(line), f"{error.code}: {first.message}") from None
    except GatewayError as error:
        raise OperationRefused(source.line(1), f"{error.code.name}: {error.message}") from None


def _single_operation(document: Document, source: OperationFile) -> Operation:
    """Return the operation of a file: a query, or what registers and ends interests in events."""
    operations = list(document.operations.values())
    first = source.line(1)
    if len(operations) != 1:
        raise OperationRefused(first, "the document has more than one operation")
    (operation,) = operations
    is_of_interests = operation.root_fields <= INTEREST_MUTATIONS
    is_mutation = operation.kind is OperationType.MUTATION
    if operation.kind is not OperationType.QUERY and not (is_mutation and is_of_interests):
        raise OperationRefused(first, "only a query can be published")
    if operation.introspects:
        raise OperationRefused(first, "the schema is not asked about itself")
    if operation.defers:
        raise OperationRefused(first, "@defer: a published operation is answered as a whole")
    if ENTITIES in operation.root_fields:
        raise OperationRefused(first, f"{ENTITIES} is for the routers of a federated graph")
    if len(operation.conditions) > _MOST_CONDITIONS:
        raise OperationRefused(
            first, f"more than {_MOST_CONDITIONS} variables decide what is included"
        )
    return operation


def _require_purposes(source: OperationFile, operation: Operation, demo: bool) -> None:
    purposes, line = source.header.purposes, source.lines.get("purposes", 1)
    for purpose in purposes:
        if procedure_of(purpose) is None or purpose != national(purpose):
            raise OperationRefused(line, f"there is no procedure with the code {purpose}")
        if purpose == UNIFIED and not demo:
            raise OperationRefused(line, f"{UNIFIED} is for measurements only")
    if operation.names_persons and not purposes:
        raise OperationRefused(line, "it names persons, so it needs purposes")
    if operation.reads_events and not purposes:
        raise OperationRefused(line, "it reads events of people, so it needs purposes")
    if operation.reads_own_view and purposes:
        raise OperationRefused(
            line, "the citizen's own view needs no purpose: publish it by itself"
        )


def _variants(
    document: Document, operation: Operation, source: OperationFile
) -> Iterator[SelectedOperation]:
    """Yield the operation under all values of its variables in ``@include`` and ``@skip``."""
    if not operation.reads_persons:
        return
    names = operation.conditions
    for values in itertools.product((False, True), repeat=len(names)):
        variables = VariableValues({}, dict(zip(names, values, strict=True)))
        yield SelectedOperation(document, operation, variables)


def _analyse(
    schema: GraphQLSchema, bindings: Bindings, variant: SelectedOperation, source: OperationFile
) -> AnalysedOperation:
    try:
        return analyse_operation(schema, bindings, variant)
    except GatewayError as error:
        raise OperationRefused(source.line(1), f"{error.code.name}: {error.message}") from None


def _require_completeness(analysed: AnalysedOperation, source: OperationFile) -> None:
    """Refuse an operation whose callers could take an incomplete list for a complete one."""
    assert analysed.analysis is not None
    for field in find_unqualified(analysed.analysis):
        lacks = " and ".join(field.lacks)
        raise OperationRefused(
            source.line(field.line), f"{field.path} shows records without {lacks}"
        )


def _require_procedure_purposes(analysed: AnalysedOperation, source: OperationFile) -> None:
    """Refuse a check that no caller could make: its purpose must be the procedure itself."""
    assert analysed.analysis is not None
    for root in analysed.analysis.roots.values():
        if not isinstance(root, CheckShape):
            continue
        line = source.line(root.place.locations[0]["line"])
        code = _checked_code(root.arguments)
        procedure = None if code is None else procedure_of(code)
        if procedure is None:
            raise OperationRefused(line, "the code of a check must name a procedure, literally")
        if not set(source.header.purposes) <= set(procedure.codes):
            raise OperationRefused(line, f"the purposes of a check must be {code} itself")


def _checked_code(arguments: Mapping[str, object] | DynamicArguments) -> str | None:
    """Return the code of the procedure that is checked; None where a variable names it."""
    if not isinstance(arguments, DynamicArguments):
        return str(arguments["code"])
    literals = {argument.name.value: argument.value for argument in arguments.node.arguments or ()}
    code = literals.get("code")
    return code.value if isinstance(code, StringValueNode) else None


def _needed_scopes(analysed: AnalysedOperation, header: OperationHeader) -> Iterator[str]:
    """Yield the scopes that the fields of an operation need."""
    caller = Caller(purpose=header.purposes[0] if header.purposes else None)
    for (permitted, position), is_selected in zip(analysed.needs, analysed.selected, strict=True):
        # The own view needs no scope; PUBLIC fields of a thing need that of its entry alone.
        if is_selected and (header.purposes or isinstance(permitted, EntryPoint)):
            lacking = caller.missing_for(permitted, position)
            yield from (
                missing_scope for missing_scope in lacking if not missing_scope.startswith(_PURPOSE)
            )


def _event_scopes(bindings: Bindings, header: OperationHeader) -> Iterator[str]:
    """Yield the scope of events, and those of the records whose events all purposes need."""
    yield EVENTS
    sections = bindings.sections.values()
    databases = {section.database.name: section.database for section in sections}
    procedures = [procedure_of(purpose) for purpose in header.purposes]
    for origin in origins_of(databases.values()):
        record = origin.record
        if all(
            procedure is not None and procedure.covers(record, None) for procedure in procedures
        ):
            yield scope(f"{record.database}.{record.name}", Sensitivity.BASIC)


def reviewed_caller(
    header: OperationHeader, lends: frozenset[str], purpose: str | None, citizen: bool
) -> Caller:
    """Return a caller with just the rights that an operation lends."""
    return Caller("-", scopes=lends, purpose=purpose, citizen="-" if citizen else None)


def _compile(
    analysed: AnalysedOperation,
    header: OperationHeader,
    lends: frozenset[str],
    citizen: bool,
    is_own_view: bool,
    source: OperationFile,
) -> tuple[Permissions, Plan]:
    """Plan an operation for its callers; raises OperationRefused where a purpose needs less."""
    assert analysed.analysis is not None
    for purpose in header.purposes or (None,):
        caller = reviewed_caller(header, lends, purpose, citizen)
        lacking = tuple(caller.missing_for(*need) for need in analysed.needs)
        fields = requested_fields(analysed.needs, analysed.selected, lacking)
        permissions = Permissions(lacking, citizen, fields)
        plan = compile_plan(analysed.analysis, permissions)
        if not is_own_view:
            _require_permission(plan, caller, source)
    return permissions, plan


def _require_permission(plan: Plan, caller: Caller, source: OperationFile) -> None:
    for denial in find_denials(plan, caller):
        if denial.missing:
            raise OperationRefused(
                source.line(denial.line), f"{denial.path} lacks {', '.join(denial.missing)}"
            )


def _require_matching(plan: Plan, source: OperationFile) -> None:
    """Refuse an operation that partners could never call: it takes no details to match."""
    if source.header.matching == "none":
        return
    for root in plan.roots.values():
        if isinstance(root, CheckPlan):  # its people are named by number alone
            line = source.line(root.place.locations[0]["line"])
            reason = "a check takes no matching, and the header does not say 'matching: none'"
            raise OperationRefused(line, reason)
        if not isinstance(root, PersonRootPlan) or root.name == "me":
            continue
        argument_names: Iterable[str] = ()
        if not isinstance(root.arguments, DynamicArguments):
            argument_names = root.arguments
        else:
            argument_names = [
                argument.name.value for argument in root.arguments.node.arguments or ()
            ]
        if "matching" not in argument_names:
            line = root.place.locations[0]["line"] if root.place.locations else 1
            raise OperationRefused(
                source.line(line),
                f"{root.name} takes no matching, and the header does not say 'matching: none'",
            )


def _highest_cost(analysed: AnalysedOperation, limits: Limits) -> int:
    """Return the most that an operation can cost, whatever its variables."""
    return analysed.cost.at(
        [_costliest_arguments(arguments, limits) for arguments in analysed.dynamic]
    )


def _costliest_arguments(arguments: DynamicArguments, limits: Limits) -> object:
    """Return the arguments with which a field reads the most."""
    if arguments.record is None:
        code = _checked_code(arguments)
        return {"ids": range(limits.persons), "code": code, "cases": range(MOST_CASES)}
    literals = {argument.name.value: argument.value for argument in arguments.node.arguments or ()}
    first = literals.get("first")
    if isinstance(first, IntValueNode):
        return ListArguments(first=int(first.value))
    return ListArguments(first=DEFAULT_FIRST if first is None else longest_page(arguments.record))


def _enforce_cost(source: OperationFile, cost: int, limits: Limits) -> None:
    line = source.lines["cost"]
    if cost > source.header.cost:
        raise OperationRefused(
            line, f"it may cost up to {cost}, which is more than {source.header.cost}"
        )
    if source.header.cost > limits.cost:
        raise OperationRefused(line, f"no operation may cost more than {limits.cost}")
