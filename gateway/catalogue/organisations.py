"""Organisations: their codes, and the lists of a database that are found by one.

No register identifies organisations here. A code is looked up as it is written: a record that names
the organisation by its name alone, or by another code of its own, is not found.

- An enterprise's code is its tax code: 10 digits, of which the last is a check digit.
- A branch's has three more digits, with or without a hyphen before them.
- The tax code of a household business is its owner's citizen ID (Circular 86/2024/TT-BTC). Who
  names one names a person, with all that follows.
- Anything else is an organisation's identification number (Decree 69/2024/NĐ-CP).
"""

from __future__ import annotations

import re

from stdnum.vn import mst
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Database, Lookup, Record, Text
from gateway.catalogue.entry_points import keys_of, thing_key
from gateway.errors import GatewayError

#: The root field, its type, and the scalar of its argument.
FIELD = "organization"
TYPE = "Organization"
CODE_SCALAR = "OrganizationCode"

_BRANCH = re.compile(r"([0-9]{10})-?([0-9]{3})")
_PERSON = re.compile(r"[0-9]{12}|[0-9]{9}")
_OLD_NUMBER_DIGITS = 9

#: What lists of an organisation do not cover, beside what their record does not.
AS_WRITTEN = Text(
    "bản ghi không ghi đúng mã này của tổ chức (chỉ ghi tên, hoặc ghi mã khác)",
    "records that do not name the organisation by this code, as written (by name, or another code)",
)


def organisation_code(value: object) -> str:
    """Return the code of an organisation as it is looked up: in form C, stripped of white space.

    Raises GatewayError INVALID_VALUE for a wrong check digit, a branch 000, and a number of 9
    digits: it is that of an old identity card, and no tax code.
    """
    code = thing_key(value)
    if len(code) == _OLD_NUMBER_DIGITS and is_person_number(code):
        raise GatewayError("INVALID_VALUE", "9 digits are an old identity card, and no tax code")
    branch = _BRANCH.fullmatch(code)
    is_enterprise = len(code) == 10 and code.isascii() and code.isdigit()
    if (is_enterprise or branch is not None) and not mst.is_valid(code):
        raise GatewayError("INVALID_VALUE", "the check digit of the enterprise code is wrong")
    return code


def is_person_number(code: str) -> bool:
    """Say whether a code, or a number in a record, is a person's number."""
    return _PERSON.fullmatch(code) is not None


def journal_code(code: str) -> str:
    """Return the spelling under which a code stands in the journal, however it was asked for."""
    branch = _BRANCH.fullmatch(code)
    return code.upper() if branch is None else f"{branch[1]}-{branch[2]}"


def codes_as_written(code: str) -> tuple[str, ...]:
    """Return the spellings under which a code is looked up, itself first."""
    branch = _BRANCH.fullmatch(code)
    if branch is None:
        return keys_of(code)
    return tuple(dict.fromkeys((code, f"{branch[1]}-{branch[2]}", branch[1] + branch[2])))


def organisation_lists(database: Database) -> dict[str, tuple[Record, Lookup]]:
    """Return the lists of ``database`` that an organisation's code finds, by GraphQL name."""
    return {
        to_camel_case(lookup.organisation): (record, lookup)
        for record in database.records
        for lookup in record.lookups
        if lookup.organisation is not None
    }


def lookup_by_number(record: Record, lookup: Lookup) -> Lookup:
    """Return the lookup for a household business in place of ``lookup``: by its owner's number.

    Where people have no list of the same name, the owner's number is looked up as a code.
    """
    by_name = {other.name: other for other in record.lookups if not other.hidden}
    assert lookup.organisation is not None
    return by_name.get(lookup.organisation, lookup)
