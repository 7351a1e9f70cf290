"""P1: marriage registration.

Law on Marriage and Family 52/2014/QH13 Art. 3(18), 5(2), 8 and 9: age, sex, capacity, that neither
is married, and that they are no close relatives, in-laws, step- or adoptive family. Law on Civil
Status 60/2014/QH13 Art. 17-18. The intended spouses' relatives are read for the comparison alone.
Whoever registers outside their commune shows a confirmation of marital status (Decree 123/2015).

What the Law on Civil Status of 2026 says on competence is not in the project's sources: it is taken
to stay as it is (an assumption).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

from connectors.description import Text
from connectors.values import PersonNumber
from gateway.derived.marital_status import MaritalState, marital_status
from gateway.derived.residence import ResidenceForm, residence
from gateway.derived.view import Evidence, LaterReads
from gateway.procedures.allow_lists import IDENTITY, LIFE, MARITAL
from gateway.procedures.checks.age import AGE_LISTS, of_age
from gateway.procedures.checks.capacity import CAPACITY_LISTS, not_incapacitated
from gateway.procedures.checks.civil_status_editions import (
    APPLICATION_FORM,
    civil_status_editions,
    identity_paper,
)
from gateway.procedures.checks.definition import CheckDefinition, Paper
from gateway.procedures.checks.kinship import (
    KINSHIP_LATER,
    KINSHIP_LISTS,
    KINSHIP_PEOPLE,
    KINSHIP_UNPROTECTED,
    no_close_kin,
)
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.marital import (
    MARITAL_LATER,
    MARITAL_LISTS,
    MARITAL_PEOPLE,
    unmarried,
)
from gateway.procedures.checks.residence import RESIDENCE_LISTS
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult
from gateway.procedures.checks.sex import SEX_LISTS, man_and_woman
from gateway.procedures.procedure import Procedure

_GROOM, _BRIDE = Text("Bên nam", "The groom"), Text("Bên nữ", "The bride")
_ROLES = (("groom", _GROOM), ("bride", _BRIDE))


@dataclass(frozen=True, slots=True)
class MarriageRegistrationInput:
    """Đăng ký kết hôn / Marriage registration."""

    groom: Annotated[PersonNumber, Text("bên nam", "groom")]
    bride: Annotated[PersonNumber, Text("bên nữ", "bride")]


def _article_8(point: str) -> Text:
    return Text(
        f"Luật Hôn nhân và gia đình 52/2014/QH13, Điều 8 khoản 1 điểm {point}",
        f"Law on Marriage and Family 52/2014, Art. 8(1)({point})",
    )


def _needs_person(code: str, title: Text, law: Text, sentence: Text) -> ProcedureRule:
    """Return a rule that no database decides: the officer does, with the couple present."""
    return ProcedureRule(code, title, law, lambda _case: RuleResult.needs_person(sentence))


#: The rules of domain.md 3.1, in its order: R1 to R8, R6 and R7 as one.
_CONDITIONS = (
    of_age("groom", _GROOM, 20, _article_8("a")),
    of_age("bride", _BRIDE, 18, _article_8("a")),
    man_and_woman(
        "groom",
        "bride",
        Text(
            "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 8 khoản 2",
            "Law on Marriage and Family 52/2014, Art. 8(2)",
        ),
    ),
    _needs_person(
        "VOLUNTARY",
        Text("việc kết hôn do hai bên tự nguyện quyết định", "both marry of their own will"),
        _article_8("b"),
        Text(
            "Hai bên cùng có mặt, tự nguyện và cùng ký vào Sổ đăng ký kết hôn.",
            "Both are present, consent and sign the register.",
        ),
    ),
    not_incapacitated("groom", _GROOM, _article_8("c")),
    not_incapacitated("bride", _BRIDE, _article_8("c")),
    unmarried("groom", _GROOM),
    unmarried("bride", _BRIDE),
    no_close_kin("groom", "bride"),
    identified("groom", _GROOM),
    identified("bride", _BRIDE),
    alive("groom", _GROOM),
    alive("bride", _BRIDE),
    _needs_person(
        "NOT_SHAM",
        Text("không phải kết hôn giả tạo", "no sham marriage"),
        Text(
            "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 5 khoản 2 điểm a",
            "Law on Marriage and Family 52/2014, Art. 5(2)(a)",
        ),
        Text(
            "Người tiếp nhận xem xét việc kết hôn có phải là giả tạo hay không.",
            "The officer considers whether the marriage is a sham.",
        ),
    ),
)


def _permanent_commune(evidence: Evidence) -> str | None:
    """Return the code of the commune of permanent residence; None: it is not known."""
    homes = residence(evidence)
    if homes.reason is not None or not isinstance(homes.value, list):
        return None
    permanent = [home for home in homes.value if home.kind is ResidenceForm.PERMANENT]
    return permanent[0].commune_code if permanent else None


def _may_live_elsewhere(case: ProcedureCase) -> bool:
    """Say whether one of them may live outside the commune where they register."""
    homes = {_permanent_commune(case.person(role)) for role, _ in _ROLES}
    return len(homes) > 1 or None in homes


def _may_have_been(role: str, state: MaritalState) -> Callable[[ProcedureCase], bool]:
    """Return whether somebody is in a marital ``state``, as far as is known."""

    def is_needed(case: ProcedureCase) -> bool:
        status = marital_status(case.person(role))
        return status.reason is not None or status.value is state

    return is_needed


def _papers() -> Iterator[Paper]:
    """Yield the papers of Law 60/2014 Art. 18 and Decree 123/2015, and what replaces each."""
    yield APPLICATION_FORM
    for role, label in _ROLES:
        of_whom, code = Text(label.vi.lower(), label.en.lower()), role.upper()
        status = (f"{code}_UNMARRIED",)
        yield identity_paper(role, of_whom)
        yield Paper(
            f"{code}_MARITAL_STATUS",
            Text(
                f"Giấy xác nhận tình trạng hôn nhân của {of_whom.vi}",
                f"confirmation of the marital status of {of_whom.en}",
            ),
            ("civil_status.marital_status_confirmations", "civil_status.marriages"),
            status,
            _may_live_elsewhere,
        )
        yield Paper(
            f"{code}_DIVORCE",
            Text(
                f"trích lục ghi chú ly hôn hoặc bản án, quyết định ly hôn của {of_whom.vi}",
                f"extract or judgment of the divorce of {of_whom.en}",
            ),
            ("civil_status.divorces",),
            status,
            _may_have_been(role, MaritalState.DIVORCED),
        )
        yield Paper(
            f"{code}_SPOUSE_DEATH",
            Text(
                f"trích lục khai tử của vợ hoặc chồng trước của {of_whom.vi}",
                f"extract of the death of the former spouse of {of_whom.en}",
            ),
            ("civil_status.deaths",),
            status,
            _may_have_been(role, MaritalState.WIDOWED),
        )


_LISTS = tuple(
    dict.fromkeys(
        (
            *AGE_LISTS,
            *SEX_LISTS,
            *CAPACITY_LISTS,
            *MARITAL_LISTS,
            *KINSHIP_LISTS,
            *ALIVE_LISTS,
            *RESIDENCE_LISTS,
        )
    )
)

CHECK = CheckDefinition(
    name="marriage_registration",
    input=MarriageRegistrationInput,
    roles={role: _LISTS for role, _ in _ROLES},
    editions=civil_status_editions(
        "Điều 17-18",
        other_laws=(
            "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 3, 5, 8, 9",
            "Nghị định 123/2015/NĐ-CP",
        ),
        competent_body=Text(
            "Ủy ban nhân dân cấp xã nơi cư trú của một trong hai bên",
            "The commune People's Committee where either of them resides",
        ),
        conditions=_CONDITIONS,
        papers=tuple(_papers()),
    ),
    later=tuple(
        LaterReads(reads.name, len(_ROLES) * reads.keys)
        for reads in (*MARITAL_LATER, *KINSHIP_LATER)
        if isinstance(reads.keys, int)
    ),
    people=len(_ROLES) * (MARITAL_PEOPLE + KINSHIP_PEOPLE),
    unprotected=KINSHIP_UNPROTECTED,
)

PROCEDURE = Procedure(
    codes=("1.000894", "2.000806", "1.000593", "1.004746"),
    title=Text("Đăng ký kết hôn", "Marriage registration"),
    legal_basis=(
        "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 3, 5, 8, 9",
        "Luật Hộ tịch 60/2014/QH13, Điều 17-18",
        "Nghị định 123/2015/NĐ-CP",
    ),
    fields={
        # Art. 17(2) of the civil status law: the marriage record names each spouse's ethnicity and
        # identity document.
        "population.identity": f"{IDENTITY} marital_status card ethnicity",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "population.family": "*",
        "civil_status.births": "*",
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": "*",
        "civil_status.marital_status_confirmations": "*",
        # A recognised parent is a parent, whether or not the birth record was amended yet.
        "civil_status.recognitions": "*",
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"conflicts", "legal_capacity", "life_status", "marital_status"}),
    deciding=LIFE | MARITAL,
    check=CHECK,
)
