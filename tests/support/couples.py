"""A couple that may marry, with everybody whom the check of a marriage looks at.

Groom and bride are too young to have married before the books were electronic, and all births up to
their grandparents are registered, so that nothing about them is open. ``registers`` changes what a
test wants changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from connectors.values import PartialDate, PersonNumber
from gateway.derived.kin import CHILDREN, RECOGNITIONS, REGISTERED_FAMILY
from gateway.derived.legal_capacity import GUARDIANSHIPS
from gateway.derived.marital_status import CONFIRMATIONS
from gateway.derived.marriages import DIVORCES, MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.procedures.checks.parentage import ADOPTIONS
from gateway.procedures.marriage_registration import MarriageRegistrationInput

Row = dict[str, Any]
Lists = dict[str, list[Row]]
RESIDENCES = "population.residences"
GROOM, BRIDE = "001200000001", "001302000002"
GROOM_FATHER, GROOM_MOTHER, BRIDE_FATHER, BRIDE_MOTHER = (
    f"0010700001{place}" for place in ("01", "02", "03", "04")
)
#: The grandparents of the groom and of the bride: by the father, then by the mother.
GROOM_ELDERS = tuple(f"0010400002{place:02}" for place in range(1, 5))
BRIDE_ELDERS = tuple(f"0010400003{place:02}" for place in range(1, 5))
#: A former wife of the groom and a former husband of the bride, and parents of theirs.
FORMER_WIFE, FORMER_HUSBAND = "001301000011", "001201000012"
STRANGERS = tuple(f"0010750004{place:02}" for place in range(1, 9))
_STRANGERS_ELDERS = tuple(f"0010450005{place:02}" for place in range(2 * len(STRANGERS)))
COUPLE = MarriageRegistrationInput(PersonNumber(GROOM), PersonNumber(BRIDE))
#: Everybody but the couple.
RELATIVES = (
    GROOM_FATHER, GROOM_MOTHER, BRIDE_FATHER, BRIDE_MOTHER, *GROOM_ELDERS, *BRIDE_ELDERS,
    FORMER_WIFE, FORMER_HUSBAND, *STRANGERS, *_STRANGERS_ELDERS,
)  # fmt: skip
#: Mother and father of each, by the birth in force.
PARENTS: Mapping[str, tuple[str | None, str | None]] = {
    GROOM: (GROOM_MOTHER, GROOM_FATHER),
    BRIDE: (BRIDE_MOTHER, BRIDE_FATHER),
    GROOM_FATHER: (GROOM_ELDERS[1], GROOM_ELDERS[0]),
    GROOM_MOTHER: (GROOM_ELDERS[3], GROOM_ELDERS[2]),
    BRIDE_FATHER: (BRIDE_ELDERS[1], BRIDE_ELDERS[0]),
    BRIDE_MOTHER: (BRIDE_ELDERS[3], BRIDE_ELDERS[2]),
    FORMER_WIFE: (STRANGERS[1], STRANGERS[0]),
    FORMER_HUSBAND: (STRANGERS[3], STRANGERS[2]),
    **{
        stranger: (_STRANGERS_ELDERS[2 * place], _STRANGERS_ELDERS[2 * place + 1])
        for place, stranger in enumerate(STRANGERS)
    },
}
_BORN = {GROOM: PartialDate(2000, 5, 5), BRIDE: PartialDate(2002, 3, 3)}
_SEX = {GROOM: "MALE", BRIDE: "FEMALE"}
_NAMES = {
    "births": BIRTHS, "adoptions": ADOPTIONS, "recognitions": RECOGNITIONS, "marriages": MARRIAGES,
    "divorces": DIVORCES, "notes": NOTES, "deaths": DEATHS, "family": REGISTERED_FAMILY,
    "confirmations": CONFIRMATIONS, "wards": GUARDIANSHIPS,
}  # fmt: skip


def birth(
    child: str, mother: str | None, father: str | None, status: str | None = "VALID", **more: Any
) -> Row:
    """Return the birth of ``child``."""
    return {"event_id": f"KS-{child}-{status}", "status": status, "citizen_id": child,
            "birth_date": _BORN.get(child, PartialDate(1970, 1, 1)),
            "mother_citizen_id": mother, "father_citizen_id": father, **more}  # fmt: skip


def replaced(child: str, mother: str | None, father: str | None) -> Row:
    """Return a birth of ``child`` that another one replaced."""
    return birth(child, mother, father, "SUPERSEDED")


def adoption(child: str, father: str | None, mother: str | None = None, **more: Any) -> Row:
    """Return the adoption of ``child``."""
    return {"event_id": f"NC-{child}", "status": "VALID", "child_id": child,
            "adopter_father_id": father, "adopter_mother_id": mother,
            "handover_date": date(2005, 1, 1), **more}  # fmt: skip


def recognition(father: str, child: str, **more: Any) -> Row:
    """Return that ``father`` recognises ``child``."""
    return {"event_id": f"NR-{child}", "status": "VALID", "recognising_id": father,
            "recognised_id": child, "recognition_kind": "FATHER_RECOGNISES_CHILD",
            **more}  # fmt: skip


def marriage(husband: str, wife: str, **more: Any) -> Row:
    """Return a marriage that ended with a divorce in 2024."""
    return {"event_id": f"KH-{husband}-{wife}", "status": "VALID", "husband_citizen_id": husband,
            "wife_citizen_id": wife, "registration_date": date(2022, 2, 2),
            "ended_on": PartialDate(2024, 4, 4), "end_reason": "DIVORCE", **more}  # fmt: skip


def identity(number: str, **more: Any) -> Row:
    """Return the identity of groom or bride."""
    return {"citizen_id": number, "sex": _SEX[number], "birth_date": _BORN[number],
            "life_status": "ALIVE", "marital_status": "SINGLE", **more}  # fmt: skip


def home(number: str, commune: str | None) -> Row:
    """Return a permanent residence."""
    return {"entry_id": f"CT-{number}", "citizen_id": number, "kind": "PERMANENT",
            "address_commune_code": commune, "valid_from": date(2010, 1, 1)}  # fmt: skip


def registers(
    *,
    groom: Row | None = None,
    bride: Row | None = None,
    parents: Mapping[str, tuple[str | None, str | None] | None] | None = None,
    homes: tuple[str | None, str | None] = ("00004", "00004"),
    **more: list[Row],
) -> Lists:
    """Return the lists of a couple that may marry, but for what is given.

    ``groom``, ``bride``: columns of their identity. ``parents``: mother and father whom the births
    name instead; None: the birth is not registered. Others: rows by list, beside what is there.
    """
    named = {**PARENTS, **(parents or {})}
    births = [birth(child, *both) for child, both in named.items() if both is not None]
    births = [row for row in births if row["citizen_id"] not in _birth_children(more)]
    births += more.pop("births", [])
    lists: Lists = {
        IDENTITY: [identity(GROOM, **(groom or {})), identity(BRIDE, **(bride or {}))],
        BIRTHS: births,
        CHILDREN: births,
        RESIDENCES: [home(GROOM, homes[0]), home(BRIDE, homes[1])],
    }
    return {**lists, **{_NAMES[name]: rows for name, rows in more.items()}}


def _birth_children(more: Mapping[str, list[Row]]) -> set[str]:
    """Return the children whose births in force a test writes itself."""
    return {row["citizen_id"] for row in more.get("births", []) if row["status"] != "SUPERSEDED"}
