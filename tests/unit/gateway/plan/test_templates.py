"""Which lists a database could write: those that show rows as they are, to who may see all.

Covers ``gateway.plan.templates``.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from connectors.description import Sensitivity
from connectors.registry import installed_databases
from connectors.row_template import Constant, RowTemplate, StructTemplate
from gateway.access.caller import Caller
from gateway.catalogue.scopes import scope
from gateway.catalogue.sections import bind_sections
from gateway.plan.compile import analyse_operation, select_operation
from gateway.plan.document import parse_document
from gateway.plan.permissions import Permissions
from gateway.plan.plan import PersonRootPlan
from gateway.procedures.procedure import UNIFIED
from gateway.settings import Limits
from gateway.shape.codegen import compile_plan
from tests.support.running import built

ALL = tuple(Sensitivity)
MARRIAGES = next(
    database for database in installed_databases() if database.name == "civil_status"
).by_name["marriages"]


def _template(selected: str, levels: Iterable[Sensitivity] = ALL) -> RowTemplate | None:
    """Return the template of marriages of which ``selected`` is shown, to a caller with scopes."""
    databases = installed_databases()
    text = f'{{ person(id: "001090012345") {{ civilStatus {{ marriages {{ {selected} }} }} }} }}'
    schema = built(databases)
    document = parse_document(schema, Limits(), text)
    chosen = select_operation(schema, document, document.operation(None), {})
    prepared = analyse_operation(schema, bind_sections(databases), chosen)
    assert prepared.analysis is not None
    scopes = frozenset(scope("civil_status", level) for level in levels)
    caller = Caller("reader", scopes=scopes, purpose=UNIFIED)
    lacking = tuple(caller.missing_for(*need) for need in prepared.needs)
    plan = compile_plan(prepared.analysis, Permissions(lacking, False))
    root = plan.roots["person"]
    assert isinstance(root, PersonRootPlan)
    return root.person.lists[0].template


def test_a_template_has_leaves_structs_and_names_of_types_in_their_order() -> None:
    template = _template("items { __typename no: registerNo wife { name citizenId } }")
    assert template is not None
    positions = MARRIAGES.positions
    places = [at for at, column in enumerate(MARRIAGES.columns) if column.path[0] == "wife"]
    name, number = positions["wife_name"], positions["wife_citizen_id"]
    below = (("name", name), ("citizenId", number))
    assert template.entries == (
        ("__typename", Constant("Marriage")),
        ("no", positions["register_no"]),
        ("wife", StructTemplate(places[0], places[-1] + 1, below)),
    )
    assert number in template.mentions


def test_the_same_selection_gives_the_same_template() -> None:
    assert _template("items { registerNo }") is _template("source { state } items { registerNo }")


@pytest.mark.parametrize(
    "selected",
    [
        "items { recordId }",
        "items { amendments }",
        "items { registerNo wife { person { id } } }",
        "items { wife { enterpriseCodeIsValid } }",
        "a: items { registerNo } items { bookNo }",
        "truncated",
    ],
)
def test_what_is_more_than_columns_is_read_as_rows(selected: str) -> None:
    assert _template(selected) is None


def test_a_denied_field_is_read_as_rows() -> None:
    assert _template("items { registerNo wife { name ethnicity } }") is not None
    levels = (Sensitivity.PUBLIC, Sensitivity.BASIC)
    assert _template("items { registerNo wife { name ethnicity } }", levels) is None


def test_a_struct_of_which_something_is_denied_is_read_as_rows() -> None:
    """Whether it is null then depends on what the caller may see."""
    levels = (Sensitivity.PUBLIC, Sensitivity.BASIC)
    assert _template("items { registerNo wife { name } }", levels) is None
    assert _template("items { registerNo registrationOffice { name } }", levels) is not None
