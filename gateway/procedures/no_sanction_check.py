"""P12: check that somebody counts as not sanctioned, as part of licensing procedures.

Law on Handling of Administrative Violations 15/2012/QH13 Art. 7: after the period stated there,
whoever was sanctioned counts as never sanctioned. The answer is a boolean and comes by a way of its
own; the violations themselves are for nobody who only has to know that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from connectors.description import Text
from connectors.values import PersonNumber
from gateway.derived.unsanctioned import EXECUTIONS, SANCTION_LISTS, unsanctioned_on
from gateway.procedures.allow_lists import IDENTITY
from gateway.procedures.checks.definition import (
    CheckDefinition,
    Edition,
    TypedResult,
)
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult
from gateway.procedures.procedure import Procedure

_APPLICANT = Text("Người đề nghị", "The applicant")
_LAW = Text(
    "Luật Xử lý vi phạm hành chính 15/2012/QH13, Điều 7",
    "Law on Handling of Administrative Violations 15/2012, Art. 7",
)


@dataclass(frozen=True, slots=True)
class NoSanctionCheckInput:
    """Kiểm tra "chưa bị xử phạt" / No-sanction check."""

    applicant: Annotated[PersonNumber, Text("người đề nghị", "applicant")]
    sector: Annotated[
        str | None,
        Text("lĩnh vực; bỏ trống là mọi lĩnh vực", "field of administration; all if left out"),
    ] = None


def _unsanctioned(case: ProcedureCase) -> RuleResult:
    """Art. 7: whether no sanction or measure counts on the day of the procedure."""
    conclusion = unsanctioned_on(case.person("applicant"), case.at, case.input.sector)
    if conclusion.reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được người đề nghị có đang bị coi là đã bị xử lý hay không.",
                "It is not known whether the applicant counts as sanctioned.",
            ),
            conclusion.reason,
        )
    if conclusion.value:
        return RuleResult.passes(
            Text(
                "Người đề nghị được coi là chưa bị xử lý vi phạm hành chính.",
                "The applicant counts as not sanctioned.",
            )
        )
    return RuleResult.fails(
        Text(
            "Người đề nghị chưa hết thời hạn được coi là chưa bị xử lý vi phạm hành chính.",
            "The period after which the applicant counts as not sanctioned is not over.",
        )
    )


def _is_unsanctioned(case: ProcedureCase) -> bool | None:
    value = unsanctioned_on(case.person("applicant"), case.at, case.input.sector).value
    return value if isinstance(value, bool) else None


CHECK = CheckDefinition(
    name="no_sanction_check",
    input=NoSanctionCheckInput,
    roles={"applicant": tuple(dict.fromkeys((*ALIVE_LISTS, *SANCTION_LISTS)))},
    editions=(
        Edition(
            since=date(2013, 7, 1),
            law=("Luật Xử lý vi phạm hành chính 15/2012/QH13, Điều 7",),
            competent_body=Text(
                "Cơ quan cấp phép của thủ tục chính", "The licensing body of the main procedure"
            ),
            deadline=None,
            conditions=(
                identified("applicant", _APPLICANT),
                alive("applicant", _APPLICANT),
                ProcedureRule(
                    "UNSANCTIONED",
                    Text(
                        "được coi là chưa bị xử lý vi phạm hành chính", "counts as not sanctioned"
                    ),
                    _LAW,
                    _unsanctioned,
                ),
            ),
        ),
    ),
    later=(EXECUTIONS,),
    results=(
        TypedResult(
            "is_considered_unsanctioned",
            Text("được coi là chưa bị xử phạt", "considered as not sanctioned"),
            bool,
            _is_unsanctioned,
        ),
    ),
)

PROCEDURE = Procedure(
    codes=("no-sanction-check",),
    title=Text('Kiểm tra "chưa bị xử phạt"', "No-sanction check"),
    legal_basis=("Luật Xử lý vi phạm hành chính 15/2012/QH13, Điều 7",),
    fields={"population.identity": IDENTITY},
    derived=frozenset({"is_considered_unsanctioned"}),
    check=CHECK,
)
