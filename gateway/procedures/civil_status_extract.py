"""P5: copy of an extract from the civil status books, or of a birth certificate.

Law on Civil Status 60/2014/QH13 Art. 63-64: to the person, a representative or an agency with a
stated reason. An extract prints the content of the record as last amended, therefore also the
ethnicity and the cause of death; not what stood there before, and no notes in the margin.

Parents represent their minor children, guardians their wards (Civil Code 91/2015/QH13 Art. 136, not
quoted in the project's sources: an assumption); who else asks shows an authorisation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from connectors.description import Coded, Row, Text
from connectors.values import PersonNumber
from gateway.derived.registers import BIRTHS, DEATHS, in_force
from gateway.derived.view import Facts, UnknownReason
from gateway.procedures.allow_lists import IDENTITY
from gateway.procedures.checks.age import AGE_LISTS, birth_of, has_reached
from gateway.procedures.checks.civil_status_editions import (
    APPLICATION_FORM,
    civil_status_editions,
)
from gateway.procedures.checks.definition import CheckDefinition, Paper
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.optional_role import where_named
from gateway.procedures.checks.relation import (
    GUARDIAN_LISTS,
    PARENT_LISTS,
    is_guardian,
    is_parent,
    unproved,
)
from gateway.procedures.checks.rule import (
    AnyOf,
    ProcedureCase,
    ProcedureRule,
    RuleResult,
    RuleState,
)
from gateway.procedures.procedure import Procedure
from gateway.runtime.clock import legal_date

_SUBJECT = Text("Người có sự kiện hộ tịch", "The person whom the entry is about")
_REQUESTER = Text("Người yêu cầu", "The requester")
_SELF = Text("Người yêu cầu là chính người đó.", "The person asks for themself.")
_LAW = Text("Luật Hộ tịch 60/2014/QH13, Điều 63-64", "Law on Civil Status 60/2014, Art. 63-64")
_REPRESENTATION_LAW = Text("Bộ luật Dân sự 91/2015/QH13, Điều 136", "Civil Code 91/2015, Art. 136")
_CHANGES = "civil_status.changes"
_ADULT = 18


class ExtractKind(Coded):
    """Of what an extract is asked."""

    BIRTH = "khai sinh, bản sao Giấy khai sinh", "birth, copy of a birth certificate"
    MARRIAGE = "kết hôn", "marriage"
    DIVORCE = "ghi chú ly hôn", "note of a divorce"
    DEATH = "khai tử", "death"
    GUARDIANSHIP = "giám hộ", "guardianship"
    PARENT_CHILD_RECOGNITION = "nhận cha, mẹ, con", "recognition of a parent or a child"
    CHANGE = "thay đổi, cải chính, bổ sung hộ tịch", "change, correction, supplement"


#: The list that has the entries of each kind.
_LISTS = {
    ExtractKind.BIRTH: BIRTHS,
    ExtractKind.MARRIAGE: "civil_status.marriages",
    ExtractKind.DIVORCE: "civil_status.divorces",
    ExtractKind.DEATH: DEATHS,
    ExtractKind.GUARDIANSHIP: "civil_status.guardianships",
    ExtractKind.PARENT_CHILD_RECOGNITION: "civil_status.recognitions",
    ExtractKind.CHANGE: _CHANGES,
}


@dataclass(frozen=True, slots=True)
class CivilStatusExtractInput:
    """Cấp bản sao trích lục hộ tịch / Copy of a civil status extract."""

    subject: Annotated[PersonNumber, Text("người có sự kiện hộ tịch", "whom the entry is about")]
    kind: Annotated[ExtractKind, Text("loại trích lục", "kind of extract")]
    requester: Annotated[
        PersonNumber | None,
        Text("người yêu cầu; bỏ trống là chính người đó", "requester; the person if left out"),
    ] = None


def _entries(case: ProcedureCase) -> Facts:
    return case.person("subject").list(_LISTS[case.input.kind])


def _has_record(case: ProcedureCase) -> RuleResult:
    """Art. 63-64: an entry of that kind is in force. "None" needs the complete list."""
    entries = _entries(case)
    statuses = [in_force(entries, row) for row in entries.rows]
    reason = entries.reason
    if reason is None and True not in statuses and None in statuses:
        reason = UnknownReason.NOT_RECORDED
    if reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được có bản ghi để trích lục hay không.",
                "It is not known whether there is a record to extract.",
            ),
            reason,
        )
    if True not in statuses:
        return RuleResult.fails(
            Text(
                "Không có bản ghi còn hiệu lực để trích lục.",
                "There is no record in force to extract.",
            )
        )
    return RuleResult.passes(
        Text("Có bản ghi để trích lục.", "There is a record to extract."),
        entries.basis(*(row for row in entries.rows if in_force(entries, row))),
    )


def _has_latest_content(case: ProcedureCase) -> RuleResult:
    """Art. 63: an extract has the latest content, with every change that was registered."""
    record = _has_record(case)
    if record.state is not RuleState.PASS:
        return RuleResult(record.state, record.sentence, record.reason)
    not_known = Text(
        "Chưa xác định được bản ghi đã có nội dung thay đổi, cải chính mới nhất hay chưa.",
        "It is not known whether the record has the latest changes.",
    )
    changes = case.person("subject").list(_CHANGES)
    if changes.reason is not None:
        return RuleResult.unknown(not_known, changes.reason)
    verdicts = list(_amended(_entries(case), changes))
    if False in verdicts:
        return RuleResult.fails(
            Text(
                "Bản ghi chưa được cập nhật thay đổi, cải chính đã đăng ký: cập nhật rồi mới cấp.",
                "The record does not have a change yet that was registered: it is to be amended "
                "first.",
            )
        )
    if None in verdicts:
        return RuleResult.unknown(not_known, UnknownReason.NOT_RECORDED)
    return RuleResult.passes(
        Text(
            "Trích lục theo nội dung mới nhất; không ghi nội dung trước khi thay đổi.",
            "The extract has the latest content, and not what stood there before a change.",
        )
    )


def _amended(entries: Facts, changes: Facts) -> Iterator[bool | None]:
    """Say of each change in force of an entry whether the entry has it; None: not known."""
    for row in entries.rows:
        if not in_force(entries, row):
            continue
        for change in changes.rows:
            target = changes.value(change, "target_event_id")
            if in_force(changes, change) is False:
                continue
            if target == entries.value(row, "event_id"):
                yield _has_change(entries, row, changes, change)
            elif target is None:  # perhaps of this entry
                yield _has_change(entries, row, changes, change) or None


def _has_change(entries: Facts, row: Row, changes: Facts, change: Row) -> bool | None:
    """Say whether an entry has a change: it lists it, or was updated since; None: not known."""
    if in_force(changes, change) is None:
        return None
    amendments = entries.value(row, "amendments") or ()
    if changes.value(change, "event_id") in amendments:
        return True
    if entries.code(row, "status") == "AMENDED" and not amendments:
        return True
    registered = changes.value(change, "registration_date")
    updated = entries.value(row, "source_updated_at")
    if registered is None or not isinstance(updated, datetime):
        return None
    return bool(legal_date(updated) >= registered)


def _asks_for_self(case: ProcedureCase) -> RuleResult:
    """Art. 63: everybody may ask for what was registered about them."""
    if not case.has("requester"):
        return RuleResult.passes(_SELF)
    return RuleResult.fails(Text("Người yêu cầu là người khác.", "The requester is somebody else."))


def _is_parent_of_minor(case: ProcedureCase) -> RuleResult:
    """Art. 64, Civil Code Art. 136: a parent asks for a minor child."""
    if not case.has("requester"):
        return RuleResult.fails(_SELF)
    not_parent = Text(
        "Người yêu cầu không đại diện với tư cách cha, mẹ.",
        "The requester does not act as a parent.",
    )
    not_known = Text(
        "Chưa xác định được người yêu cầu có phải là cha, mẹ đại diện hay không.",
        "It is not known whether the requester acts as a parent.",
    )
    subject = case.person("subject")
    is_shown, reason = is_parent(case.person("requester"), subject)
    born = birth_of(subject)
    is_adult = None if born.reason is not None else has_reached(born.value, _ADULT, case.at)
    if is_adult or (not is_shown and reason is None):
        return RuleResult.fails(not_parent)
    if is_adult is None:
        return RuleResult.unknown(not_known, born.reason or UnknownReason.NOT_RECORDED)
    if not is_shown:
        not_shown = Text(
            "Dữ liệu không cho thấy quan hệ cha, mẹ, con: cần giấy tờ chứng minh.",
            "Data do not show that the requester is a parent: a document has to show it.",
        )
        return unproved(reason, not_shown, not_known)
    return RuleResult.passes(
        Text(
            "Người yêu cầu là cha, mẹ của người chưa thành niên.",
            "The requester is a parent of the minor.",
        )
    )


def _is_guardian(case: ProcedureCase) -> RuleResult:
    """Art. 64, Civil Code Art. 136: a guardian asks for the ward."""
    if not case.has("requester"):
        return RuleResult.fails(_SELF)
    is_shown, reason = is_guardian(case.person("requester"), case.person("subject"))
    if is_shown:
        return RuleResult.passes(
            Text("Người yêu cầu là người giám hộ.", "The requester is the guardian.")
        )
    if reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được người yêu cầu có phải là người giám hộ hay không.",
                "It is not known whether the requester is the guardian.",
            ),
            reason,
        )
    return RuleResult.fails(
        Text(
            "Người yêu cầu không phải là người giám hộ đã đăng ký.",
            "The requester is not a registered guardian.",
        )
    )


def _is_authorised(case: ProcedureCase) -> RuleResult:
    """Art. 64: whom the person authorised; an agency states its reason."""
    if not case.has("requester"):
        return RuleResult.fails(_SELF)
    return RuleResult.needs_document(
        Text(
            "Cần văn bản ủy quyền; cơ quan, tổ chức thì văn bản nêu rõ lý do.",
            "An authorisation is needed; from an agency, a letter that states the reason.",
        )
    )


def _is_requester_alive(case: ProcedureCase) -> RuleResult:
    role, label = ("requester", _REQUESTER) if case.has("requester") else ("subject", _SUBJECT)
    return alive(role, label).check(case)


def _may_represent(case: ProcedureCase) -> bool:
    """Say whether the requester is, or may be, a parent or the guardian."""
    states = (_is_parent_of_minor(case).state, _is_guardian(case).state)
    return any(state is not RuleState.FAIL for state in states)


def _needs_authorisation(case: ProcedureCase) -> bool:
    """Say whether no other rule entitles the requester."""
    checks = (_asks_for_self, _is_parent_of_minor, _is_guardian)
    return all(check(case).state is not RuleState.PASS for check in checks)


_ENTITLED = AnyOf(
    "REQUESTER_ENTITLED",
    Text("người yêu cầu có quyền yêu cầu", "the requester is entitled"),
    (
        ProcedureRule(
            "REQUESTER_IS_SUBJECT",
            Text("là chính người đó", "is the person"),
            _LAW,
            _asks_for_self,
        ),
        ProcedureRule(
            "REQUESTER_IS_PARENT",
            Text("là cha, mẹ của người chưa thành niên", "is a parent of the minor"),
            _REPRESENTATION_LAW,
            _is_parent_of_minor,
            is_concealed=True,
        ),
        ProcedureRule(
            "REQUESTER_IS_GUARDIAN",
            Text("là người giám hộ", "is the guardian"),
            _REPRESENTATION_LAW,
            _is_guardian,
            is_concealed=True,
        ),
        ProcedureRule(
            "REQUESTER_AUTHORISED",
            Text("được ủy quyền", "is authorised"),
            _LAW,
            _is_authorised,
        ),
    ),
)

CHECK = CheckDefinition(
    name="civil_status_extract",
    input=CivilStatusExtractInput,
    roles={
        "subject": tuple(
            dict.fromkeys(
                (*ALIVE_LISTS, *AGE_LISTS, *_LISTS.values(), *PARENT_LISTS, *GUARDIAN_LISTS)
            )
        ),
        "requester": ALIVE_LISTS,
    },
    editions=civil_status_editions(
        "Điều 63-64",
        other_laws=("Nghị định 87/2020/NĐ-CP",),
        conditions=(
            identified("subject", _SUBJECT),
            where_named("requester", identified("requester", _REQUESTER)),
            ProcedureRule(
                "REQUESTER_ALIVE",
                Text("người yêu cầu còn sống", "requester: alive"),
                _LAW,
                _is_requester_alive,
            ),
            ProcedureRule(
                "RECORD_EXISTS",
                Text("có bản ghi còn hiệu lực", "there is a record in force"),
                _LAW,
                _has_record,
            ),
            ProcedureRule(
                "LATEST_CONTENT",
                Text("bản ghi có nội dung mới nhất", "the record has the latest content"),
                _LAW,
                _has_latest_content,
            ),
            _ENTITLED,
        ),
        papers=(
            APPLICATION_FORM,
            Paper(
                "REQUESTER_IDENTITY_PAPER",
                Text("giấy tờ tùy thân của người yêu cầu", "identity paper of the requester"),
                ("population.identity",),
                ("SUBJECT_IDENTIFIED", "REQUESTER_IDENTIFIED"),
            ),
            Paper(
                "REPRESENTATION_PAPER",
                Text(
                    "giấy tờ chứng minh là cha, mẹ hoặc người giám hộ",
                    "proof of being a parent or the guardian",
                ),
                ("civil_status.births", "civil_status.guardianships"),
                ("REQUESTER_IS_PARENT", "REQUESTER_IS_GUARDIAN"),
                _may_represent,
            ),
            Paper(
                "AUTHORISATION",
                Text(
                    "văn bản ủy quyền, hoặc văn bản nêu rõ lý do của cơ quan",
                    "authorisation, or an agency's letter with its reason",
                ),
                is_needed=_needs_authorisation,
            ),
        ),
    ),
)

PROCEDURE = Procedure(
    codes=("2.000635",),
    title=Text(
        "Cấp bản sao trích lục hộ tịch, bản sao Giấy khai sinh",
        "Copy of a civil status extract or birth certificate",
    ),
    legal_basis=("Luật Hộ tịch 60/2014/QH13, Điều 63-64", "Nghị định 87/2020/NĐ-CP"),
    fields={
        "population.identity": IDENTITY,
        "population.earlier_numbers": "*",
        "civil_status.births": "* ethnicity mother.ethnicity father.ethnicity",
        "civil_status.marriages": "* husband.ethnicity wife.ethnicity",
        "civil_status.divorces": "*",
        "civil_status.deaths": "* ethnicity death_cause",
        # Extracts of its own, and whether the requester is the person's guardian.
        "civil_status.guardianships": "*",
        "civil_status.recognitions": "*",
        "civil_status.changes": "* new_value",
        "civil_status.court_notes": "*",
    },
    check=CHECK,
)
