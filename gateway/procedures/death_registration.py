"""P4: death registration, also again.

Law on Civil Status 60/2014/QH13 Art. 32-34: within 15 days, by a relative or who stands in for one,
of a person who exists, lives according to the books and whose death is not registered already. The
cause of death comes with the notice of death; nobody looks it up.

Who is late registers all the same. A relation that the records of the two do not show is shown by a
document. Somebody declared missing may be registered as dead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from connectors.description import Text
from connectors.values import PersonNumber
from gateway.derived.life_status import LIFE_LISTS, LifeState, life_status
from gateway.derived.registers import (
    DEATHS,
    NOTES,
    declared,
    in_force,
)
from gateway.derived.view import Evidence, UnknownReason
from gateway.procedures.allow_lists import IDENTITY, KINSHIP, LIFE
from gateway.procedures.checks.civil_status_editions import (
    APPLICATION_FORM,
    civil_status_editions,
    identity_paper,
)
from gateway.procedures.checks.definition import CheckDefinition, Paper
from gateway.procedures.checks.life import ALIVE_LISTS, identified
from gateway.procedures.checks.optional_role import where_named
from gateway.procedures.checks.relation import (
    FIRST_LISTS,
    SECOND_LISTS,
    SPOUSE_READS,
    SPOUSES,
    is_close_relative,
    unproved,
)
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult
from gateway.procedures.procedure import Procedure

_DECEASED = Text("Người được khai tử", "The deceased")
_REQUESTER = Text("Người đi khai tử", "Who registers the death")
_LAW = Text("Luật Hộ tịch 60/2014/QH13, Điều 32-34", "Law on Civil Status 60/2014, Art. 32-34")
_DUTY_LAW = Text(
    "Luật Hộ tịch 60/2014/QH13, Điều 33 khoản 1", "Law on Civil Status 60/2014, Art. 33(1)"
)
_NOTICE_LAW = Text(
    "Luật Hộ tịch 60/2014/QH13, Điều 34 khoản 1", "Law on Civil Status 60/2014, Art. 34(1)"
)
_PERIOD = timedelta(days=15)
_EARLIEST = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class DeathRegistrationInput:
    """Đăng ký khai tử / Death registration."""

    deceased: Annotated[PersonNumber, Text("người được khai tử", "deceased")]
    death_date: Annotated[date, Text("ngày chết", "date of death")]
    requester: Annotated[
        PersonNumber | None, Text("người đi khai tử", "who registers the death")
    ] = None
    death_notice_no: Annotated[
        str | None, Text("số Giấy báo tử", "number of the notice of death")
    ] = None


def _is_not_registered(case: ProcedureCase) -> RuleResult:
    """Art. 32-34: a death is registered once; a declaration that was revoked registers none."""
    deceased = case.person("deceased")
    deaths, reason = deceased.list(DEATHS), None
    for row in deaths.rows:
        by_court = deaths.code(row, "death_kind") == "DECLARED_DEAD_BY_COURT"
        counts = in_force(deaths, row)
        if counts and by_court:
            counts = _is_declared_dead(deceased)
        if counts:
            return RuleResult.fails(
                Text("Đã có đăng ký khai tử.", "The death has been registered already."),
                deaths.basis(row),
            )
        if counts is None:
            reason = deceased.list(NOTES).reason or UnknownReason.NOT_RECORDED
    reason = deaths.reason or reason
    if reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được đã đăng ký khai tử hay chưa.",
                "It is not known whether the death has been registered already.",
            ),
            reason,
        )
    return RuleResult.passes(
        Text("Chưa có đăng ký khai tử.", "No registration of the death is in the books.")
    )


def _is_declared_dead(deceased: Evidence) -> bool | None:
    """Say whether a court's declaration of death holds today; None: it is not known."""
    notes = deceased.list(NOTES)
    if notes.reason is not None:
        return None
    days_covered = [
        spell.covers(deceased.question.today) for spell in declared(notes, "DECLARED_DEAD")
    ]
    if not days_covered or True in days_covered:
        return True  # the entry stands by itself where no note is about it
    return None if None in days_covered else False


def _is_recorded_alive(case: ProcedureCase) -> RuleResult:
    """Art. 32-34: the person exists, and no database has them as dead."""
    life = life_status(case.person("deceased"))
    if life.reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được tình trạng sống trong các cơ sở dữ liệu.",
                "The databases do not say for certain whether the person is alive.",
            ),
            life.reason,
        )
    if life.value is LifeState.DEAD:
        return RuleResult.fails(
            Text(
                "Theo hộ tịch, người này đã chết.",
                "The person has died by the civil status book.",
            ),
            life.basis,
        )
    if life.value is LifeState.MISSING:
        return RuleResult.passes(
            Text(
                "Người này đã bị tuyên bố mất tích, chưa được ghi là đã chết.",
                "The person was declared missing, and is not recorded as dead.",
            ),
            life.basis,
        )
    return RuleResult.passes(
        Text(
            "Các cơ sở dữ liệu ghi người này còn sống.",
            "The databases have the person as alive.",
        ),
        life.basis,
    )


def _has_notice(case: ProcedureCase) -> RuleResult:
    """Art. 34(1): the notice of death, or what stands in for it, is no record of ours."""
    if case.input.death_notice_no is None:
        return RuleResult.needs_document(
            Text(
                "Cần Giấy báo tử hoặc giấy tờ thay thế.",
                "A notice of death is needed, or a document in its place.",
            )
        )
    return RuleResult.needs_document(
        Text(
            "Đối chiếu số Giấy báo tử với Giấy báo tử hoặc dữ liệu của nơi cấp.",
            "Compare the number with the notice of death, or with the data of its issuer.",
        )
    )


def _is_requester_entitled(case: ProcedureCase) -> RuleResult:
    """Art. 33(1): spouse, child, parent or another relative; failing these, whom it concerns."""
    if not case.has("requester"):
        return RuleResult.needs_person(
            Text(
                "Người thân thích, hoặc đại diện cơ quan, tổ chức liên quan, phải đi khai tử.",
                "A relative, or who represents an agency concerned, has to register the death.",
            )
        )
    requester = case.person("requester")
    not_known = Text(
        "Chưa xác định được quan hệ của người đi khai tử với người chết.",
        "It is not known how who registers the death is related to the deceased.",
    )
    life = life_status(requester)
    if life.reason is not None:
        return RuleResult.unknown(not_known, life.reason)
    if life.value is not LifeState.ALIVE:
        return RuleResult.fails(
            Text(
                "Người đi khai tử đã chết hoặc bị tuyên bố mất tích.",
                "Who registers the death has died or was declared missing.",
            )
        )
    is_relative, reason = is_close_relative(case.person("deceased"), requester)
    if is_relative:
        return RuleResult.passes(
            Text(
                "Dữ liệu cho thấy người đi khai tử là người thân thích của người chết.",
                "Data show that who registers the death is a relative of the deceased.",
            )
        )
    not_shown = Text(
        "Dữ liệu không cho thấy quan hệ với người chết: cần giấy tờ chứng minh hoặc giới thiệu.",
        "Data show no relation to the deceased: a document has to show it, or whom they represent.",
    )
    return unproved(reason, not_shown, not_known)


def _is_within_period(case: ProcedureCase) -> RuleResult:
    """Art. 33(1): within 15 days of the death; a late registration is one all the same."""
    died, at = case.input.death_date, case.at
    if died < _EARLIEST:
        return RuleResult.unknown(
            Text("Ngày chết trước năm 1900.", "The date of death is before 1900."),
            UnknownReason.NOT_COVERED,
        )
    if died > at:
        return RuleResult.fails(
            Text(
                "Ngày chết sau ngày đăng ký khai tử.",
                "The date of death is after the day of the registration.",
            )
        )
    if at - died <= _PERIOD:
        return RuleResult.passes(
            Text("Đăng ký đúng hạn 15 ngày.", "The registration is within 15 days.")
        )
    return RuleResult.passes(
        Text(
            "Quá hạn 15 ngày: đăng ký khai tử quá hạn.",
            "The 15 days are over: it is registered as late.",
        )
    )


def _has_requester(case: ProcedureCase) -> bool:
    return case.has("requester")


CHECK = CheckDefinition(
    name="death_registration",
    input=DeathRegistrationInput,
    roles={
        "deceased": tuple(dict.fromkeys((*ALIVE_LISTS, *FIRST_LISTS))),
        "requester": tuple(dict.fromkeys((*ALIVE_LISTS, *LIFE_LISTS, *SECOND_LISTS))),
    },
    editions=civil_status_editions(
        "Điều 32-34",
        conditions=(
            identified("deceased", _DECEASED),
            ProcedureRule(
                "DEATH_NOT_REGISTERED",
                Text("chưa đăng ký khai tử", "death not registered already"),
                _LAW,
                _is_not_registered,
            ),
            ProcedureRule(
                "DECEASED_RECORDED_ALIVE",
                Text("chưa được ghi là đã chết", "not recorded as dead"),
                _LAW,
                _is_recorded_alive,
            ),
            ProcedureRule(
                "DEATH_NOTICE",
                Text("có Giấy báo tử hoặc giấy tờ thay thế", "notice of death"),
                _NOTICE_LAW,
                _has_notice,
            ),
            where_named("requester", identified("requester", _REQUESTER)),
            ProcedureRule(
                "REQUESTER_ENTITLED",
                Text(
                    "người đi khai tử có trách nhiệm khai tử",
                    "who registers the death is to do so",
                ),
                _DUTY_LAW,
                _is_requester_entitled,
                is_concealed=True,
            ),
            ProcedureRule(
                "REGISTRATION_PERIOD",
                Text("thời hạn đăng ký khai tử", "period for the registration"),
                _DUTY_LAW,
                _is_within_period,
            ),
        ),
        papers=(
            APPLICATION_FORM,
            Paper(
                "DEATH_NOTICE",
                Text("Giấy báo tử hoặc giấy tờ thay thế", "notice of death, or what replaces it"),
            ),
            identity_paper("requester", Text("người đi khai tử", "who registers the death")),
            Paper(
                "RELATION_PAPER",
                Text(
                    "giấy tờ chứng minh quan hệ với người chết",
                    "proof of the relation to the deceased",
                ),
                ("civil_status.births", "civil_status.marriages", "population.family"),
                ("REQUESTER_ENTITLED",),
                _has_requester,
            ),
        ),
    ),
    later=SPOUSE_READS,
    people=SPOUSES,
)

PROCEDURE = Procedure(
    codes=("1.000656", "1.005461"),
    title=Text("Đăng ký khai tử", "Death registration"),
    legal_basis=("Luật Hộ tịch 60/2014/QH13, Điều 32-34",),
    fields={
        "population.identity": f"{IDENTITY} card",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        # The requester's relation to the dead person; the spouse, to whom the death is told.
        "population.family": "*",
        "civil_status.births": KINSHIP,
        "civil_status.marriages": "*",
        "civil_status.deaths": "*",
        # A court may have declared the person dead, or revoked that.
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"family", "life_status", "residence"}),
    deciding=LIFE,
    check=CHECK,
)
