"""A dry run: what a caller would be denied in a document, and its cost, without any read.

It takes the steps of a request (``gateway.request``) up to the plan, and examines the plan in place
of running it. It needs no values of variables: fields that ``@include`` and ``@skip`` could leave
out are examined too, and the cost is the highest that values could lead to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from graphql import DirectiveNode, GraphQLSchema, VariableNode, parse
from graphql.execution.values import VariableValues

from connectors.description import Text
from gateway.access.caller import Caller
from gateway.errors import CODES, GatewayError
from gateway.execution.plan_cache import PlanCache
from gateway.execution.resources import ExecutionResources
from gateway.permission.denials import DeniedField, find_denials
from gateway.permission.operation import permit
from gateway.permission.reasons import ExplainedDenial, explain_denials
from gateway.plan.compile import AnalysedOperation, SelectedOperation
from gateway.plan.document import Document, InvalidDocument, Operation, describe_document
from gateway.plan.highest_cost import highest_arguments
from gateway.plan.syntax import walk_nodes
from gateway.procedures.procedure import national
from gateway.procedures.registry import procedure_of
from gateway.settings import Limits

#: Any case number will do: the dry run is of the document, not of the case.
_CASE = "-"


#: The largest Int of GraphQL (GraphQL 3.5.1).
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class TrialCost:
    """What an operation costs at most, and the limit of one request.

    ``depends_on_variables``: with other values it may cost less.
    """

    at_most: int
    limit: int
    depends_on_variables: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of a dry run.

    ``code`` and ``message``: why the document would be refused, None where it would be answered.
    ``denied``: the fields that would be null for lack of scope or purpose, or by protection.
    ``cost``: None where it is not known, or nothing is read about persons.
    """

    code: str | None
    message: Text | None
    denied: tuple[ExplainedDenial, ...] = ()
    cost: TrialCost | None = None


async def trial(
    resources: ExecutionResources, caller: Caller, text: str, name: str | None, purpose: str | None
) -> Trial:
    """Return the result of a dry run of ``text`` for ``caller``, under ``purpose`` or theirs.

    Costs as much as a new document does, and counts as one among those of dry runs
    (``limits.trial_documents_per_minute``). Never raises for an invalid document.
    """
    cost = None
    denied: tuple[ExplainedDenial, ...] = ()
    try:
        asking = _under(caller, purpose)
        document = await resources.trials.document(text, caller.client)
        operation = document.operation(name)
        permit(asking, document, operation, in_url=False)
        if operation.reads_persons:
            prepared, denials = await _examine(resources.trials, asking, document, operation)
            databases = {name: source.database for name, source in resources.sources.items()}
            denied = explain_denials(denials, asking.purpose, databases)
            cost = _cost(prepared, resources.settings.limits)
            if prepared.cost.fixed > cost.limit and resources.settings.limits.cost_enforced:
                raise GatewayError("TOO_COSTLY")
    except InvalidDocument as error:
        code = CODES[error.code]
        return Trial(code.name, Text(code.vi, code.en))
    except GatewayError as error:
        return Trial(error.code.name, Text(error.code.vi, error.message), denied, cost)
    return Trial(None, None, denied, cost)


def _cost(prepared: AnalysedOperation, limits: Limits) -> TrialCost:
    highest = prepared.cost.at(highest_arguments(prepared.dynamic, limits.persons))
    varies = bool(prepared.cost.varying)
    return TrialCost(min(highest, _LARGEST), min(limits.cost, _LARGEST), varies)


def _under(caller: Caller, purpose: str | None) -> Caller:
    stated = purpose or caller.purpose
    if purpose is not None and not caller.purposes & {purpose, national(purpose)}:
        raise GatewayError("PURPOSE_NOT_GRANTED")
    if purpose is not None and procedure_of(purpose) is None:
        raise GatewayError("PURPOSE_UNKNOWN")
    return replace(caller, purpose=stated, case_number=caller.case_number or _CASE)


async def _examine(
    plans: PlanCache, caller: Caller, document: Document, operation: Operation
) -> tuple[AnalysedOperation, tuple[DeniedField, ...]]:
    """Return an operation analysed, and what of it is denied."""
    if operation.conditions:
        document = _unconditional(plans.schema, document)
        operation = document.operation(operation.name)
    chosen = SelectedOperation(document, operation, VariableValues({}, {}))
    prepared = await plans.prepared(chosen, caller.client)
    permissions = plans.permissions(prepared, caller)
    plan = await plans.plan(chosen, prepared, permissions, caller.client)
    if plan is None:
        raise GatewayError("INTERNAL")
    return prepared, tuple(dict.fromkeys(find_denials(plan, caller)))


def _unconditional(schema: GraphQLSchema, document: Document) -> Document:
    """Return ``document`` with all in it that variables could leave out."""
    text = document.text
    for node in walk_nodes(parse(text)):
        if isinstance(node, DirectiveNode) and node.loc is not None and _asks(node):
            start, end = node.loc.start, node.loc.end
            text = text[:start] + " " * (end - start) + text[end:]
    return describe_document(schema, parse(text), text, document.names_person)


def _asks(directive: DirectiveNode) -> bool:
    return any(isinstance(argument.value, VariableNode) for argument in directive.arguments or ())
