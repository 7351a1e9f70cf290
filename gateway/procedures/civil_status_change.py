"""P6: change, correction and supplement of civil status, redetermination of ethnicity.

Law on Civil Status 60/2014/QH13 Art. 26-29: the record that is to be changed, and what was changed
before. Ethnicity is redetermined to that of a parent, and once only (Civil Code 91/2015/QH13 Art.
29, own knowledge), so both parents' and earlier values are needed. Why an earlier change was made
is not: its ground may be an adoption.

Until districts were abolished on 1 July 2025, they changed and corrected the entries of people of
fourteen or more, and redetermined ethnicity (Art. 46); communes did the rest, and do everything
since. Whether an earlier redetermination bars another is left to the officer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

from connectors.civil_status.notes import CivilStatusChangeKind
from connectors.description import Coded, Text
from connectors.values import PersonNumber
from gateway.derived.legal_capacity import CapacityState
from gateway.derived.marriages import MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, in_force
from gateway.derived.view import Facts, UnknownReason
from gateway.procedures.allow_lists import IDENTITY
from gateway.procedures.checks.age import birth_of, has_reached
from gateway.procedures.checks.capacity import CAPACITY_LISTS, capacity_on
from gateway.procedures.checks.civil_status_editions import (
    APPLICATION_FORM,
    COMMUNE,
    civil_status_editions,
    identity_paper,
)
from gateway.procedures.checks.consent import agrees, document_rule
from gateway.procedures.checks.definition import (
    CheckDefinition,
    Deadline,
    Edition,
    Paper,
    TimeUnit,
)
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult
from gateway.procedures.procedure import Procedure

_SUBJECT = Text("Người có thông tin được thay đổi", "The subject")
_LAW = Text("Luật Hộ tịch 60/2014/QH13, Điều 26-29", "Law on Civil Status 60/2014, Art. 26-29")
_NAME_LAW = Text(
    "Luật Hộ tịch 60/2014/QH13, Điều 26; Bộ luật Dân sự 91/2015/QH13, Điều 27-29",
    "Law on Civil Status 60/2014, Art. 26; Civil Code 91/2015, Art. 27-29",
)
_ETHNICITY_LAW = Text("Bộ luật Dân sự 91/2015/QH13, Điều 29", "Civil Code 91/2015, Art. 29")
#: Districts registered nothing any more from this day on.
_COMMUNES_SINCE = date(2025, 7, 1)
_DISTRICT_AGE = 14


class ChangedEntry(Coded):
    """Which entry of the civil status books is to be changed."""

    BIRTH = "khai sinh", "birth"
    MARRIAGE = "kết hôn", "marriage"
    DEATH = "khai tử", "death"


_LIST_OF = {
    ChangedEntry.BIRTH: BIRTHS,
    ChangedEntry.MARRIAGE: MARRIAGES,
    ChangedEntry.DEATH: DEATHS,
}


@dataclass(frozen=True, slots=True)
class CivilStatusChangeInput:
    """Thay đổi, cải chính, bổ sung hộ tịch, xác định lại dân tộc / Change of civil status."""

    subject: Annotated[PersonNumber, Text("người có thông tin được thay đổi", "subject")]
    kind: Annotated[CivilStatusChangeKind, Text("loại thay đổi", "kind")]
    entry: Annotated[
        ChangedEntry | None,
        Text(
            "việc hộ tịch được thay đổi; bỏ trống là khai sinh", "entry to change; else the birth"
        ),
    ] = None


def _entry(case: ProcedureCase) -> ChangedEntry:
    entry = case.input.entry or ChangedEntry.BIRTH
    assert isinstance(entry, ChangedEntry)
    return entry


_ALIVE = alive("subject", _SUBJECT)
_MAY_BE_DEAD = Text(
    "Cải chính, bổ sung khai tử: người có thông tin đã chết.",
    "The entry of a death is corrected: the subject need not be alive.",
)


def _alive_or_death_corrected(case: ProcedureCase) -> RuleResult:
    """The entry of a death is corrected after it; all others are changed for the living."""
    result = _ALIVE.check(case)
    return RuleResult.passes(_MAY_BE_DEAD) if _entry(case) is ChangedEntry.DEATH else result


_IN_BOOK = Text("Việc hộ tịch được thay đổi đã đăng ký.", "The entry to be changed is registered.")
_REVOKED = Text(
    "Việc đăng ký hộ tịch này đã bị thu hồi, hủy bỏ; không có nội dung để thay đổi.",
    "The registration was revoked: there is nothing to change.",
)
_NOT_IN_BOOK = Text(
    "Không có trong cơ sở dữ liệu hộ tịch; phải xuất trình giấy tờ hộ tịch đã cấp.",
    "It is not in the electronic books: the paper that was issued has to be shown.",
)
_BOOK_UNKNOWN = Text(
    "Chưa xác định được việc hộ tịch được thay đổi đã đăng ký hay chưa.",
    "It is not known whether the entry to be changed is registered.",
)


def _record_exists(case: ProcedureCase) -> RuleResult:
    """Art. 26-29. Not all paper books are digitised: that none is there proves nothing."""
    subject = case.person("subject")
    entries = {entry: subject.list(name) for entry, name in _LIST_OF.items()}
    entry = entries[_entry(case)]
    counting = [(row, in_force(entry, row)) for row in entry.rows]
    rows = [row for row, counts in counting if counts]
    if rows:
        return RuleResult.passes(_IN_BOOK, entry.basis(*rows))
    if any(counts is None for _, counts in counting):
        return RuleResult.unknown(_BOOK_UNKNOWN, entry.reason or UnknownReason.NOT_RECORDED)
    if entry.reason is not None:
        return RuleResult.unknown(_BOOK_UNKNOWN, entry.reason)
    if counting:
        return RuleResult.fails(_REVOKED, entry.basis(*(row for row, _ in counting)))
    return RuleResult.needs_document(_NOT_IN_BOOK)


_OF_BIRTH = Text(
    "Nội dung này được thay đổi trong khai sinh.", "This is changed in the entry of the birth."
)
_NOT_OF_BIRTH = Text(
    "Chỉ thay đổi hoặc xác định lại dân tộc trong khai sinh; việc hộ tịch khác chỉ được cải chính, "
    "bổ sung.",
    "Only a birth is changed, or has its ethnicity redetermined; other entries are corrected or "
    "supplemented.",
)
_ANY_ENTRY = Text(
    "Việc hộ tịch nào cũng được cải chính, bổ sung.", "Any entry may be corrected or supplemented."
)
_BIRTH_KINDS = frozenset(
    {CivilStatusChangeKind.CHANGE, CivilStatusChangeKind.ETHNICITY_REDETERMINATION}
)


def _kind_fits_entry(case: ProcedureCase) -> RuleResult:
    """Art. 26-29: what is changed, and an ethnicity, stands in the birth."""
    if case.input.kind not in _BIRTH_KINDS:
        return RuleResult.passes(_ANY_ENTRY)
    if _entry(case) is ChangedEntry.BIRTH:
        return RuleResult.passes(_OF_BIRTH)
    return RuleResult.fails(_NOT_OF_BIRTH)


_ETHNICITIES_DIFFER = Text(
    "Cha mẹ thuộc hai dân tộc khác nhau.", "The parents are of two ethnic groups."
)
_ETHNICITY_NOT_ASKED = Text("Không phải là xác định lại dân tộc.", "No ethnicity is redetermined.")
_ETHNICITY_TO_SHOW = Text(
    "Phải có giấy tờ chứng minh cha đẻ, mẹ đẻ thuộc dân tộc được xác định lại.",
    "A document has to show that a birth parent is of the ethnic group asked for.",
)
_ETHNICITY_UNKNOWN = Text(
    "Chưa xác định được dân tộc của cha và mẹ.", "The parents' ethnic groups are not known."
)


def _ethnicity_of_parent(case: ProcedureCase) -> RuleResult:
    """Civil Code Art. 29(3): to the other birth parent's, where theirs differ.

    An adopted child whose birth parents are known may ask too, so that parents of one group do not
    fail it: a document shows it, of everybody alike.
    """
    births = case.person("subject").list(BIRTHS)
    groups = _ethnicities(births)
    if case.input.kind is not CivilStatusChangeKind.ETHNICITY_REDETERMINATION:
        return RuleResult.passes(_ETHNICITY_NOT_ASKED)
    if isinstance(groups, UnknownReason):
        return RuleResult.unknown(_ETHNICITY_UNKNOWN, groups)
    if len(groups) > 1:
        return RuleResult.passes(_ETHNICITIES_DIFFER)
    return RuleResult.needs_document(_ETHNICITY_TO_SHOW)


def _ethnicities(births: Facts) -> set[str] | UnknownReason:
    """Return the parents' ethnic groups as the birth in force has them, or why not known."""
    rows = [row for row in births.rows if in_force(births, row) is not False]
    if births.reason is not None or not rows:
        return births.reason or UnknownReason.NOT_COVERED
    if len(rows) > 1:
        return UnknownReason.CONTRADICTORY
    groups = [births.value(rows[0], f"{parent}_ethnicity") for parent in ("mother", "father")]
    if None in groups or in_force(births, rows[0]) is None:
        return UnknownReason.NOT_RECORDED
    return {str(group).strip().casefold() for group in groups}


_AGREES = agrees("subject", _SUBJECT, _NAME_LAW)
_DEAD_NOT_ASKED = Text(
    "Cải chính, bổ sung khai tử: không hỏi ý kiến người đã chết.",
    "The entry of a death is corrected: the dead are not asked.",
)


def _subject_agrees(case: ProcedureCase) -> RuleResult:
    """From nine years on; of an entry of a death nobody asks the subject."""
    result = _AGREES.check(case)
    return RuleResult.passes(_DEAD_NOT_ASKED) if _entry(case) is ChangedEntry.DEATH else result


_REPRESENTED = Text(
    "Cha, mẹ, người giám hộ hoặc thân nhân phải đồng ý và yêu cầu thay.",
    "Parents, a guardian or relatives have to consent and to ask in the subject's place.",
)
_ACTS_ALONE = Text("Người có thông tin được thay đổi tự yêu cầu.", "The subject asks alone.")
_REPRESENTATION_UNKNOWN = Text(
    "Chưa xác định được có cần cha, mẹ hoặc người giám hộ đồng ý hay không.",
    "It is not known whether parents or a guardian have to consent.",
)
_ALONE = frozenset({CapacityState.FULL, CapacityState.RESTRICTED})


def _representative_consents(case: ProcedureCase) -> RuleResult:
    """Decree 123/2015/NĐ-CP Art. 7 (own knowledge): for a minor, and who has lost capacity.

    For the dead whoever may ask does: their relatives.
    """
    capacity = capacity_on(case.person("subject"), case.at)
    if capacity.reason is not None:
        return RuleResult.unknown(_REPRESENTATION_UNKNOWN, capacity.reason)
    if capacity.value in _ALONE:
        return RuleResult.passes(_ACTS_ALONE, capacity.basis)
    return RuleResult.needs_person(_REPRESENTED)


_DISTRICT = Text(
    "Ủy ban nhân dân cấp huyện nơi đăng ký trước đây hoặc nơi cư trú",
    "The People's Committee of the district of registration or residence",
)
_BY_AGE = Text(
    "Ủy ban nhân dân cấp xã (người chưa đủ 14 tuổi; bổ sung hộ tịch) hoặc cấp huyện (người từ đủ "
    "14 tuổi; xác định lại dân tộc)",
    "The commune (for those below fourteen; supplements) or the district (from fourteen on; "
    "ethnicity)",
)


def _body_until_2025(case: ProcedureCase) -> Text:
    """Law on Civil Status 60/2014/QH13 Art. 27, 46: by kind and by age."""
    if case.input.kind is CivilStatusChangeKind.SUPPLEMENT:
        return COMMUNE
    if case.input.kind is CivilStatusChangeKind.ETHNICITY_REDETERMINATION:
        return _DISTRICT
    born = birth_of(case.person("subject"))
    reaches = None if born.reason else has_reached(born.value, _DISTRICT_AGE, case.at)
    return {True: _DISTRICT, False: COMMUNE, None: _BY_AGE}[reaches]


_CONDITIONS = (
    identified("subject", _SUBJECT),
    ProcedureRule(_ALIVE.code, _ALIVE.title, _ALIVE.law, _alive_or_death_corrected),
    ProcedureRule(
        "KIND_FITS_ENTRY",
        Text("loại thay đổi phù hợp với việc hộ tịch", "the kind fits the entry"),
        _LAW,
        _kind_fits_entry,
    ),
    ProcedureRule(
        "RECORD_EXISTS",
        Text("việc hộ tịch được thay đổi đã đăng ký", "the entry is registered"),
        _LAW,
        _record_exists,
    ),
    document_rule(
        "GROUNDS",
        Text("có căn cứ thay đổi", "grounds of the change"),
        _LAW,
        Text(
            "Phải có giấy tờ làm căn cứ thay đổi, cải chính, bổ sung.",
            "Documents have to show the grounds of the change.",
        ),
    ),
    ProcedureRule(
        "ETHNICITY_OF_PARENT",
        Text("dân tộc được xác định theo cha hoặc mẹ", "the ethnic group is a parent's"),
        _ETHNICITY_LAW,
        _ethnicity_of_parent,
        is_concealed=True,
    ),
    ProcedureRule(_AGREES.code, _AGREES.title, _AGREES.law, _subject_agrees),
    ProcedureRule(
        "REPRESENTATIVE_CONSENTS",
        Text("cha, mẹ hoặc người giám hộ đồng ý", "parents or a guardian consent"),
        _NAME_LAW,
        _representative_consents,
    ),
)
_PAPERS = (
    APPLICATION_FORM,
    identity_paper("subject", Text("người có thông tin được thay đổi", "the subject")),
    Paper(
        "CIVIL_STATUS_PAPER",
        Text("Giấy tờ hộ tịch được thay đổi", "The civil status paper that is changed"),
        ("civil_status.births", "civil_status.marriages", "civil_status.deaths"),
        ("RECORD_EXISTS",),
    ),
    Paper("GROUNDS", Text("Giấy tờ làm căn cứ thay đổi", "Documents of the grounds")),
)
_DEADLINE = Deadline(
    3,
    TimeUnit.WORKING_DAYS,
    Text(
        "Luật Hộ tịch 60/2014/QH13, Điều 28-29; thêm không quá 3 ngày làm việc nếu phải xác minh; "
        "bổ sung hộ tịch: giải quyết ngay",
        "Law on Civil Status 60/2014, Art. 28-29; 3 working days more where it is verified; a "
        "supplement at once",
    ),
)


def _editions() -> tuple[Edition, ...]:
    """Return the editions of civil status; in the first one districts are competent for some."""
    first, *later = civil_status_editions(
        "Điều 26-29, 46",
        other_laws=("Bộ luật Dân sự 91/2015/QH13, Điều 27-29",),
        deadline=_DEADLINE,
        conditions=_CONDITIONS,
        papers=_PAPERS,
    )
    districts = replace(first, competent_body=_BY_AGE, competent_body_of=_body_until_2025)
    return districts, replace(first, since=_COMMUNES_SINCE), *later


CHECK = CheckDefinition(
    name="civil_status_change",
    input=CivilStatusChangeInput,
    roles={"subject": tuple(dict.fromkeys((*ALIVE_LISTS, *CAPACITY_LISTS, MARRIAGES)))},
    editions=_editions(),
)

PROCEDURE = Procedure(
    codes=("1.004859",),
    title=Text(
        "Đăng ký thay đổi, cải chính, bổ sung hộ tịch, xác định lại dân tộc",
        "Change, correction and supplement of civil status, redetermination of ethnicity",
    ),
    legal_basis=(
        "Luật Hộ tịch 60/2014/QH13, Điều 26-29",
        "Bộ luật Dân sự 91/2015/QH13, Điều 29",
    ),
    fields={
        "population.identity": (
            f"{IDENTITY} other_name birth_place birth_registered_at native_place ethnicity"
        ),
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "population.family": "*",
        "civil_status.births": "* ethnicity mother.ethnicity father.ethnicity",
        "civil_status.marriages": "* husband.ethnicity wife.ethnicity",
        "civil_status.divorces": "*",
        "civil_status.deaths": "* ethnicity",
        "civil_status.guardianships": "*",
        "civil_status.recognitions": "*",
        "civil_status.changes": "* old_value new_value",
        "civil_status.court_notes": "*",
    },
    # What is to be corrected.
    derived=frozenset({"conflicts", "guardianship", "legal_capacity", "life_status"}),
    check=CHECK,
)
